"""Changes of mode, provider, zone, target or defaults: first what would happen, then the wishes for it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import vault
from webapp.db import transaction, wake_worker_on_commit
from webapp.dns import ledger
from webapp.dns.claims import drop, outside
from webapp.dns.desired import Defaults, Mode, Overrides, Policy
from webapp.dns.models import Connection, DnsRecord, DnsSettings, Status
from webapp.dns.records import RecordType, Target, Zone
from webapp.errors import InvalidInput, Stale


@dataclass(frozen=True)
class Wanted:
    """The DNS settings as somebody wants them. `credentials` is None to keep the saved ones."""

    mode: Mode
    policy: Policy
    base_domain: str
    target: Target
    ttl: int
    proxied: bool
    provider: str = "cloudflare"
    zone: Zone | None = None
    credentials: Mapping[str, str] | None = field(default=None, repr=False)

    @property
    def defaults(self) -> Defaults:
        """What every record is going to get."""
        return Defaults(self.target, self.ttl, self.proxied)


@dataclass(frozen=True)
class Preview:
    """What saving would do to records: counts, from which zone to which, and the names left without one."""

    creates: int = 0
    updates: int = 0
    deletes: int = 0
    old_zone: str | None = None
    new_zone: str | None = None
    outside: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether it has to be confirmed first."""
        return bool(self.creates or self.updates or self.deletes or self.outside)


@dataclass(frozen=True)
class _Claim:
    name: str
    overrides: Overrides
    sample: DnsRecord


@dataclass
class _Moves:
    """The rows that a change touches."""

    drops: list[DnsRecord] = field(default_factory=list)
    changes: list[DnsRecord] = field(default_factory=list)
    adds: list[tuple[_Claim, RecordType]] = field(default_factory=list)
    outside: list[_Claim] = field(default_factory=list)


def preview(wanted: Wanted) -> Preview:
    """What `commit` would do, without doing it."""
    with transaction() as session:
        settings = ledger.settings(session)
        old = ledger.active_connection(session)
        new = _connection(session, wanted)
        moves = _moves(session, settings.defaults, wanted, new)
        managed = wanted.mode is Mode.MANAGED
        return Preview(
            creates=len(moves.adds) if managed else 0,
            updates=len(moves.changes) if managed else 0,
            deletes=sum(row.connection_id is not None for row in moves.drops),
            old_zone=old.zone_name if old else None,
            new_zone=wanted.zone.name if managed and wanted.zone else None,
            outside=tuple(claim.name for claim in moves.outside),
        )


def commit(wanted: Wanted, *, version: int, at: datetime) -> None:
    """Save the settings and write the wishes, for the old zone too, in one transaction.

    Raises Stale when the settings changed since `version`, InvalidInput when the wish cannot be carried out.
    """
    with transaction() as session:
        settings = ledger.settings(session)
        if settings.version != version:
            raise Stale(
                "The settings were changed in the meantime. Reload the page and enter your changes again."
            )
        new = _make_connection(session, wanted, _connection(session, wanted))
        moves = _moves(session, settings.defaults, wanted, new)
        _save(settings, wanted)
        _carry_out(session, moves, new, at)
        wake_worker_on_commit()


def _connection(session: Session, wanted: Wanted) -> Connection | None:
    """The connection that is there already for the wanted zone, active or retiring."""
    if wanted.mode is Mode.WILDCARD or wanted.zone is None:
        return None
    query = select(Connection).where(
        Connection.provider == wanted.provider, Connection.zone_id == wanted.zone.id
    )
    return session.scalar(query)


def _make_connection(session: Session, wanted: Wanted, found: Connection | None) -> Connection | None:
    """Make the wanted connection the active one; all others retire."""
    old = ledger.active_connection(session)
    for other in ledger.connections(session):
        other.active = False
        other.review_state = other.review = other.approved_hash = None
    if wanted.mode is Mode.WILDCARD:
        session.flush()
        return None
    zone = _required(wanted)
    new = found or Connection(provider=wanted.provider, zone_id=zone.id, zone_name=zone.name, zones=[])
    if wanted.credentials is not None:
        new.credentials_sealed = vault.seal(json.dumps(dict(wanted.credentials)))
    elif found is None and old is not None and old.provider == wanted.provider:
        new.credentials_sealed = old.credentials_sealed
    elif found is None:
        raise InvalidInput("Enter the API token for this provider.", "token")
    new.active, new.zone_plan = True, zone.plan or new.zone_plan or ""
    new.blocked, new.error, new.attempts, new.next_try_at = False, None, 0, None
    session.add(new)
    session.flush()
    return new


def _required(wanted: Wanted) -> Zone:
    if wanted.zone is None:
        raise InvalidInput("Choose the zone that the records belong in.", "zone")
    if not wanted.target.contents():
        raise InvalidInput("Enter the server's address first: records need something to point at.", "ipv4")
    return wanted.zone


def _moves(session: Session, old: Defaults, wanted: Wanted, new: Connection | None) -> _Moves:
    """Compare each claim with how it would be under the wanted settings."""
    moves = _Moves()
    managed = wanted.mode is Mode.MANAGED
    zone = new or _planned(wanted)
    for claim, rows in _claims(ledger.wanted(session)):
        lost = managed and zone is not None and outside(zone, claim.name) is not None
        home = new.id if new is not None and not lost else None
        fresh = managed and new is None and not lost
        keep = {} if fresh else {r.type: r for r in rows if r.connection_id == home}
        types = (RecordType.A,) if lost else wanted.defaults.types
        moves.drops += [r for r in rows if keep.get(r.type) is not r or r.type not in types]
        moves.adds += [(claim, kind) for kind in types if kind not in keep and not lost]
        moves.changes += [r for kind, r in keep.items() if kind in types and _differs(r, claim, old, wanted)]
        if lost:
            moves.outside.append(claim)
    return moves


def _planned(wanted: Wanted) -> Connection | None:
    """The connection as it would be, to ask it which names it can hold; never added to the session."""
    if wanted.mode is Mode.WILDCARD or wanted.zone is None:
        return None
    return Connection(zone_id=wanted.zone.id, zone_name=wanted.zone.name, zones=[])


def _claims(rows: Iterable[DnsRecord]) -> Iterable[tuple[_Claim, list[DnsRecord]]]:
    grouped: dict[str, list[DnsRecord]] = {}
    for row in rows:
        grouped.setdefault(row.fqdn, []).append(row)
    for name, group in grouped.items():
        yield _Claim(name, group[0].overrides, group[0]), group


def _differs(row: DnsRecord, claim: _Claim, old: Defaults, wanted: Wanted) -> bool:
    before = old.record(claim.name, row.type, claim.overrides)
    return row.connection_id is not None and before != wanted.defaults.record(
        claim.name, row.type, claim.overrides
    )


def _save(settings: DnsSettings, wanted: Wanted) -> None:
    settings.mode, settings.policy, settings.base_domain = wanted.mode, wanted.policy, wanted.base_domain
    settings.ipv4, settings.ipv6, settings.cname = wanted.target.ipv4, wanted.target.ipv6, wanted.target.cname
    settings.ttl, settings.proxied = wanted.ttl, wanted.proxied
    settings.version += 1
    settings.wildcard_checked_at = settings.wildcard_works = None
    settings.wildcard_message = ""


def _carry_out(session: Session, moves: _Moves, new: Connection | None, at: datetime) -> None:
    for row in moves.drops:
        drop(session, row, at, approved=True)
    session.flush()
    for row in moves.changes:
        row.ask(at, approved=True)
    revived = _released(session, new)
    for claim, kind in moves.adds:
        row = revived.get((claim.name, kind)) or _copy(session, claim, kind, at)
        _take_over(row, claim, new, at)
    for claim in moves.outside:
        row = _copy(session, claim, RecordType.A, at)
        _take_over(row, claim, None, at)
        row.status, row.error = Status.FAILED, outside(new, claim.name) if new else None
    if new is not None:
        _try_failed_again(session, new, at)
    session.flush()


def _try_failed_again(session: Session, new: Connection, at: datetime) -> None:
    """What failed under the old settings may work under these."""
    for row in ledger.of_connection(session, new.id):
        if row.status is Status.FAILED:
            row.ask(at, approved=row.approved)


def _released(session: Session, new: Connection | None) -> Mapping[tuple[str, RecordType], DnsRecord]:
    """Rows of the new zone that wait for their removal: claiming them again keeps the record where it is."""
    rows: Sequence[DnsRecord] = ledger.of_connection(session, new.id) if new else ()
    return {(row.fqdn, row.type): row for row in rows if not row.wanted}


def _copy(session: Session, claim: _Claim, kind: RecordType, at: datetime) -> DnsRecord:
    row = DnsRecord(fqdn=claim.name, type=kind, created_at=at)
    session.add(row)
    return row


def _take_over(row: DnsRecord, claim: _Claim, new: Connection | None, at: datetime) -> None:
    row.wanted, row.connection = True, new
    row.consumer_type, row.consumer_id = claim.sample.consumer_type, claim.sample.consumer_id
    row.override_proxied, row.override_ttl = claim.overrides.proxied, claim.overrides.ttl
    if new is None:
        row.cover(at)
    else:
        row.ask(at, approved=True)
