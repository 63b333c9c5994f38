"""Changes of mode, provider, zone, target or defaults: first what would happen, then the wishes for it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import vault
from webapp.db import transaction, wake_worker_on_commit
from webapp.dns import ledger, moves
from webapp.dns.claims import drop
from webapp.dns.connections import Connection
from webapp.dns.desired import Mode
from webapp.dns.models import DnsRecord, DnsSettings, Status
from webapp.dns.moves import Claim, Moves, Wanted
from webapp.dns.records import RecordType, Zone
from webapp.errors import InvalidInput, Stale

__all__ = ["Preview", "Wanted", "commit", "preview"]


SETTINGS = "the settings changed"


@dataclass(frozen=True)
class Preview:
    """What saving would do to records: counts, from which zone to which, and the names left without one.

    `gap`: some names lose their record a moment before they get another, because one name cannot have both.
    """

    creates: int = 0
    updates: int = 0
    deletes: int = 0
    old_zone: str | None = None
    new_zone: str | None = None
    outside: tuple[str, ...] = ()
    gap: bool = False

    @property
    def asks(self) -> bool:
        """Whether it has to be confirmed first."""
        return bool(self.creates or self.updates or self.deletes or self.outside)


def preview(wanted: Wanted) -> Preview:
    """What `commit` would do, without doing it. Raises InvalidInput when the wish cannot be carried out."""
    with transaction() as session:
        settings = ledger.settings(session)
        old, new = ledger.active_connection(session), _home(session, wanted)
        found = moves.compare(ledger.wanted(session), settings.defaults, wanted.defaults, new)
        creates, updates = (0, 0)
        if new is not None:
            revived = _released(session, new) if new.id else {}
            creates, updates = moves.made(found, revived, wanted.defaults)
        return Preview(
            creates=creates,
            updates=updates,
            deletes=moves.removed(found),
            old_zone=old.zone_name if old else None,
            new_zone=new.zone_name if new else None,
            outside=tuple(found.newly_outside),
            gap=moves.has_gap(found, new),
        )


def commit(wanted: Wanted, *, version: int, at: datetime, why: str = SETTINGS) -> None:
    """Save the settings and write the wishes, for the old zone too, in one transaction; the history says `why`.

    Raises Stale when the settings changed since `version`, InvalidInput when the wish cannot be carried out.
    """
    with transaction() as session:
        settings = ledger.settings(session)
        if settings.version != version:
            raise Stale(
                "The settings were changed in the meantime. Reload the page and enter your changes again."
            )
        new = _home(session, wanted)
        _activate(session, new, wanted, at)
        found = moves.compare(ledger.wanted(session), settings.defaults, wanted.defaults, new)
        _save(settings, wanted)
        _carry_out(session, found, new, at, why)
        wake_worker_on_commit()


def _home(session: Session, wanted: Wanted) -> Connection | None:
    """The wanted zone's connection: the one that is there, active or retiring, or a new one, not added yet.

    None for the wildcard.
    """
    if wanted.mode is Mode.WILDCARD:
        return None
    zone = _usable_zone(session, wanted)
    _credentials(session, wanted)
    query = select(Connection).where(Connection.provider == wanted.provider, Connection.zone_id == zone.id)
    if found := session.scalar(query):
        return found
    saved = ledger.saved_connection(session, wanted.provider)
    visible = saved.zones if saved is not None and wanted.credentials is None else []
    return Connection(
        provider=wanted.provider, zone_id=zone.id, zone_name=zone.name, zone_plan="", zones=list(visible)
    )


def _credentials(session: Session, wanted: Wanted) -> str:
    """Those that were entered, else the saved ones; sealed."""
    if wanted.credentials is not None:
        return vault.seal(json.dumps(dict(wanted.credentials)))
    saved = ledger.saved_connection(session, wanted.provider)
    if saved is None:
        raise InvalidInput("Enter the API token for this provider.", "token")
    return saved.credentials_sealed


def _usable_zone(session: Session, wanted: Wanted) -> Zone:
    if wanted.zone is None:
        raise InvalidInput("Choose the zone that the records belong in.", "zone")
    contents = wanted.target.contents()
    if not contents:
        raise InvalidInput("Enter the server's address first: records need something to point at.", "ipv4")
    name = contents.get(RecordType.CNAME, "")
    if any(row.wanted for row in ledger.by_fqdn(session, [name])):
        raise InvalidInput(
            f"{name} is one of the names that are kept here; it cannot point at itself.", "cname"
        )
    return wanted.zone


def _activate(session: Session, new: Connection | None, wanted: Wanted, at: datetime) -> None:
    """Make this the active connection, with the credentials that the form means; all others retire.

    Each gets a last round, which also removes what is ours there and no row knows of.
    """
    sealed = _credentials(session, wanted) if new is not None else ""
    for other in ledger.connections(session):
        if other.active and not other.blocked:
            other.next_try_at = at
        other.active = False
        other.review_state = other.review = other.approved_hash = None
    if new is not None and wanted.zone is not None:
        if wanted.credentials is not None:
            new.zones_read_at = None
        new.credentials_sealed = sealed
        new.active, new.zone_plan = True, wanted.zone.plan or new.zone_plan
        new.blocked, new.error, new.attempts, new.next_try_at = False, None, 0, None
        session.add(new)
    session.flush()


def _save(settings: DnsSettings, wanted: Wanted) -> None:
    settings.mode, settings.policy, settings.base_domain = wanted.mode, wanted.policy, wanted.base_domain
    settings.ipv4, settings.ipv6, settings.cname = wanted.target.ipv4, wanted.target.ipv6, wanted.target.cname
    settings.ttl, settings.proxied = wanted.ttl, wanted.proxied
    settings.version += 1
    settings.wildcard_checked_at = settings.wildcard_works = None
    settings.wildcard_message, settings.wildcard_exceptions = "", []


def _carry_out(session: Session, found: Moves, new: Connection | None, at: datetime, why: str) -> None:
    for row in found.drops:
        drop(session, row, at)
    session.flush()  # the same name cannot be wanted twice, not even within the transaction
    for row in found.changes:
        row.pin = None
        row.ask(at, approved=True, why=why)
    revived = _released(session, new) if new is not None else {}
    for claim, kind in found.adds:
        place = None if claim.name in found.outside else new
        known = revived.get((claim.name, kind)) if place else None
        added = known or _new_row(session, claim.name, kind, place, at)
        _take_over(added, claim)
        if place is None:
            found.rests.append(added)
        else:
            added.ask(at, approved=True, why=why)
    session.flush()
    for row in found.rests:
        if problem := found.outside.get(row.fqdn):
            row.fail(problem, None, at)
        else:
            row.cover(at)
    if new is not None:
        _try_failed_again(session, new, at)


def _new_row(
    session: Session, name: str, kind: RecordType, place: Connection | None, at: datetime
) -> DnsRecord:
    row = DnsRecord(fqdn=name, type=kind, connection=place, created_at=at, updated_at=at)
    session.add(row)
    return row


def _take_over(row: DnsRecord, claim: Claim) -> None:
    row.wanted = True
    row.consumer_type, row.consumer_id = claim.consumer.type, claim.consumer.id
    row.override_proxied, row.override_ttl, row.pin = claim.overrides.proxied, claim.overrides.ttl, None


def _try_failed_again(session: Session, new: Connection, at: datetime) -> None:
    """What failed under the old settings may work under these."""
    for row in ledger.of_connection(session, new.id):
        if row.status is Status.FAILED:
            row.ask(at, approved=row.approved)


def _released(session: Session, new: Connection) -> Mapping[tuple[str, RecordType], DnsRecord]:
    """Rows of the new zone that wait for their removal: claiming them again keeps the record where it is."""
    return {(row.fqdn, row.type): row for row in ledger.of_connection(session, new.id) if not row.wanted}
