"""Lines of the DNS page's table: what each says of a claim, or of a record that no claim accounts for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from webapp.dns.connections import Connection
from webapp.dns.models import DnsRecord, DnsSettings, Status
from webapp.dns.names import is_covered
from webapp.dns.records import Record
from webapp.dns.seen import SeenRecord

UNCOVERED = "uncovered"
"""The status of a name that the wildcard was to serve and does not."""


@dataclass(frozen=True)
class Line:
    """One line of the table. `record` is what is wanted; None where nothing is (orphans, foreign ones)."""

    key: str
    name: str
    type: str
    content: str
    ttl: int
    proxied: bool
    status: str
    checked_at: datetime | None
    wanted: Record | None = None
    row: DnsRecord | None = None
    seen: SeenRecord | None = None
    note: str = ""


def load(session: Session, settings: DnsSettings, keys: Sequence[tuple[str, int]]) -> list[Line]:
    """The lines of these keys ("claim" or "seen", and the row's id), in their order. Two queries."""
    claims = [id for kind, id in keys if kind == "claim"]
    rows = {
        row.id: row
        for row in session.scalars(
            select(DnsRecord).where(DnsRecord.id.in_(claims)).options(joinedload(DnsRecord.connection))
        )
    }
    seen_ids = [id for kind, id in keys if kind == "seen"]
    seen = {s.id: s for s in session.scalars(select(SeenRecord).where(SeenRecord.id.in_(seen_ids)))}
    return [_claim_line(rows[id], settings) if kind == "claim" else _seen_line(seen[id]) for kind, id in keys]


def _claim_line(row: DnsRecord, settings: DnsSettings) -> Line:
    record = row.record(settings.defaults)
    live = row.seen[0] if row.seen else None
    connection: Connection | None = row.connection
    known = live or {
        "content": row.written_content or record.content,
        "ttl": row.written_ttl or record.ttl,
        "proxied": record.proxied if row.written_proxied is None else row.written_proxied,
    }
    covered, absent = row.status is Status.COVERED, row.is_absent
    note = not_covered(row.fqdn, settings) if covered else _pinned(row)
    return Line(
        key=f"claim-{row.id}",
        name=row.fqdn,
        type=str(row.type),
        content="" if absent and row.status is Status.ABSENT else known["content"],
        ttl=known["ttl"],
        proxied=known["proxied"],
        status="deleting" if not row.wanted else (UNCOVERED if covered and note else str(row.status)),
        checked_at=connection.checked_at if connection else settings.wildcard_checked_at,
        wanted=record if row.wanted and not covered and not absent else None,
        row=row,
        note=note,
    )


def _pinned(row: DnsRecord) -> str:
    """What somebody decided about this one record."""
    if row.is_absent:
        return "Somebody put back that it has no record."
    return "Somebody put it back to what it was before." if row.pin else ""


def not_covered(name: str, settings: DnsSettings) -> str:
    """Why the wildcard does not serve the name; empty when it does."""
    base = settings.base_domain
    if not base:
        return "No base domain is set, so no wildcard is known."
    if not is_covered(name, base):
        return f"Only names one level below {base} are sure to be covered; its certificate covers no others."
    if name in (settings.wildcard_exceptions or ()):
        return "This name answers something else than the wildcard: it has records of its own."
    return ""


def _seen_line(seen: SeenRecord) -> Line:
    return Line(
        key=f"seen-{seen.id}",
        name=seen.fqdn,
        type=seen.type,
        content=seen.content,
        ttl=seen.ttl,
        proxied=seen.proxied,
        status=str(seen.status),
        checked_at=seen.checked_at,
        seen=seen,
        note=f"kept by installation {seen.mark}" if seen.mark and seen.status is Status.FOREIGN else "",
    )
