"""Plans what must change so that the live records are the wanted ones. Pure: no clock, no log, no errors."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from webapp.dns.changes import Answer, Conflict, Create, Delete, Keep, Plan, Update, Wish
from webapp.dns.records import LiveRecord, Record, excludes, normal_content


@dataclass
class _World:
    """The live records, indexed, with what has been claimed of them so far."""

    owner: str
    by_id: dict[str, LiveRecord]
    by_name: dict[str, list[LiveRecord]]
    taken: set[str] = field(default_factory=set)

    def mine(self, wish: Wish) -> LiveRecord | None:
        """The live record that is proven to be this row's: by mark, or by row id and unchanged content."""
        known = self.by_id.get(wish.live_id or "")
        if known and known.id not in self.taken and self._proven(wish, known):
            return known
        return next((r for r in self.by_name[wish.record.name] if self._marked_for(wish, r)), None)

    def _proven(self, wish: Wish, live: LiveRecord) -> bool:
        if live.read_only:
            return False
        if live.mark is not None:
            return live.mark == self.owner
        written = wish.written
        return written is not None and (live.name, live.type, normal_content(live.type, live.content)) == (
            written.name,
            written.type,
            written.content,
        )

    def _marked_for(self, wish: Wish, live: LiveRecord) -> bool:
        return (
            live.type == wish.record.type
            and live.mark == self.owner
            and live.id not in self.taken
            and not live.read_only
        )

    def in_the_way(self, record: Record) -> tuple[LiveRecord, ...]:
        """Foreign records that cannot stand beside the wanted one."""
        return tuple(
            r
            for r in self.by_name[record.name]
            if r.id not in self.taken
            and (r.mark != self.owner or r.read_only)
            and (r.type == record.type or excludes(r.type, record.type))
        )


def plan(wishes: Iterable[Wish], live: Sequence[LiveRecord], owner: str, *, delete: bool = True) -> Plan:
    """What to do, row by row and then for what no row knows.

    ======== ================================ =================================
    wish     live                             outcome
    ======== ================================ =================================
    wanted   ours, as wanted                  keep
    wanted   ours, differs or mark lost       update
    wanted   nothing in the way               create
    wanted   foreign in the way               conflict; adopted: update;
                                              replaced: delete and create
    unwanted ours                             delete (held: nothing yet)
    unwanted nothing, or not provably ours    gone
    none     our mark                         orphan: delete
    none     another mark or none             foreign: never touched
    ======== ================================ =================================

    With ``delete=False`` only what makes room for a wanted record of the same name is deleted.
    """
    ordered = sorted(wishes, key=lambda w: w.row)
    world = _World(owner, {r.id: r for r in live}, defaultdict(list))
    for record in live:
        world.by_name[record.name].append(record)
    matched = _match(world, ordered)
    needed = {w.record.name for w in ordered if w.wanted}
    builder = _Builder(world, delete, needed)
    for wish in ordered:
        builder.decide(wish, matched.get(wish.row))
    builder.leftovers(live)
    return builder.plan()


def _match(world: _World, wishes: Sequence[Wish]) -> dict[int, LiveRecord]:
    """Rows that know their record come first, so that no other row takes it for its own."""
    matched: dict[int, LiveRecord] = {}
    for wish in sorted(wishes, key=lambda w: (w.live_id not in world.by_id, not w.wanted, w.row)):
        if found := world.mine(wish):
            matched[wish.row] = found
            world.taken.add(found.id)
    return matched


class _Builder:
    """Collects the outcome of each wish."""

    def __init__(self, world: _World, delete: bool, needed: set[str]) -> None:
        self.world, self.delete, self.needed = world, delete, needed
        self.parts: dict[str, list[object]] = defaultdict(list)

    def decide(self, wish: Wish, mine: LiveRecord | None) -> None:
        """One row of the truth table."""
        if not wish.wanted:
            self._unwanted(wish, mine)
        elif mine and mine.name != wish.record.name and self.world.in_the_way(wish.record):
            self._contested(wish, self.world.in_the_way(wish.record))
        elif mine and (why := _differences(mine, wish.record, self.world.owner)):
            self._add("updates", Update(wish.row, wish.record, mine, why, wish.approved))
        elif mine:
            self._add("kept", Keep(wish.row, mine))
        elif blockers := self.world.in_the_way(wish.record):
            self._contested(wish, blockers)
        else:
            self._add("creates", Create(wish.row, wish.record, wish.approved))

    def _unwanted(self, wish: Wish, mine: LiveRecord | None) -> None:
        may_go = mine and (self.delete or mine.name in self.needed)
        if mine is None or not may_go:
            self._add("gone", wish.row)
        if mine and may_go and not wish.held:
            self._add("deletes", Delete(wish.row, mine, "no longer wanted", wish.approved))
        if mine and not may_go:
            self._add("orphans", mine)

    def _contested(self, wish: Wish, blockers: tuple[LiveRecord, ...]) -> None:
        conflict = Conflict(wish.row, wish.record, blockers)
        answer = wish.answer if wish.answered == conflict.fingerprint else None
        answerable = not any(r.read_only for r in blockers)
        if answer is Answer.ADOPT and answerable and len(blockers) == 1:
            self._take(blockers)
            why = _differences(blockers[0], wish.record, self.world.owner)
            self._add("updates", Update(wish.row, wish.record, blockers[0], why, approved=True))
        elif answer is Answer.REPLACE and answerable:
            self._take(blockers)
            for blocker in blockers:
                self._add("deletes", Delete(None, blocker, "replaced as you asked", approved=True))
            self._add("creates", Create(wish.row, wish.record, approved=True))
        else:
            self._add("conflicts", conflict)

    def _take(self, records: Iterable[LiveRecord]) -> None:
        self.world.taken.update(r.id for r in records)

    def leftovers(self, live: Sequence[LiveRecord]) -> None:
        """Records that no row accounts for."""
        for record in live:
            if record.id in self.world.taken:
                continue
            if record.mark != self.world.owner or record.read_only:
                self._add("foreign", record)
                continue
            self._add("orphans", record)
            if self.delete:
                self._add("deletes", Delete(None, record, "carries our mark, but nothing uses it"))

    def _add(self, part: str, item: object) -> None:
        self.parts[part].append(item)

    def plan(self) -> Plan:
        """The finished plan."""
        ours = sum(r.mark == self.world.owner for r in self.world.by_id.values())
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
