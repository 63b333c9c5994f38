"""Plans what must change so that the live records are the wanted ones. Pure: no clock, no log, no errors."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from webapp.dns.changes import Answer, Conflict, Create, Delete, Keep, Plan, Update, Wish
from webapp.dns.ownership import World, match
from webapp.dns.records import LiveRecord, Record, RecordType, excludes, normal_content

TURNS = {Answer.ADOPT: 0, Answer.REPLACE: 1, None: 2}
"""Answers that make room for other rows have their turn first."""


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
    world = World(owner, apex, {r.id: r for r in records}, defaultdict(list))
    for record in records:
        world.by_name[record.name].append(record)
    matched = match(world, ordered)
    builder = _Builder(world, delete, {w.record.name for w in ordered if w.wanted})
    blockers = {w.row: world.in_the_way(w.record, matched.get(w.row)) for w in ordered if w.wanted}
    answers = {
        w.row: _verdict(w, blockers[w.row])
        for w in ordered
        if w.wanted and w.answer in (Answer.ADOPT, Answer.REPLACE)
    }
    for wish in sorted(ordered, key=lambda w: TURNS[answers.get(w.row)]):
        builder.decide(wish, matched.get(wish.row), blockers.get(wish.row, ()), answers.get(wish.row))
    builder.leftovers(records)
    ours = {r.id for r in records if world.is_ours(r)} | {r.id for r in matched.values()}
    return builder.plan(len(ours))


def _verdict(wish: Wish, blockers: tuple[LiveRecord, ...]) -> Answer | None:
    """The operator's answer to the conflict, if it still counts and can be carried out."""
    if wish.answered != Conflict(wish.row, wish.record, blockers).fingerprint:
        return None
    unfit = wish.answer is Answer.ADOPT and [str(r.type) for r in blockers] != [str(wish.record.type)]
    return None if unfit or any(r.read_only for r in blockers) else wish.answer


class _Builder:
    """Collects the outcome of each wish."""

    def __init__(self, world: World, delete: bool, needed: set[str]) -> None:
        self.world, self.delete, self.needed = world, delete, needed
        self.stuck: dict[str, list[RecordType]] = defaultdict(list)
        self.parts: dict[str, list[object]] = defaultdict(list)

    def decide(
        self, wish: Wish, mine: LiveRecord | None, seen: tuple[LiveRecord, ...], answer: Answer | None
    ) -> None:
        """One row of the truth table; of what was `seen` in its way, other answers may have removed some."""
        blockers = tuple(r for r in seen if r.id not in self.world.taken)
        if not wish.wanted:
            self._unwanted(wish, mine)
        elif not blockers:
            self._write(wish, mine, approved=wish.approved)
        elif answer is None:
            self.stuck[wish.record.name].append(wish.record.type)
            self._add("conflicts", Conflict(wish.row, wish.record, blockers))
        else:
            self._taken(wish, mine, blockers, answer)

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

    def _taken(
        self, wish: Wish, mine: LiveRecord | None, blockers: tuple[LiveRecord, ...], answer: Answer
    ) -> None:
        self.world.taken.update(r.id for r in blockers)
        if answer is Answer.REPLACE:
            for blocker in blockers:
                self._add("deletes", Delete(None, blocker, "replaced as you asked", approved=True))
            self._write(wish, mine, approved=True)
            return
        why = _differences(blockers[0], wish.record, self.world.owner)
        self._add("updates", Update(wish.row, wish.record, blockers[0], why, approved=True))
        if mine:
            self._add("orphans", mine)
        if mine and self._may_go(mine):
            self._add("deletes", Delete(None, mine, "another one was adopted", approved=True))

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
