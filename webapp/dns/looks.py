"""Whose turn it is to be looked at from outside, and what each of these rows wants to be seen."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import joinedload

from webapp.db import reading, transaction
from webapp.dns import ledger
from webapp.dns.claimed import ConsumerType
from webapp.dns.covered import Wish
from webapp.dns.desired import Defaults
from webapp.dns.live import Content
from webapp.dns.models import DnsRecord, Status
from webapp.dns.records import Record


@dataclass(frozen=True)
class Look:
    """One row whose turn it is. `record` is what the world should get: what the provider has for it.

    `zone` is None where the wildcard is to serve the name: there the record is what the settings say, and
    `elsewhere` that the last look found other addresses. `by_hand`: a person keeps it, so that no proxy host here
    can prove anything. `tries` are looks in vain.
    """

    row: int
    zone: str | None
    record: Record
    by_hand: bool = False
    elsewhere: bool = False
    tries: int = 0

    @classmethod
    def of(cls, row: DnsRecord, defaults: Defaults) -> "Look | None":
        """The look at a row; None where there is nothing to see."""
        if row.wanted and row.status is Status.COVERED:
            return cls._covered(row, row.record(defaults))
        if row.written is None or row.connection is None or not row.wanted or row.status is not Status.SYNCED:
            return None
        by_hand = row.consumer_type is ConsumerType.PERSON
        return cls(row.id, row.connection.zone_name, row.written, by_hand)

    @classmethod
    def _covered(cls, row: DnsRecord, record: Record) -> "Look | None":
        """Without an address to compare with, no answer says anything."""
        if not record.content:
            return None
        return cls(row.id, None, record, elsewhere=row.live_elsewhere, tries=row.live_tries)

    @property
    def wanted(self) -> frozenset[Content]:
        """What the servers have to answer."""
        return frozenset({(str(self.record.type), self.record.content)})

    @property
    def wish(self) -> Wish:
        """What the answers have to lead to."""
        return Wish(self.record.name, self.record.type, self.record.content)


def due(at: datetime, plain: int, visits: int) -> list[Look]:
    """So many rows whose turn it is: those to be visited take long, and do not hold up the others."""
    query = select(DnsRecord).options(joinedload(DnsRecord.connection))
    query = query.where(DnsRecord.live_due_at <= at).order_by(DnsRecord.live_due_at)
    visited = func.coalesce(DnsRecord.written_proxied, False) | DnsRecord.live_elsewhere
    with reading() as session:
        defaults = ledger.settings(session).defaults
        rows = session.scalars(query.where(~visited).limit(plain)).all()
        rows = [*rows, *session.scalars(query.where(visited).limit(visits))]
        looks = [(row, Look.of(row, defaults)) for row in rows]
    if idle := [row for row, look in looks if look is None]:
        _pass_over(idle)
    return [look for _, look in looks if look is not None]


def _pass_over(rows: Iterable[DnsRecord]) -> None:
    """Rows with nothing to see are not due any more, unless their wish has changed since."""
    unchanged = tuple_(DnsRecord.id, DnsRecord.version).in_([(row.id, row.version) for row in rows])
    with transaction() as session:
        session.execute(update(DnsRecord).where(unchanged).values(live_due_at=None))
