"""Live records that no claim accounts for, as the last round saw them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, delete, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from webapp.db import Base, Choice
from webapp.dns.changes import Plan
from webapp.dns.models import Status


class SeenRecord(Base):
    """A live record that no claim accounts for, as the last round saw it: an orphan, or somebody else's."""

    __tablename__ = "dns_seen"
    __table_args__ = (Index("ix_dns_seen_connection", "connection_id", "status"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("dns_connections.id", ondelete="CASCADE"))
    status: Mapped[Status] = mapped_column(Choice(Status))
    fqdn: Mapped[str] = mapped_column(String(255), index=True)
    type: Mapped[str] = mapped_column(String(16))
    content: Mapped[str] = mapped_column(String(4200))
    ttl: Mapped[int]
    proxied: Mapped[bool]
    mark: Mapped[str | None] = mapped_column(String(64))
    checked_at: Mapped[datetime]


def remember(
    session: Session, connection_id: int, plan: Plan, deleted: Collection[str], at: datetime
) -> None:
    """Replace what is known of records that no claim accounts for; `deleted` are ids that are gone since."""
    session.execute(delete(SeenRecord).where(SeenRecord.connection_id == connection_id))
    found = [(Status.FOREIGN, live) for live in plan.foreign]
    found += [(Status.ORPHAN, live) for live in plan.orphans if live.id not in deleted]
    values = [
        {
            "connection_id": connection_id,
            "status": status,
            "fqdn": live.name,
            "type": live.type,
            "content": live.content[:4200],
            "ttl": live.ttl,
            "proxied": live.proxied,
            "mark": live.mark and live.mark[:64],
            "checked_at": at,
        }
        for status, live in found
    ]
    if values:
        session.execute(insert(SeenRecord), values)
