"""The DNS page's table: claims and what else was seen, filtered, sorted and paged by the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
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
from sqlalchemy.orm import Session

from webapp.dns.lines import UNCOVERED, Line, load
from webapp.dns.live import Liveness
from webapp.dns.models import ConsumerType, DnsRecord, DnsSettings, Status
from webapp.dns.names import ascii_name
from webapp.dns.seen import SeenRecord
from webapp.paging import Paging

PAGE_SIZES = (50, 25, 100, 250)
UNSEEN = "none"
"""The live state to ask for where nobody has looked from outside."""

SORTS = ("name", "type", "content", "status", "consumer")


@dataclass(frozen=True)
class Filters:
    """What the address asks for; anything unknown counts as not asked."""

    text: str = ""
    status: str = ""
    live: str = ""
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
        return bool(self.text or self.status or self.live or self.consumer or self.type)

    @property
    def needs_content(self) -> bool:
        """Whether it takes the content of every record to tell which lines there are, and in which order."""
        return bool(self.text) or self.sort == "content"


@dataclass(frozen=True)
class Page:
    """One page of lines, and how many lines there are of each status."""

    lines: Sequence[Line]
    counts: Mapping[str, int]
    paging: Paging


def _claims(settings: DnsSettings, filters: Filters) -> Any:
    status = case(
        (~DnsRecord.wanted, literal("deleting")),
        ((DnsRecord.status == Status.COVERED) & ~_served(settings), literal(UNCOVERED)),
        else_=cast(DnsRecord.status, String),
    )
    return select(
        literal("claim").label("kind"),
        DnsRecord.id.label("id"),
        DnsRecord.fqdn.label("name"),
        cast(DnsRecord.type, String).label("type"),
        (_content(settings) if filters.needs_content else literal("")).label("content"),
        status.label("status"),
        cast(DnsRecord.consumer_type, String).label("consumer"),
    )


def _content(settings: DnsSettings) -> ColumnElement[str]:
    """What is there, else what we wrote, else what is wanted: dear to find out for thousands of rows."""
    targets = settings.target.contents().items()
    wanted = [(DnsRecord.type == kind, literal(content)) for kind, content in targets]
    seen = DnsRecord.seen[0]["content"].as_string()
    return func.coalesce(seen, DnsRecord.written_content, *([case(*wanted)] if wanted else []), "")


def _served(settings: DnsSettings) -> ColumnElement[bool]:
    """Whether the wildcard serves the name: the database's words for `lines.not_covered`."""
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
    )


def _everything(settings: DnsSettings, filters: Filters) -> Subquery:
    """All lines, or those that look so from outside: of the others the union knows nothing, which costs nothing."""
    claims, others = _claims(settings, filters), _seen()
    if filters.live == UNSEEN:
        claims = claims.where(DnsRecord.live.is_(None))
    elif filters.live in set(Liveness):
        claims, others = claims.where(DnsRecord.live == Liveness(filters.live)), others.where(false())
    return union_all(claims, others).subquery("lines")


def listing(session: Session, settings: DnsSettings, filters: Filters) -> Page:
    """The page that the filters ask for, with a count for each status under the other filters. Five queries."""
    lines = _everything(settings, filters)
    query = _narrow(select(lines.c.kind, lines.c.id), lines, filters)
    counting = _narrow(select(lines.c.status, func.count()), lines, filters).group_by(lines.c.status)
    counts: dict[str, int] = {found[0]: found[1] for found in session.execute(counting)}
    shown = {k: n for k, n in counts.items() if k != Status.FOREIGN or filters.foreign}
    total = counts.get(filters.status, 0) if filters.status else sum(shown.values())
    if filters.status:
        query = query.where(lines.c.status == filters.status)
    elif not filters.foreign:
        query = query.where(lines.c.status != Status.FOREIGN)
    paging = Paging(total, filters.size, filters.page)
    ordered = paging.part(query.order_by(*_order(lines, filters)))
    keys = [(row.kind, row.id) for row in session.execute(ordered)]
    return Page(load(session, settings, keys), counts, paging)


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
