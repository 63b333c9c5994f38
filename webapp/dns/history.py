"""Reads the history of changes for the page and the command line, filtered and paged by the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from webapp.dns.journal import Kind, RecordChange, Result
from webapp.dns.models import ConsumerType
from webapp.dns.names import ascii_name
from webapp.paging import Paging, page_from

SIZE = 50


@dataclass(frozen=True)
class HistoryFilters:
    """What the address asks for. `name` is one name exactly, `text` a part of it or of who was behind it."""

    text: str = ""
    name: str = ""
    kind: str = ""
    result: str = ""
    consumer: str = ""
    page: int = 1

    @property
    def active(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.text or self.name or self.kind or self.result or self.consumer)


@dataclass(frozen=True)
class HistoryPage:
    """One page of changes, the latest first."""

    changes: Sequence[RecordChange]
    paging: Paging


def filters_from(args: Mapping[str, str]) -> HistoryFilters:
    """Filters from query parameters; what makes no sense is ignored, so that an old link still opens."""

    def one_of(key: str, allowed: frozenset[str]) -> str:
        return args.get(key, "") if args.get(key, "") in allowed else ""

    return HistoryFilters(
        text=args.get("q", "").strip().replace("\0", "")[:253],
        name=args.get("name", "").strip().replace("\0", "")[:253],
        kind=one_of("kind", frozenset(Kind)),
        result=one_of("result", frozenset(Result)),
        consumer=one_of("consumer", frozenset({*ConsumerType, "none"})),
        page=page_from(args.get("page", "")),
    )


def history(session: Session, filters: HistoryFilters, *, size: int = SIZE) -> HistoryPage:
    """The changes that match, in two queries."""
    where = list(_conditions(filters))
    total = session.scalar(select(func.count()).select_from(RecordChange).where(*where)) or 0
    paging = Paging(total, size, filters.page)
    query = select(RecordChange).where(*where).order_by(RecordChange.at.desc(), RecordChange.id.desc())
    return HistoryPage(session.scalars(paging.part(query)).all(), paging)


def _conditions(filters: HistoryFilters) -> Sequence[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.text:
        parts = (RecordChange.fqdn, RecordChange.by, RecordChange.why)
        found.append(or_(*(part.icontains(filters.text, autoescape=True) for part in parts)))
    if filters.name:
        found.append(RecordChange.fqdn == ascii_name(filters.name))
    if filters.kind:
        found.append(RecordChange.kind == filters.kind)
    if filters.result:
        found.append(RecordChange.result == filters.result)
    if filters.consumer == "none":
        found.append(RecordChange.consumer_type.is_(None))
    elif filters.consumer:
        found.append(RecordChange.consumer_type == filters.consumer)
    return found
