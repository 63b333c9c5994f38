"""The in-memory provider with a guard: before each single write it asks whether the rules allow it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from webapp.dns.changes import Change
from webapp.dns.providers.base import Finding, Outcome, one_by_one
from webapp.dns.providers.memory import Account, Memory
from webapp.dns.records import LiveRecord, Record, RecordType, Usage, Zone, excludes, normal_content
from webapp.errors import Denied, Outage

Facts = tuple[str, str, str]
Entry = tuple[str, str, str]
"""What is done, the record's name, and its type."""

SERVING = frozenset(RecordType)


class Crash(BaseException):
    """The process dies here."""


def said(record: LiveRecord | Record) -> Facts:
    """Name, type and content in normal form."""
    return record.name, str(record.type), normal_content(record.type, record.content)


@dataclass
class Guard:
    """What is known of the world without asking the panel, and the trouble to come.

    `known`: what a record said when an installation wrote it, and when it last knew it for its own. `granted`:
    records that an answer of a person gives away, as they were, by name and type. `needed`: names that have to stay
    up during this step, with the types that are wanted for each. `kept`: records that a policy protects in it.
    `done`: what was written in it. `trouble` happens at the call that `countdown` gets to; then it has `struck`.
    `taken`: records that were seen in other hands in it.
    """

    accounts: list[Account]
    known: dict[tuple[str, str], tuple[Facts, ...]] = field(default_factory=dict)
    granted: dict[tuple[str, str, str], list[LiveRecord]] = field(default_factory=dict)
    needed: dict[str, set[str]] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    done: Counter[Entry] = field(default_factory=Counter)
    unread: set[tuple[str, str]] = field(default_factory=set)
    taken: set[tuple[str, str]] = field(default_factory=set)
    trouble: str = ""
    countdown: int = 0
    struck: bool = False

    def begins(self, needed: dict[str, set[str]], kept: set[str]) -> None:
        """A round starts. What the last one saw in other hands is nobody's own any more, if it came to an end."""
        for place in self.taken if not self.struck else ():
            self.known.pop(place, None)
        self.taken.clear()
        self.needed, self.kept, self.done, self.struck = needed, kept, Counter(), False

    def serving(self, name: str) -> list[LiveRecord]:
        """Records by which a name leads somewhere, in any zone."""
        zones = [zone for account in self.accounts for zone in account.records.values()]
        return [r for zone in zones for r in zone.values() if r.name == name and r.type in SERVING]

    def may_touch(self, owner: str, live: LiveRecord) -> None:
        """Rule 1: ours by the mark, or unmarked as we wrote it, or given to us by an answer."""
        if live.mark == owner and not live.read_only:
            return
        given = [replace(record, note=live.note) for record in self._given(owner)]
        assert self._is_written_by(owner, live) or live in given, f"{owner} may not touch {live}"

    def _is_written_by(self, owner: str, live: LiveRecord) -> bool:
        """Whether it has lost its mark, and nothing else."""
        return live.mark is None and said(live) in self.known.get((owner, live.id), ())

    def _given(self, owner: str) -> list[LiveRecord]:
        """What answers give to this installation, for names that it still wants."""
        places = [place for place in self.granted if place[0] == owner and place[1] in self.needed]
        return [record for place in places for record in self.granted[place]]

    def may_delete(self, owner: str, live: LiveRecord) -> None:
        """Who asked for nothing to be deleted loses nothing, except what has to make room."""
        self.may_touch(owner, live)
        assert live.id not in self.kept, f"{owner} deletes {live} against its policy"

    def may_place(self, owner: str, zone: Zone, record: Record, there: LiveRecord | None) -> None:
        """What is not in its place yet gets there only where nothing of others stands in its way."""
        if there and (there.name, there.type) == (record.name, record.type):
            return
        for live in self.records(zone.id):
            blocks = live.type == record.type or excludes(live.type, record.type)
            if live is not there and live.name == record.name and blocks:
                ours = live.mark == owner or self._is_written_by(owner, live)
                assert ours, f"{owner} writes {record} beside {live}"

    def records(self, zone_id: str) -> list[LiveRecord]:
        """All records of a zone."""
        return [r for account in self.accounts for r in account.records.get(zone_id, {}).values()]

    def may_write(self, owner: str, zone: Zone) -> None:
        """Rule 2: nothing is changed in a zone that could not be read."""
        assert (owner, zone.id) not in self.unread, f"{owner} writes in {zone.name}, which it could not read"

    def stays_up(self, owner: str, name: str, gone: LiveRecord) -> None:
        """Rule 7: a name that is needed is up, unless what it gets instead cannot stand beside what it had."""
        if name in self.needed and not self.serving(name):
            makes_room = any(excludes(gone.type, kind) for kind in self.needed[name])
            replaced = gone in [replace(record, note=gone.note) for record in self._given(owner)]
            assert makes_room or replaced, f"{name} is down"

    def listed(self, owner: str, zone: Zone, live: Sequence[LiveRecord]) -> None:
        """A record with our mark is ours as it is now; one with the mark of others is not ours any more."""
        self.unread.discard((owner, zone.id))
        for record in live:
            if record.mark == owner:
                wrote = self.known.get((owner, record.id), ())[:1]
                self.holds(owner, record, *wrote)
            elif record.mark is not None:
                self.taken.add((owner, record.id))

    def holds(self, owner: str, record: LiveRecord, *wrote: Facts) -> None:
        """It is the installation's own, as it is now, and as the installation wrote it."""
        self.known[owner, record.id] = (*wrote, said(record))
        self.taken.discard((owner, record.id))

    def strikes(self, when: str) -> None:
        """The trouble that is due before or after a call."""
        kind, _, moment = self.trouble.partition(" ")
        if moment != when:
            return
        self.countdown -= 1
        if self.countdown == 0:
            self.trouble, self.struck = "", True
            raise {"outage": Outage("Gone."), "denied": Denied("No."), "crash": Crash()}[kind]


class Guarded:
    """See Provider."""

    def __init__(self, guard: Guard, *, owner: str, **options: Any) -> None:
        self._guard, self._owner, self._inner = guard, owner, Memory(owner=owner, **options)

    def list_zones(self) -> list[Zone]:
        return self._call("list_zones")

    def list_records(self, zone: Zone) -> list[LiveRecord]:
        self._guard.unread.add((self._owner, zone.id))
        live: list[LiveRecord] = self._call("list_records", zone)
        self._guard.listed(self._owner, zone, live)
        return live

    def usage(self, zone: Zone) -> Usage | None:
        return self._call("usage", zone)

    def ensure_record(self, zone: Zone, record: Record, known: LiveRecord | None) -> LiveRecord:
        self._guard.may_write(self._owner, zone)
        there = self._inner._of(zone).get(known.id) if known else None
        if there:
            self._guard.may_touch(self._owner, there)
        self._guard.may_place(self._owner, zone, record, there)
        live: LiveRecord = self._call("ensure_record", zone, record, known)
        return live

    def delete_record(self, zone: Zone, live: LiveRecord) -> None:
        self._guard.may_write(self._owner, zone)
        if there := self._inner._of(zone).get(live.id):
            self._guard.may_delete(self._owner, there)
        self._call("delete_record", zone, live)

    def apply(self, zone: Zone, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        return one_by_one(self, zone, changes)

    def probe(self, zone: Zone | None) -> list[Finding]:
        return self._inner.probe(zone)

    def _call(self, name: str, *args: Any) -> Any:
        """One call: trouble before it, the call, what it did to the records, trouble after it."""
        guard = self._guard
        guard.strikes("before")
        before = dict(self._inner._of(args[0])) if args else {}
        result = getattr(self._inner, name)(*args)
        after = self._inner._of(args[0]) if args else {}
        for live in (r for id, r in after.items() if r is not before.get(id)):
            guard.holds(self._owner, live)
            guard.done["make", live.name, str(live.type)] += 1
        for live in (r for id, r in before.items() if id not in after):
            guard.done["delete", live.name, str(live.type)] += 1
        for live in (r for id, r in before.items() if after.get(id) is not r and r.type in SERVING):
            guard.stays_up(self._owner, live.name, live)
        guard.strikes("after")
        return result
