"""Plans what must change so that the live records are the wanted ones. Pure: no clock, no log, no errors."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from webapp.dns.changes import Answer, Conflict, Create, Delete, Keep, Plan, Update, Wish
from webapp.dns.records import LiveRecord, Record, RecordType, excludes, normal_content

ACTS = frozenset({Answer.ADOPT, Answer.REPLACE})
LEADS = frozenset(RecordType)
"""The types by which a name leads somewhere."""


@dataclass
class _World:
    """The live records, indexed, with what has been claimed of them so far."""

    owner: str
    apex: str
    by_id: dict[str, LiveRecord]
    by_name: dict[str, list[LiveRecord]]
    taken: set[str] = field(default_factory=set)

    def is_ours(self, live: LiveRecord) -> bool:
        """Whether the mark says so, and nobody else manages it."""
        return live.mark == self.owner and not live.read_only

    def at_home(self, wish: Wish) -> LiveRecord | None:
        """The row's own record, if it is in the wished place."""
        known = self.anywhere(wish)
        return known if known and _place(known) == _place(wish.record) else None

    def marked(self, wish: Wish) -> LiveRecord | None:
        """A record in the wished place that has our mark; the one that needs no change, if there are several."""
        found = [
            r
            for r in self.by_name[wish.record.name]
            if _place(r) == _place(wish.record) and self.is_ours(r) and r.id not in self.taken
        ]
        return min(found, key=lambda r: not r.is_like(wish.record), default=None)

    def anywhere(self, wish: Wish) -> LiveRecord | None:
        """The row's own record, wherever it has been moved to."""
        known = self.by_id.get(wish.live_id or "")
        return known if known and known.id not in self.taken and self._proven(wish, known) else None

    def _proven(self, wish: Wish, live: LiveRecord) -> bool:
        """By mark, or where the mark is lost by row id and unchanged content."""
        if live.mark is not None or live.read_only:
            return self.is_ours(live)
        return wish.written is not None and _said(live) == _said(wish.written)

    def in_the_way(self, record: Record, mine: LiveRecord | None) -> tuple[LiveRecord, ...]:
        """Foreign records that cannot stand beside the wanted one.

        Beside ours, where it is in its place already, only the same record again, and what another installation
        keeps for a claim of its own: both were made at the same moment. That is in the way whatever its type,
        if it makes the name lead somewhere; where it keeps the very type that is wanted, that stands for all.
        """
        at_home = mine is not None and _place(mine) == _place(record)
        done = mine is not None and _said(mine) == _said(record)
        here = [r for r in self.by_name[record.name] if r.id not in self.taken and not self.is_ours(r)]
        found = tuple(
            r
            for r in here
            if self._blocks(r, record)
            and (not at_home or self._is_rival(r) or (not done and _said(r) == _said(record)))
        )
        if any(self._is_rival(r) for r in found):
            return found
        return found + tuple(r for r in here if self._is_rival(r) and r.type in LEADS)

    def _is_rival(self, live: LiveRecord) -> bool:
        return live.mark not in (None, self.owner)

    def _blocks(self, live: LiveRecord, record: Record) -> bool:
        return live.type == record.type or excludes(live.type, record.type, apex=record.name == self.apex)


def _place(record: Record | LiveRecord) -> tuple[str, str]:
    return record.name, str(record.type)


def _said(record: Record | LiveRecord) -> tuple[str, str, str]:
    return record.name, str(record.type), normal_content(record.type, record.content)


def plan(
    wishes: Iterable[Wish], live: Sequence[LiveRecord], owner: str, *, delete: bool = True, apex: str = ""
) -> Plan:
    """What to do, row by row and then for what no row knows.

    ======== ================================ =================================
    wish     live                             outcome
    ======== ================================ =================================
    wanted   ours, as wanted                  keep
    wanted   ours, differs or mark lost       update (unless a foreign record
                                              stands where it has to go)
    wanted   nothing in the way               create
    wanted   foreign in the way               conflict; adopted, where it is the
                                              only one and of the wanted type: update;
                                              replaced: delete and create
    wanted   address or CNAME with another    in the way, whatever its type: conflict,
             mark                             for both where both are there already
    wanted   other types, or an address of    not in the way: as above
             another type without a mark
    unwanted ours                             delete (held, or the wanted record of
                                              the name in conflict: nothing yet)
    unwanted nothing, or not provably ours    gone
    none     our mark                         orphan: delete
    none     another mark or none             foreign: never touched
    ======== ================================ =================================

    With ``delete=False`` only what makes room for a wanted record of the same name is deleted. `apex` is the
    name of the zone, whose own NS records stand in nobody's way.
    """
    records = sorted({r.id: r for r in live}.values(), key=lambda r: (r.name, r.type, r.id))
    ordered = sorted(wishes, key=lambda w: (not w.wanted, w.row))
    world = _World(owner, apex, {r.id: r for r in records}, defaultdict(list))
    for record in records:
        world.by_name[record.name].append(record)
    matched = _match(world, ordered)
    builder = _Builder(world, delete, {w.record.name for w in ordered if w.wanted})
    answers = {w.row for w in ordered if builder.verdict(w, matched.get(w.row)) in ACTS}
    for wish in sorted(ordered, key=lambda w: w.row not in answers):  # they may make room for others
        builder.decide(wish, matched.get(wish.row))
    builder.leftovers(records)
    ours = {r.id for r in records if world.is_ours(r)} | {r.id for r in matched.values()}
    return builder.plan(len(ours))


def _match(world: _World, wishes: Sequence[Wish]) -> dict[int, LiveRecord]:
    """Give each row its record: what is wanted comes first, and what is in its place before what was moved."""
    matched: dict[int, LiveRecord] = {}
    for wanted in (True, False):
        for find in (world.at_home, world.marked, world.anywhere):
            for wish in wishes:
                if wish.wanted is wanted and wish.row not in matched and (found := find(wish)):
                    matched[wish.row] = found
                    world.taken.add(found.id)
    return matched


class _Builder:
    """Collects the outcome of each wish."""

    def __init__(self, world: _World, delete: bool, needed: set[str]) -> None:
        self.world, self.delete, self.needed = world, delete, needed
        self.stuck: dict[str, list[RecordType]] = defaultdict(list)
        self.parts: dict[str, list[object]] = defaultdict(list)

    def decide(self, wish: Wish, mine: LiveRecord | None) -> None:
        """One row of the truth table."""
        if not wish.wanted:
            self._unwanted(wish, mine)
        elif blockers := self.world.in_the_way(wish.record, mine):
            self._contested(wish, mine, blockers)
        else:
            self._write(wish, mine, approved=wish.approved)

    def verdict(self, wish: Wish, mine: LiveRecord | None) -> Answer | None:
        """The operator's answer to the conflict, if it still counts and can be carried out."""
        if not wish.wanted or wish.answer is None:
            return None
        blockers = self.world.in_the_way(wish.record, mine)
        if wish.answered != Conflict(wish.row, wish.record, blockers).fingerprint:
            return None
        unfit = wish.answer is Answer.ADOPT and [str(r.type) for r in blockers] != [str(wish.record.type)]
        return None if unfit or any(r.read_only for r in blockers) else wish.answer

    def _write(self, wish: Wish, mine: LiveRecord | None, *, approved: bool) -> None:
        if mine is None:
            self._add("creates", Create(wish.row, wish.record, approved))
        elif why := _differences(mine, wish.record, self.world.owner):
            self._add("updates", Update(wish.row, wish.record, mine, why, approved))
        else:
            self._add("kept", Keep(wish.row, mine))

    def _unwanted(self, wish: Wish, mine: LiveRecord | None) -> None:
        if mine is None or not self._may_go(mine):
            self._add("gone", wish.row)
        if mine and not self._may_go(mine):
            self._add("orphans", mine)
        elif mine and not wish.held and not self._awaited(mine):
            self._add("deletes", Delete(wish.row, mine, "no longer wanted", wish.approved))

    def _may_go(self, live: LiveRecord) -> bool:
        return self.delete or live.name in self.needed

    def _awaited(self, live: LiveRecord) -> bool:
        """Whether what is to take its place cannot be made yet: until then it keeps the name up."""
        kinds = self.stuck[live.name]
        return any(live.type == kind or excludes(live.type, kind) for kind in kinds)

    def _contested(self, wish: Wish, mine: LiveRecord | None, blockers: tuple[LiveRecord, ...]) -> None:
        answer = self.verdict(wish, mine)
        if answer is Answer.ADOPT:
            self._take(blockers)
            why = _differences(blockers[0], wish.record, self.world.owner)
            self._add("updates", Update(wish.row, wish.record, blockers[0], why, approved=True))
            if mine:
                self._add("orphans", mine)
            if mine and self._may_go(mine):
                self._add("deletes", Delete(None, mine, "another one was adopted", approved=True))
        elif answer is Answer.REPLACE:
            self._take(blockers)
            for blocker in blockers:
                self._add("deletes", Delete(None, blocker, "replaced as you asked", approved=True))
            self._write(wish, mine, approved=True)
        else:
            self.stuck[wish.record.name].append(wish.record.type)
            self._add("conflicts", Conflict(wish.row, wish.record, blockers))

    def _take(self, records: Iterable[LiveRecord]) -> None:
        self.world.taken.update(r.id for r in records)

    def leftovers(self, live: Sequence[LiveRecord]) -> None:
        """Records that no row accounts for."""
        for record in live:
            if record.id in self.world.taken:
                continue
            if not self.world.is_ours(record):
                self._add("foreign", record)
                continue
            self._add("orphans", record)
            if self._may_go(record) and not self._awaited(record):
                self._add("deletes", Delete(None, record, "carries our mark, but nothing uses it"))

    def _add(self, part: str, item: object) -> None:
        self.parts[part].append(item)

    def plan(self, ours: int) -> Plan:
        """The finished plan, given how many records are ours."""
        return Plan(**{name: tuple(items) for name, items in self.parts.items()}, ours=ours)  # type: ignore[arg-type]


def _differences(live: LiveRecord, record: Record, owner: str) -> tuple[str, ...]:
    """Which fields must change; empty when nothing must."""
    pairs = {
        "name": (live.name, record.name),
        "type": (live.type, str(record.type)),
        "content": (normal_content(live.type, live.content), record.content),
        "proxied": (live.proxied, record.proxied),
        "ttl": (record.ttl if live.proxied and record.proxied else live.ttl, record.ttl),
        "mark": (live.mark, owner),
    }
    return tuple(name for name, (is_now, should_be) in pairs.items() if is_now != should_be)
