"""A provider that keeps its zones in memory: for tests, and for trying the panel without an account."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from webapp.dns.changes import Change
from webapp.dns.providers.base import Budget, Finding, Outcome, one_by_one
from webapp.dns.records import LiveRecord, Record, Usage, Zone, excludes
from webapp.errors import Denied, Outage, Rejected


@dataclass
class Account:
    """What one token sees. `broken` makes every call an outage; `writes` counts accepted changes."""

    zones: dict[str, Zone] = field(default_factory=dict)
    records: dict[str, dict[str, LiveRecord]] = field(default_factory=dict)
    quota: int | None = None
    broken: bool = False
    read_only: bool = False
    writes: int = 0
    ids: Iterator[int] = field(default_factory=lambda: count(1))

    def add_zone(self, name: str) -> Zone:
        """A new, empty zone."""
        zone = self.zones[name] = Zone(f"zone-{len(self.zones) + 1}", name, may_edit=not self.read_only)
        self.records[zone.id] = {}
        return zone

    def put_by_hand(self, zone: Zone, name: str, kind: str, content: str, **fields: object) -> LiveRecord:
        """A record as somebody else would make it."""
        record = LiveRecord(f"r{next(self.ids)}", name, kind, content, **fields)  # type: ignore[arg-type]
        self.records[zone.id][record.id] = record
        return record

    def edit_by_hand(self, zone: Zone, record_id: str, **fields: object) -> LiveRecord:
        """Change a record behind the panel's back."""
        found = self.records[zone.id][record_id]
        self.records[zone.id][record_id] = replace(found, **fields)  # type: ignore[arg-type]
        return self.records[zone.id][record_id]


ACCOUNTS: dict[str, Account] = {}
"""Accounts by token; tests and the sandbox put theirs here."""


class Memory:
    """The provider's view of one account."""

    def __init__(
        self, *, credentials: Mapping[str, str], owner: str, api_url: str = "", budget: Budget | None = None
    ) -> None:
        self._token, self._owner = credentials.get("token", ""), owner

    def list_zones(self) -> list[Zone]:
        """See Provider."""
        return list(self._account().zones.values())

    def list_records(self, zone: Zone) -> list[LiveRecord]:
        """See Provider."""
        return list(self._of(zone).values())

    def usage(self, zone: Zone) -> Usage | None:
        """See Provider."""
        return Usage(len(self._of(zone)), self._account().quota)

    def ensure_record(self, zone: Zone, record: Record, known: LiveRecord | None) -> LiveRecord:
        """See Provider."""
        account, records = self._writable(), self._of(zone)
        current = records.get(known.id) if known else self._existing(records, record)
        self._check(records, record, current, apex=record.name == zone.name)
        made = LiveRecord(
            id=current.id if current else f"r{next(account.ids)}",
            name=record.name,
            type=record.type,
            content=record.content,
            ttl=record.ttl,
            proxied=record.proxied,
            mark=self._owner,
            note=current.note if current else "",
        )
        records[made.id] = made
        account.writes += 1
        return made

    def delete_record(self, zone: Zone, live: LiveRecord) -> None:
        """See Provider."""
        account = self._writable()
        if self._of(zone).pop(live.id, None):
            account.writes += 1

    def apply(self, zone: Zone, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        """See Provider."""
        return one_by_one(self, zone, changes)

    def probe(self, zone: Zone | None) -> list[Finding]:
        """See Provider."""
        try:
            account = self._account()
        except (Outage, Denied) as error:
            return [Finding("Token", False, error.message)]
        visible = zone is not None and zone.name in account.zones
        return [
            Finding("Token", True, "The token is valid."),
            Finding("Zone", visible, f"{len(account.zones)} zones are visible."),
            Finding("Read records", visible or None, "Records can be read."),
            Finding("Write records", not account.read_only, "Records can be written."),
        ]

    def _existing(self, records: dict[str, LiveRecord], record: Record) -> LiveRecord | None:
        return next((r for r in records.values() if r.mark == self._owner and r.is_like(record)), None)

    def _check(
        self, records: dict[str, LiveRecord], record: Record, current: LiveRecord | None, *, apex: bool
    ) -> None:
        others = [r for r in records.values() if r.name == record.name and r is not current]
        if any(excludes(r.type, record.type, apex=apex) for r in others):
            raise Rejected("Another record of that name is in the way.")
        if any((r.type, r.content) == (record.type, record.content) for r in others):
            raise Rejected("An identical record already exists.")
        quota = self._account().quota
        if current is None and quota is not None and len(records) >= quota:
            raise Rejected("The zone's record quota is used up.")

    def _account(self) -> Account:
        account = ACCOUNTS.get(self._token)
        if account is None:
            raise Denied("The token is not valid.")
        if account.broken:
            raise Outage("The provider does not answer.")
        return account

    def _writable(self) -> Account:
        account = self._account()
        if account.read_only:
            raise Denied("The token may not change records.")
        return account

    def _of(self, zone: Zone) -> dict[str, LiveRecord]:
        records = self._account().records.get(zone.id)
        if records is None:
            raise Denied(f"The token cannot see the zone {zone.name}.")
        return records
