"""Ways to look at the table of the DNS page: pages of lines, long tables, and the queries they take."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event, insert

from tests.dns.panel_world import HERE
from webapp.db import db, reading, transaction
from webapp.dns import ledger
from webapp.dns.forms import filters_from
from webapp.dns.listing import Filters, Page, listing
from webapp.dns.models import ConsumerType, DnsRecord, Status
from webapp.dns.records import RecordType
from webapp.dns.seen import SeenRecord

AT = datetime(2026, 3, 1, tzinfo=UTC)


def page(**filters: Any) -> Page:
    with reading() as session:
        return listing(session, ledger.settings(session), Filters(**filters))


def asked(**args: str) -> Page:
    with reading() as session:
        return listing(session, ledger.settings(session), filters_from(args))


def many(count: int, start: int = 0) -> None:
    """Half of them claims, half foreign."""
    with transaction() as session:
        active = ledger.active_connection(session)
        assert active is not None
        claims = [
            {
                "fqdn": f"n{n:04}.example.com", "type": RecordType.A, "consumer_type": ConsumerType.STANDALONE,
                "consumer_id": n, "connection_id": active.id, "status": Status.SYNCED, "created_at": AT,
                "updated_at": AT,
            }
            for n in range(start, start + count // 2)
        ]  # fmt: skip
        seen = [
            {
                "connection_id": active.id, "status": Status.FOREIGN, "fqdn": f"f{n:04}.example.com", "type": "A",
                "content": HERE, "ttl": 1, "proxied": False, "checked_at": AT,
            }
            for n in range(start, start + count // 2)
        ]  # fmt: skip
        session.execute(insert(DnsRecord), claims)
        session.execute(insert(SeenRecord), seen)


@contextmanager
def queries() -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_c: object, _k: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
