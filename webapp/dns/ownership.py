"""Which live records belong to which wish, and which foreign ones stand in its way. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from webapp.dns.changes import Wish
from webapp.dns.records import LiveRecord, Record, RecordType, excludes, normal_content

LEADS = frozenset(RecordType)
"""The types by which a name leads somewhere."""


@dataclass
class World:
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


def match(world: World, wishes: Sequence[Wish]) -> dict[int, LiveRecord]:
    """Give each row its record: what is wanted comes first, and what is in its place before what was moved."""
    matched: dict[int, LiveRecord] = {}
    for wanted in (True, False):
        for find in (world.at_home, world.marked, world.anywhere):
            for wish in wishes:
                if wish.wanted is wanted and wish.row not in matched and (found := find(wish)):
                    matched[wish.row] = found
                    world.taken.add(found.id)
    return matched
