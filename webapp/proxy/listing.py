"""Standalone proxies for lists: by name, filtered, all of them or one page."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from webapp.dns.models import ConsumerType
from webapp.dns.names import ascii_name
from webapp.paging import Paging
from webapp.proxy.models import HostStatus, ProxyHost

SIZE = 50


def matching(session: Session, text: str = "", status: str = "") -> Sequence[ProxyHost]:
    """All with the text in name or target, and that status; a status that does not exist counts as not asked."""
    return session.scalars(_matching(text, status)).all()


def page(session: Session, text: str, status: str, number: int) -> tuple[Sequence[ProxyHost], Paging]:
    """One page of them. Two queries."""
    query = _matching(text, status)
    counting = select(func.count()).select_from(query.order_by(None).subquery())
    paging = Paging(session.scalar(counting) or 0, SIZE, number)
    return session.scalars(paging.part(query)).all(), paging


def _matching(text: str, status: str) -> Select[Any]:
    query = select(ProxyHost).where(ProxyHost.consumer_type == ConsumerType.STANDALONE)
    if text := text.lower():
        name = text if text.isascii() else ascii_name(text)
        found = {ProxyHost.fqdn: name, ProxyHost.forward_host: text}
        query = query.where(or_(*(column.contains(part, autoescape=True) for column, part in found.items())))
    if status in set(HostStatus):
        query = query.where(ProxyHost.status == HostStatus(status))
    return query.order_by(ProxyHost.fqdn, ProxyHost.id)
