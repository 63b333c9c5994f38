"""What a DNS provider can do for us, whatever its API looks like."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from webapp.dns.changes import Change, Create, Delete, Update
from webapp.dns.records import LiveRecord, Record, Usage, Zone, excludes
from webapp.errors import ProviderError, Rejected


@dataclass(frozen=True)
class Outcome:
    """What became of one change: the record as it now is (None once deleted), or the error."""

    change: Change
    live: LiveRecord | None = None
    error: Rejected | None = None


@dataclass(frozen=True)
class Finding:
    """One line of a connection test: `passed` is None where it could not be looked at."""

    name: str
    passed: bool | None
    message: str


class Budget(Protocol):
    """How many calls may still be made."""

    def spend(self) -> None:
        """Count a call that is about to be made. Raises Outage when none is left."""
        ...

    def told(self, left: int, seconds: int) -> None:
        """The API says how many calls are left until so many seconds from now."""
        ...


class Unlimited:
    """Counts nothing: for a test button, and for providers without a limit."""

    def spend(self) -> None:
        """Go ahead."""

    def told(self, left: int, seconds: int) -> None:
        """Never mind."""


class Provider(Protocol):
    """Everything the panel asks of a provider.

    Every method may raise `Outage` (waiting helps) or `Denied` (it does not). A provider knows its owner mark:
    it writes the mark with each record, and reports it in `LiveRecord.mark`. How the mark is kept is its own
    affair; so are record ids, which only have to be stable while a record is not replaced.
    """

    def list_zones(self) -> list[Zone]:
        """All zones the credentials can see."""
        ...

    def list_records(self, zone: Zone) -> list[LiveRecord]:
        """Every record of the zone, complete; anything less raises Outage."""
        ...

    def usage(self, zone: Zone) -> Usage | None:
        """Records used and allowed; None where the provider does not tell."""
        ...

    def ensure_record(self, zone: Zone, record: Record, known: LiveRecord | None) -> LiveRecord:
        """Create the record, or turn the known one into it. Repeatable. Raises Rejected too."""
        ...

    def delete_record(self, zone: Zone, live: LiveRecord) -> None:
        """Remove the record; one that is already gone is fine. Raises Rejected too."""
        ...

    def apply(self, zone: Zone, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        """Make the changes in as few calls as the API allows, and report after each.

        What belongs to one name stays together and in a safe order; makes come before breaks.
        """
        ...

    def probe(self, zone: Zone | None) -> list[Finding]:
        """Test each permission needed, without changing anything. Never raises."""
        ...


def by_name(changes: Sequence[Change]) -> list[list[Change]]:
    """The changes of each name together, in an order that keeps it up; names that lose all come last."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(name_of(change), []).append(change)
    ordered = [_make_before_break(group) for group in groups.values()]
    return sorted(ordered, key=lambda group: all(isinstance(c, Delete) for c in group))


def _make_before_break(group: Sequence[Change]) -> list[Change]:
    """Deletes that make room come first, because nothing can be made before them; all others come last."""
    made = {change.record.type for change in group if not isinstance(change, Delete)}

    def turn(change: Change) -> int:
        if not isinstance(change, Delete):
            return 1
        gone = change.live.type
        return 0 if any(gone == kind or excludes(gone, kind) for kind in made) else 2

    return sorted(group, key=turn)


def name_of(change: Change) -> str:
    """The name a change is about: where the record will be, or was."""
    return change.live.name if isinstance(change, Delete) else change.record.name


def one_by_one(provider: Provider, zone: Zone, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
    """`apply` for providers without batches."""
    for group in by_name(changes):
        yield _one_name(provider, zone, group)


def _one_name(provider: Provider, zone: Zone, group: Sequence[Change]) -> list[Outcome]:
    """Once a change is refused, nothing more of the name is deleted: that keeps it up."""
    done: list[Outcome] = []
    refused: Rejected | None = None
    for change in group:
        held = refused is not None and isinstance(change, Delete)
        done.append(Outcome(change, error=refused) if held else perform(provider, zone, change))
        refused = refused or done[-1].error
    return done


def perform(provider: Provider, zone: Zone, change: Change) -> Outcome:
    """One change by itself; a refusal is its outcome, an Outage or Denied goes on to the caller."""
    try:
        match change:
            case Create():
                return Outcome(change, provider.ensure_record(zone, change.record, None))
            case Update():
                return Outcome(change, provider.ensure_record(zone, change.record, change.live))
            case _:
                provider.delete_record(zone, change.live)
                return Outcome(change)
    except Rejected as error:
        return Outcome(change, error=error)


def finding(name: str, error: ProviderError) -> Finding:
    """A failed line of a probe."""
    return Finding(name, False, error.message)
