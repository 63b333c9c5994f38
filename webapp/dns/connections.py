"""The rows about providers: zones that are in use or being left, and how many calls were made."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base
from webapp.dns.records import Zone


class Connection(Base):
    """One zone at one provider, with its sealed credentials.

    The active one belongs to the present settings; a retiring one only waits until its records are gone.
    `blocked`: only what somebody asks for is tried, and that once. `review` is a plan to show, see `Review`.
    """

    __tablename__ = "dns_connections"
    __table_args__ = (UniqueConstraint("provider", "zone_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(String(32))
    credentials_sealed: Mapped[str]
    zone_id: Mapped[str] = mapped_column(String(64))
    zone_name: Mapped[str] = mapped_column(String(255))
    zone_plan: Mapped[str] = mapped_column(String(32), default="")
    zones: Mapped[list[str]] = mapped_column(JSON, default=list)
    zones_read_at: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(default=True)
    blocked: Mapped[bool] = mapped_column(default=False)
    error: Mapped[str | None] = mapped_column(String(500))
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    used: Mapped[int | None]
    allowed: Mapped[int | None]
    review_state: Mapped[str | None] = mapped_column(String(16))
    review: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    approved_hash: Mapped[str | None] = mapped_column(String(16))
    approved_by: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))

    @property
    def zone(self) -> Zone:
        """The zone as providers take it."""
        return Zone(self.zone_id, self.zone_name, plan=self.zone_plan)


class CallWindow(Base):
    """How many calls were made with one token since the window began; `closed_until`: none before that."""

    __tablename__ = "dns_call_windows"

    token: Mapped[str] = mapped_column(String(32), primary_key=True)
    began_at: Mapped[datetime]
    calls: Mapped[int] = mapped_column(default=0)
    closed_until: Mapped[datetime | None]
