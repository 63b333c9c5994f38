"""The DNS page's table: claims and what else was seen, filtered, sorted and paged by the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    Subquery,
    case,
    cast,
    false,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import Session, joinedload

from webapp.dns.connections import Connection
from webapp.dns.models import ConsumerType, DnsRecord, DnsSettings, Status
from webapp.dns.names import ascii_name, is_covered
from webapp.dns.records import Record
from webapp.dns.seen import SeenRecord

PAGE_SIZES = (50, 25, 100, 250)
UNCOVERED = "uncovered"
"""The status of a name that the wildcard was to serve and does not."""

SORTS = ("name", "type", "content", "status", "consumer")


@dataclass(frozen=True)
class Filters:
    """What the address asks for; anything unknown counts as not asked."""

    text: str = ""
    status: str = ""
    consumer: str = ""
    type: str = ""
    foreign: bool = False
    sort: str = "name"
    descending: bool = False
    page: int = 1
    size: int = PAGE_SIZES[0]

    @property
    def active(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.text or self.status or self.consumer or self.type)


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


@dataclass(frozen=True)
class Page:
    """One page of lines with its totals."""

    lines: Sequence[Line]
    total: int
    counts: Mapping[str, int] = field(default_factory=dict)
    pages: int = 1


def _claims(settings: DnsSettings) -> Any:
    status = case(
        (~DnsRecord.wanted, literal("deleting")),
        ((DnsRecord.status == Status.COVERED) & ~_served(settings), literal(UNCOVERED)),
        else_=cast(DnsRecord.status, String),
    )
    targets = settings.target.contents().items()
    wanted = [(DnsRecord.type == kind, literal(content)) for kind, content in targets]
    content = (
        DnsRecord.seen[0]["content"].as_string(),
        DnsRecord.written_content,
        *([case(*wanted)] if wanted else []),
        "",
    )
    return select(
        literal("claim").label("kind"),
        DnsRecord.id.label("id"),
        DnsRecord.fqdn.label("name"),
        cast(DnsRecord.type, String).label("type"),
        func.coalesce(*content).label("content"),
        status.label("status"),
        cast(DnsRecord.consumer_type, String).label("consumer"),
        DnsRecord.consumer_id.label("consumer_id"),
    )


def _served(settings: DnsSettings) -> ColumnElement[bool]:
    """Whether the wildcard serves the name: the database's words for `_not_covered`."""
    base, name = settings.base_domain, DnsRecord.fqdn
    if not base:
        return false()
    one_level = name.endswith(f".{base}", autoescape=True) & name.not_like(f"%.%.{base}")
    return one_level & name.not_in(settings.wildcard_exceptions or ())


def _seen() -> Any:
    return select(
        literal("seen"),
        SeenRecord.id,
        SeenRecord.fqdn,
        cast(SeenRecord.type, String),
        SeenRecord.content,
        cast(SeenRecord.status, String),
        cast(null(), String),
        cast(null(), Integer),
    )


def _everything(settings: DnsSettings) -> Subquery:
    return union_all(_claims(settings), _seen()).subquery("lines")


def listing(session: Session, settings: DnsSettings, filters: Filters) -> Page:
    """The page that the filters ask for, with a count for each status under the other filters. Five queries."""
    lines = _everything(settings)
    query = _narrow(select(lines), lines, filters)
    counting = _narrow(select(lines.c.status, func.count()), lines, filters).group_by(lines.c.status)
    counts: dict[str, int] = {found[0]: found[1] for found in session.execute(counting)}
    shown = {k: n for k, n in counts.items() if k != Status.FOREIGN or filters.foreign}
    total = counts.get(filters.status, 0) if filters.status else sum(shown.values())
    if filters.status:
        query = query.where(lines.c.status == filters.status)
    elif not filters.foreign:
        query = query.where(lines.c.status != Status.FOREIGN)
    pages = max(1, ceil(total / filters.size))
    page = min(max(filters.page, 1), pages)
    ordered = query.order_by(*_order(lines, filters)).limit(filters.size).offset((page - 1) * filters.size)
    keys = [(row.kind, row.id) for row in session.execute(ordered)]
    return Page(_load(session, settings, keys), total, counts, pages)


def _narrow(query: Select[Any], lines: Subquery, filters: Filters) -> Select[Any]:
    if filters.text:
        text = filters.text.lower()
        query = query.where(
            lines.c.name.contains(text if text.isascii() else ascii_name(text), autoescape=True)
            | func.lower(lines.c.content).contains(text, autoescape=True)
        )
    if filters.type:
        query = query.where(lines.c.type == filters.type)
    if filters.consumer in set(ConsumerType):
        query = query.where(lines.c.consumer == filters.consumer)
    elif filters.consumer == "none":
        query = query.where(lines.c.consumer.is_(None))
    return query


def _order(lines: Subquery, filters: Filters) -> list[Any]:
    column = lines.c[filters.sort if filters.sort in SORTS else "name"]
    first = column.desc().nulls_last() if filters.descending else column.asc().nulls_first()
    return [first, lines.c.name, lines.c.type, lines.c.kind, lines.c.id]


def _load(session: Session, settings: DnsSettings, keys: Sequence[tuple[str, int]]) -> list[Line]:
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
    note = _not_covered(row.fqdn, settings) if covered else _pinned(row)
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


def _not_covered(name: str, settings: DnsSettings) -> str:
    """Why the wildcard does not serve the name; empty when it does."""
    base = settings.base_domain
    if not base:
        return "No base domain is set, so no wildcard is known."
    if not is_covered(name, base):
        return f"*.{base} covers one level only: app.{base}, not this name."
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
