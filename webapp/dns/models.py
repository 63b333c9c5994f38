"""The rows behind the DNS pages: settings, and claims with their records."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.actor import actor
from webapp.db import Base, Choice
from webapp.dns.changes import Answer
from webapp.dns.claimed import Claimed
from webapp.dns.claimed import (
    ConsumerType as ConsumerType,  # the rows and who they belong to come from one place
)
from webapp.dns.connections import Connection
from webapp.dns.desired import Defaults, Mode, Policy
from webapp.dns.records import AUTO_TTL, LiveRecord, RecordType, Target
from webapp.dns.sighting import Sighting, looked_at_soon


class Status(StrEnum):
    """What is known about a claimed name's record."""

    PENDING = "pending"
    SYNCED = "synced"
    DRIFTED = "drifted"
    MISSING = "missing"
    CONFLICT = "conflict"
    FAILED = "failed"
    COVERED = "covered"
    ABSENT = "absent"
    ORPHAN = "orphan"
    FOREIGN = "foreign"


UP = frozenset({Status.SYNCED, Status.COVERED})
SETTLED = UP | {Status.ABSENT}


class DnsSettings(Base):
    """One row: the mode, what records point at, and their defaults. `version` moves with every change."""

    __tablename__ = "dns_settings"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    install_id: Mapped[str] = mapped_column(String(16))
    mode: Mapped[Mode] = mapped_column(Choice(Mode), default=Mode.WILDCARD)
    policy: Mapped[Policy] = mapped_column(Choice(Policy), default=Policy.FULL)
    base_domain: Mapped[str] = mapped_column(String(255), default="")
    ipv4: Mapped[str | None] = mapped_column(String(15))
    ipv6: Mapped[str | None] = mapped_column(String(45))
    cname: Mapped[str | None] = mapped_column(String(255))
    ttl: Mapped[int] = mapped_column(default=AUTO_TTL)
    proxied: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    wildcard_checked_at: Mapped[datetime | None]
    wildcard_works: Mapped[bool | None]
    wildcard_message: Mapped[str] = mapped_column(String(500), default="")
    wildcard_exceptions: Mapped[list[str]] = mapped_column(JSON, default=list)

    @property
    def target(self) -> Target:
        """What records point at."""
        return Target(self.ipv4, self.ipv6, self.cname)

    @property
    def defaults(self) -> Defaults:
        """What every record gets unless its name says otherwise."""
        return Defaults(self.target, self.ttl, self.proxied)


class DnsRecord(Claimed, Sighting, Base):
    """A claim on a name: the wish, and what is known about the record that fulfils it.

    `wanted` false: released, and kept until nothing of ours is left at the provider. `connection_id` is None
    while the wildcard serves the name. `written_*` is what we last wrote or saw, `seen` the live record where it
    differs from the wish. `approved`: the operator has confirmed this very change. `pin`: what somebody put back
    for this one record, until the next wish. `version` moves with every wish, made by `asked_by` and `asked_for`.
    """

    __tablename__ = "dns_records"
    __table_args__ = (
        Index(
            "uq_dns_records_claim", "fqdn", "type",
            unique=True, sqlite_where=text("wanted = 1"), postgresql_where=text("wanted"),
        ),
        Index("ix_dns_records_consumer", "consumer_type", "consumer_id"),
        Index("ix_dns_records_status", "status"),
        Index("ix_dns_records_live", "live", "live_due_at"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    fqdn: Mapped[str] = mapped_column(String(255), index=True)
    type: Mapped[RecordType] = mapped_column(Choice(RecordType))
    consumer_type: Mapped[ConsumerType] = mapped_column(Choice(ConsumerType))
    consumer_id: Mapped[int]
    override_proxied: Mapped[bool | None]
    override_ttl: Mapped[int | None]
    wanted: Mapped[bool] = mapped_column(default=True)
    connection_id: Mapped[int | None] = mapped_column(ForeignKey("dns_connections.id"), index=True)
    connection: Mapped[Connection | None] = relationship()
    provider_record_id: Mapped[str | None] = mapped_column(String(128))
    written_content: Mapped[str | None] = mapped_column(String(255))
    written_ttl: Mapped[int | None]
    written_proxied: Mapped[bool | None]
    seen: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    status: Mapped[Status] = mapped_column(Choice(Status), default=Status.PENDING)
    error: Mapped[str | None] = mapped_column(String(500))
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None] = mapped_column(index=True)
    answer: Mapped[Answer | None] = mapped_column(Choice(Answer))
    answered: Mapped[str] = mapped_column(String(16), default="")
    approved: Mapped[bool] = mapped_column(default=False)
    pin: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    asked_by: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    asked_for: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def is_adoptable(self) -> bool:
        """Whether what stands in the way, as it was seen, can become the record that is wanted."""
        return [live["type"] for live in self.seen or ()] == [str(self.type)]

    def ask(self, at: datetime, *, approved: bool = False, why: str = "") -> None:
        """The wish changed: have the next round look at it."""
        self.status, self.error, self.attempts = Status.PENDING, None, 0
        self.next_try_at = self.updated_at = at
        self.approved, self.version = approved, (self.version or 0) + 1
        self.asked_by, self.asked_for = actor(), why
        self.look_away()

    def ask_again(self, at: datetime) -> None:
        """The same wish, by the same person, is not true yet: have the next round look once more."""
        by = self.asked_by
        self.ask(at, approved=self.approved, why=self.asked_for)
        self.asked_by = by

    def release(self, at: datetime, *, approved: bool = False, why: str = "") -> None:
        """Nobody wants the name here any more; the round removes the record and then this row."""
        self.wanted, self.answer, self.seen, self.pin = False, None, None, None
        self.ask(at, approved=approved, why=why)

    def cover(self, at: datetime) -> None:
        """The wildcard serves the name."""
        self.status, self.error, self.next_try_at, self.updated_at = Status.COVERED, None, None, at
        self.version = (self.version or 0) + 1
        self.look_away()
        self.live_due_at = at

    def rest(self, at: datetime) -> None:
        """There is no record, as it should be."""
        self.provider_record_id = self.written_content = None
        self.status, self.error, self.attempts, self.next_try_at = Status.ABSENT, None, 0, None
        self.approved, self.updated_at = False, at

    def hold(self, live: LiveRecord) -> None:
        """The provider has this record for the row."""
        self._set(held(live))

    def settle(self, live: LiveRecord, at: datetime) -> None:
        """The provider has the record as wanted."""
        self._set(settled(live, at))

    def _set(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    def found(self, status: Status, seen: list[dict[str, Any]] | None) -> None:
        """A look at the provider showed something else than wanted; nothing has been tried yet."""
        self.status, self.seen, self.error = status, seen, None
        self.look_away()

    def fail(self, message: str, next_try_at: datetime | None, at: datetime) -> None:
        """A try failed; without a next try it waits for a person."""
        self.status, self.error = Status.FAILED, message[:500]
        self.next_try_at, self.updated_at = next_try_at, at
        self.attempts += 1
        self.look_away()


def held(live: LiveRecord) -> dict[str, Any]:
    """What a row says of the record that the provider has for it."""
    return {
        "provider_record_id": live.id,
        "written_content": live.content,
        "written_ttl": live.ttl,
        "written_proxied": live.proxied,
    }


def settled(live: LiveRecord, at: datetime) -> dict[str, Any]:
    """What a row says when the provider has the record as wanted."""
    return held(live) | {
        "status": Status.SYNCED,
        "error": None,
        "attempts": 0,
        "next_try_at": None,
        "seen": None,
        "answer": None,
        "answered": "",
        "approved": False,
        "asked_by": "",
        "asked_for": "",
        "updated_at": at,
        **looked_at_soon(at),
    }
