"""The words of a plan: wishes go in; creates, updates, deletes and conflicts come out. Pure."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from webapp.dns.records import LiveRecord, Record

RECKLESS_COUNT = 3
RECKLESS_SHARE = 0.3


class Answer(StrEnum):
    """What the operator decided about a conflict."""

    ADOPT = "adopt"
    REPLACE = "replace"
    LEAVE = "leave"


@dataclass(frozen=True)
class Wish:
    """One row as the planner sees it.

    `live_id` and `written` are what we know of our record at the provider. `answer` counts only while the
    blocking records still are the ones whose fingerprint is `answered`. `approved`: the operator has seen and
    confirmed this change. `held`: its deletion has to wait for its replacement elsewhere. `version`: which of
    the row's wishes this is.
    """

    row: int
    record: Record
    wanted: bool = True
    live_id: str | None = None
    written: Record | None = None
    answer: Answer | None = None
    answered: str = ""
    approved: bool = False
    held: bool = False
    version: int = 1


@dataclass(frozen=True)
class Create:
    """A record to make."""

    row: int
    record: Record
    approved: bool = False


@dataclass(frozen=True)
class Update:
    """A record to change in place; `why` names the fields, or the lost mark."""

    row: int
    record: Record
    live: LiveRecord
    why: tuple[str, ...]
    approved: bool = False


@dataclass(frozen=True)
class Delete:
    """A record to remove; `row` is None for one that no row wants or knows."""

    row: int | None
    live: LiveRecord
    why: str
    approved: bool = False


@dataclass(frozen=True)
class Conflict:
    """A wanted record that foreign records stand in the way of; nothing is done until somebody answers."""

    row: int
    record: Record
    live: tuple[LiveRecord, ...]

    @property
    def fingerprint(self) -> str:
        """Changes whenever one of the foreign records does."""
        facts = sorted((r.id, r.type, r.content, r.ttl, r.proxied, r.mark or "") for r in self.live)
        return digest(facts)

    @property
    def blame(self) -> str:
        """Who holds the name, in one sentence."""
        other = next((live.mark for live in self.live if live.mark), None)
        if other:
            return f"Another Tiny Forge (installation {other}) keeps a record of this name."
        kinds = ", ".join(sorted({f"{live.type} {live.content}" for live in self.live}))
        return f"A record that is not ours is in the way: {kinds}"[:500]


@dataclass(frozen=True)
class Keep:
    """A record that is as wanted."""

    row: int
    live: LiveRecord


Change = Create | Update | Delete


def names_of(change: Change) -> set[str]:
    """The names that a change is about: where the record is, and where it is going to be."""
    there = set() if isinstance(change, Create) else {change.live.name}
    return there if isinstance(change, Delete) else there | {change.record.name}


@dataclass(frozen=True)
class Plan:
    """The difference between wished and live; `gone` are unwanted rows with nothing (of ours) left to delete."""

    creates: tuple[Create, ...] = ()
    updates: tuple[Update, ...] = ()
    deletes: tuple[Delete, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    kept: tuple[Keep, ...] = ()
    gone: tuple[int, ...] = ()
    orphans: tuple[LiveRecord, ...] = ()
    foreign: tuple[LiveRecord, ...] = ()
    ours: int = 0

    @property
    def changes(self) -> tuple[Change, ...]:
        """Everything to do, makes before breaks."""
        return (*self.creates, *self.updates, *self.deletes)

    @property
    def rows(self) -> set[int]:
        """Every row that the plan has an outcome for; the deletion of the others is held."""
        changes: tuple[Change, ...] = self.changes
        changed = {change.row for change in changes if change.row is not None}
        return changed | {c.row for c in self.conflicts} | {k.row for k in self.kept} | set(self.gone)

    @property
    def reckless(self) -> bool:
        """Whether it would touch more of our records than anybody has asked for (DESIGN rule 6)."""
        touched: tuple[Change, ...] = (*self.updates, *self.deletes)
        count = sum(not change.approved for change in touched)
        return count > RECKLESS_COUNT and count > RECKLESS_SHARE * self.ours

    @property
    def agreed(self) -> "Plan":
        """The part that somebody has confirmed. A name with anything else to do waits as a whole."""
        waiting = {name for change in self.changes if not change.approved for name in names_of(change)}
        return self._only(lambda change: waiting.isdisjoint(names_of(change)))

    def without(self, done: "Plan") -> "Plan":
        """What is left when that part is done."""
        gone = set(done.changes)
        return self._only(lambda change: change not in gone)

    def _only(self, fits: Callable[[Change], bool]) -> "Plan":
        return replace(
            self,
            creates=tuple(c for c in self.creates if fits(c)),
            updates=tuple(c for c in self.updates if fits(c)),
            deletes=tuple(c for c in self.deletes if fits(c)),
        )

    @property
    def hash(self) -> str:
        """Names this plan: what it would do, whatever the order, and what stands in its way."""
        return digest(sorted(digest(asdict(part)) for part in (*self.changes, *self.conflicts)))


def digest(facts: object) -> str:
    """A short stable fingerprint of plain data."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
