"""The hooks: consumers claim and release names here, in the transaction of the change that causes it."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.db import transaction, wake_worker_on_commit
from webapp.dns import ledger
from webapp.dns.connections import Connection
from webapp.dns.desired import Mode, Overrides
from webapp.dns.ledger import Consumer
from webapp.dns.models import DnsRecord, DnsSettings
from webapp.dns.names import Fqdn, readable
from webapp.dns.records import RecordType
from webapp.errors import Busy, InvalidInput

NO_OVERRIDES = Overrides()


def claim(
    consumer: Consumer, names: Iterable[Fqdn], overrides: Overrides = NO_OVERRIDES, *, at: datetime
) -> None:
    """Have exactly these names point here for the consumer; what it claimed before and is left out is released.

    Writes rows and nothing else; the worker does the rest. A claim that changes nothing causes no provider call.
    Raises Busy when another consumer holds a name, InvalidInput for one that no zone of ours can hold.
    """
    wanted = set(names)
    with transaction() as session:
        settings = ledger.settings(session)
        connection = ledger.active_connection(session) if settings.mode is Mode.MANAGED else None
        check_free(session, consumer, wanted)
        check_zone(settings, connection, wanted)
        for row in ledger.by_consumer(session, consumer):
            if row.fqdn not in wanted or row.connection is not connection:
                drop(session, row, at)
        with one_holder(session):
            session.flush()
            for name in sorted(wanted):
                for kind in settings.defaults.types:
                    want(session, consumer, name, kind, overrides, connection, at)
        wake_worker_on_commit()


def release(consumer: Consumer, *, at: datetime) -> None:
    """Give up all names of the consumer."""
    claim(consumer, (), at=at)


def check_free(session: Session, consumer: Consumer, names: Collection[str]) -> None:
    """Raise Busy when somebody else claims one of the names."""
    for row in ledger.by_fqdn(session, names):
        if row.wanted and (row.consumer_type, row.consumer_id) != (consumer.type, consumer.id):
            holder = ledger.holder(row.consumer_type)
            raise Busy(f"{readable(row.fqdn)} is in use by {holder}. Choose another name.")


def check_zone(settings: DnsSettings, connection: Connection | None, names: Collection[str]) -> None:
    """Raise InvalidInput for a name that the managed zone cannot hold."""
    if connection is None:
        return
    for name in sorted(names):
        if problem := ledger.outside(connection, name):
            raise InvalidInput(problem, "name")
        if name == settings.target.contents().get(RecordType.CNAME):
            raise InvalidInput(
                f"{name} is the name that all records point at; it cannot point at itself.", "name"
            )


def want(
    session: Session,
    consumer: Consumer,
    name: str,
    kind: RecordType,
    overrides: Overrides,
    connection: Connection | None,
    at: datetime,
) -> None:
    """Have a row say that the consumer wants this record there; unchanged rows are left alone."""
    row = _row_for(session, name, kind, connection)
    wish = (True, overrides, consumer.type, consumer.id)
    if row is None:
        row = DnsRecord(fqdn=name, type=kind, connection=connection, created_at=at)
        session.add(row)
    elif (row.wanted, row.overrides, row.consumer_type, row.consumer_id) == wish:
        return
    row.wanted, row.consumer_type, row.consumer_id = True, consumer.type, consumer.id
    row.override_proxied, row.override_ttl, row.pin = overrides.proxied, overrides.ttl, None
    if connection is None:
        row.cover(at)
    else:
        row.ask(at)


def _row_for(
    session: Session, name: str, kind: RecordType, connection: Connection | None
) -> DnsRecord | None:
    """The row to use again: one that is released but still has its record keeps the name up without a gap."""
    where = connection.id if connection else None
    rows = [r for r in ledger.by_fqdn(session, [name]) if r.type == kind and r.connection_id == where]
    return max(rows, key=lambda r: (r.wanted, r.provider_record_id is not None), default=None)


def drop(session: Session, row: DnsRecord, at: datetime) -> None:
    """Give up one row; at once where no provider is involved.

    Every deletion has been shown and confirmed, by name or as a whole, and so carries its approval.
    """
    if row.connection_id is None:
        session.delete(row)
    else:
        row.release(at, approved=True)


@contextmanager
def one_holder(session: Session) -> Iterator[None]:
    """The database has the last word on who holds a name, where another process claims it in the same moment."""
    try:
        yield
        session.flush()
    except IntegrityError as error:
        raise Busy("This name was claimed by somebody else a moment ago. Choose another name.") from error
