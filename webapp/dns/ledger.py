"""Questions to the rows: settings, connections, and claims by name, consumer or state."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from webapp.db import only_row, table
from webapp.dns.changes import Answer
from webapp.dns.claimed import ClaimRow
from webapp.dns.connections import Connection
from webapp.dns.live import Liveness
from webapp.dns.models import SETTLED, UP, ConsumerType, DnsRecord, DnsSettings, Status
from webapp.dns.names import is_within, zone_for
from webapp.errors import NotFound

NOT_LISTED = "This record is no longer in the list. Reload the page."
EVER = datetime(2000, 1, 1, tzinfo=UTC)
SOON_TRIES = 7
"""After so many looks in vain, some two minutes, a name is not expected to come up in a moment."""


@dataclass(frozen=True)
class Consumer:
    """Who claims a name: an instance or a standalone proxy."""

    type: ConsumerType
    id: int

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


def holder(kind: ConsumerType) -> str:
    """Who has a name, in words: that name is also what the holder is known by in the lists."""
    return {
        ConsumerType.STANDALONE: "the proxy of that name",
        ConsumerType.INSTANCE: "the instance that answers there",
        ConsumerType.PERSON: "a record that was put back by hand; let go of it on the DNS page first",
    }[kind]


def settings(session: Session) -> DnsSettings:
    """The one settings row; made, with a new installation id, where there is none yet."""
    return only_row(session, DnsSettings, install_id=secrets.token_hex(6))


def settings_or_none(session: Session) -> DnsSettings | None:
    """The settings row, if there is one: for looks that must not write."""
    return session.get(DnsSettings, 1)


def active_connection(session: Session) -> Connection | None:
    """The connection of the present settings; None in wildcard mode."""
    return session.scalar(select(Connection).where(Connection.active))


def connections(session: Session) -> Sequence[Connection]:
    """All connections, the active one first: its makes come before the breaks of the retiring ones."""
    return session.scalars(select(Connection).order_by(Connection.active.desc(), Connection.id)).all()


def connection(session: Session, connection_id: int) -> Connection:
    """The connection with that id. Raises NotFound, as when it was abandoned or has been cleaned up."""
    row = session.get(Connection, connection_id)
    if row is None:
        raise NotFound("This zone is not connected any more.")
    return row


def saved_connection(session: Session, provider: str) -> Connection | None:
    """Whose credentials count as the saved ones for a provider: the active connection's, else the latest."""
    query = select(Connection).where(Connection.provider == provider)
    return session.scalar(query.order_by(Connection.active.desc(), Connection.id.desc()).limit(1))


def outside(connection: Connection, name: str) -> str | None:
    """Why the zone cannot hold the name; None when it can."""
    if not is_within(name, connection.zone_name):
        return (
            f"{name} is outside the zone {connection.zone_name}. "
            f"Choose a name that ends in .{connection.zone_name}, or turn DNS off for this name."
        )
    zone = zone_for(name, {*connection.zones, connection.zone_name})
    if zone != connection.zone_name:
        return f"{name} belongs to the zone {zone}, and the panel keeps records in {connection.zone_name}."
    return None


def record(session: Session, record_id: int) -> DnsRecord:
    """The row with that id. Raises NotFound."""
    row = session.get(DnsRecord, record_id)
    if row is None:
        raise NotFound(NOT_LISTED)
    return row


def by_fqdn(session: Session, names: Iterable[str]) -> Sequence[DnsRecord]:
    """All rows of these names, released ones included."""
    return session.scalars(select(DnsRecord).where(DnsRecord.fqdn.in_(list(names)))).all()


def by_consumer(session: Session, consumer: Consumer) -> Sequence[DnsRecord]:
    """What a consumer claims."""
    return session.scalars(
        select(DnsRecord)
        .where(
            DnsRecord.consumer_type == consumer.type, DnsRecord.consumer_id == consumer.id, DnsRecord.wanted
        )
        .order_by(DnsRecord.fqdn, DnsRecord.type)
    ).all()


def statuses(session: Session, kind: ConsumerType, ids: Iterable[int]) -> dict[int, list[DnsRecord]]:
    """The rows of many consumers of one kind, by consumer, in one query."""
    found: dict[int, list[DnsRecord]] = {}
    query = select(DnsRecord).where(
        DnsRecord.consumer_type == kind, DnsRecord.consumer_id.in_(list(ids)), DnsRecord.wanted
    )
    for row in session.scalars(query):
        found.setdefault(row.consumer_id, []).append(row)
    return found


def open_statuses(session: Session, kind: ConsumerType) -> dict[int, list[Status]]:
    """The statuses of all claims of one kind of consumer by which a name is not up (yet), by consumer."""
    found: dict[int, list[Status]] = {}
    where = (DnsRecord.consumer_type == kind, DnsRecord.wanted, DnsRecord.status.not_in(UP))
    query = select(DnsRecord.consumer_id, DnsRecord.status).where(*where).order_by(DnsRecord.id)
    for consumer_id, status in session.execute(query):
        found.setdefault(consumer_id, []).append(status)
    return found


def of_connection(session: Session, connection_id: int) -> Sequence[DnsRecord]:
    """All rows whose record is, was or will be in that zone."""
    return session.scalars(
        select(DnsRecord).where(DnsRecord.connection_id == connection_id).order_by(DnsRecord.id)
    ).all()


def claims(session: Session, connection_id: int) -> list[ClaimRow]:
    """The same rows, released ones too, as bare columns: there may be thousands."""
    query = select(*_COLUMNS).where(DnsRecord.connection_id == connection_id).order_by(DnsRecord.id)
    return [ClaimRow(*row) for row in session.execute(query)]


_COLUMNS = [table(DnsRecord).c[column.name] for column in fields(ClaimRow)]


def wanted(session: Session) -> Sequence[DnsRecord]:
    """Every claim in force."""
    return session.scalars(select(DnsRecord).where(DnsRecord.wanted).order_by(DnsRecord.id)).all()


def unsettled(session: Session) -> int:
    """How many rows still wait for something to happen or to be decided; a conflict left alone is decided."""
    waiting = _open() | ~DnsRecord.wanted
    return session.scalar(select(func.count()).select_from(DnsRecord).where(waiting)) or 0


def _open() -> ColumnElement[bool]:
    """Whether a row's wish is neither true nor given up."""
    left = (DnsRecord.status == Status.CONFLICT) & (DnsRecord.answer == Answer.LEAVE)
    return DnsRecord.status.not_in(SETTLED) & ~func.coalesce(left, False)


def unsettled_names(session: Session, connection_id: int) -> set[str]:
    """Names that are wanted in another zone than this and not up there yet: their old records have to wait."""
    return set(
        session.scalars(
            select(DnsRecord.fqdn).where(
                DnsRecord.wanted,
                DnsRecord.connection_id.is_not(None),
                DnsRecord.connection_id != connection_id,
                _open(),
            )
        )
    )


def due(session: Session, connection_id: int, at: datetime) -> bool:
    """Whether any row of the connection is due for a try."""
    query = select(DnsRecord.id).where(DnsRecord.connection_id == connection_id, DnsRecord.next_try_at <= at)
    return session.scalar(query.limit(1)) is not None


def waiting(session: Session, connection_id: int) -> int:
    """How many rows of a connection are left."""
    query = select(func.count()).select_from(DnsRecord).where(DnsRecord.connection_id == connection_id)
    return session.scalar(query) or 0


def finished(session: Session) -> list[Connection]:
    """Retiring connections that have had their last round and have no row left."""
    retiring = [c for c in connections(session) if not c.active and c.next_try_at is None]
    return [c for c in retiring if not waiting(session, c.id)]


def is_pending(session: Session) -> bool:
    """Whether a row is on its way or waits for its next try, so that a page should look again soon.

    So it should while a name is about to be looked at from outside, unless that has failed for minutes.
    """
    waiting = DnsRecord.next_try_at >= EVER  # SQLite finds no NOT NULL in an index
    unseen = DnsRecord.live.is_(None) & (DnsRecord.live_due_at >= EVER)
    coming = (DnsRecord.live == Liveness.NOT_YET) & (DnsRecord.live_tries < SOON_TRIES)
    query = select(DnsRecord.id).where(waiting | unseen | coming)
    return session.scalar(query.limit(1)) is not None
