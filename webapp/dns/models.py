"""The rows behind the DNS pages: settings, connections, claims with their records, and what else was seen."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.db import Base, Choice
from webapp.dns.changes import Answer, Wish
from webapp.dns.desired import Defaults, Mode, Overrides, Policy
from webapp.dns.records import AUTO_TTL, LiveRecord, Record, RecordType, Target, Zone
from webapp.dns.sighting import Sighting


class Status(StrEnum):
    """What is known about a claimed name's record."""

    PENDING = "pending"
    SYNCED = "synced"
    DRIFTED = "drifted"
    MISSING = "missing"
    CONFLICT = "conflict"
    FAILED = "failed"
    COVERED = "covered"
    ORPHAN = "orphan"
    FOREIGN = "foreign"


SETTLED = frozenset({Status.SYNCED, Status.COVERED})


class ConsumerType(StrEnum):
    """Who can claim names."""

    INSTANCE = "instance"
    STANDALONE = "standalone"


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

    @property
    def zone(self) -> Zone:
        """The zone as providers take it."""
        return Zone(self.zone_id, self.zone_name, plan=self.zone_plan)


class DnsRecord(Sighting, Base):
    """A claim on a name: the wish, and what is known about the record that fulfils it.

    `wanted` false: released, and kept until nothing of ours is left at the provider. `connection_id` is None
    while the wildcard serves the name. `written_*` is what we last wrote or saw, `seen` the live record where it
    differs from the wish. `approved`: the operator has confirmed this very change.
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
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def overrides(self) -> Overrides:
        """What this name wants differently from the defaults."""
        return Overrides(self.override_proxied, self.override_ttl)

    @property
    def written(self) -> Record | None:
        """What we last wrote or saw at the provider."""
        if self.written_content is None:
            return None
        return Record(
            self.fqdn, self.type, self.written_content, self.written_ttl or AUTO_TTL,
            bool(self.written_proxied),
        )  # fmt: skip

    def wish(self, defaults: Defaults, *, held: bool = False) -> Wish:
        """The row as the planner sees it."""
        return Wish(
            row=self.id,
            record=defaults.record(self.fqdn, self.type, self.overrides),
            wanted=self.wanted,
            live_id=self.provider_record_id,
            written=self.written,
            answer=self.answer,
            answered=self.answered,
            approved=self.approved,
            held=held,
        )

    def ask(self, at: datetime, *, approved: bool = False) -> None:
        """The wish changed: have the next round look at it."""
        self.status, self.error, self.attempts = Status.PENDING, None, 0
        self.next_try_at = self.updated_at = at
        self.approved = approved
        self.look_away()

    def release(self, at: datetime, *, approved: bool = False) -> None:
        """Nobody wants the name here any more; the round removes the record and then this row."""
        self.wanted, self.answer, self.seen = False, None, None
        self.ask(at, approved=approved)

    def cover(self, at: datetime) -> None:
        """The wildcard serves the name."""
        self.status, self.error, self.next_try_at, self.updated_at = Status.COVERED, None, None, at

    def hold(self, live: LiveRecord) -> None:
        """The provider has this record for the row."""
        self.provider_record_id, self.written_content = live.id, live.content
        self.written_ttl, self.written_proxied = live.ttl, live.proxied

    def settle(self, live: LiveRecord, at: datetime) -> None:
        """The provider has the record as wanted."""
        self.hold(live)
        self.look_soon(at)
        self.status, self.error, self.attempts, self.next_try_at = Status.SYNCED, None, 0, None
        self.seen, self.answer, self.answered, self.approved, self.updated_at = None, None, "", False, at

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


class CallWindow(Base):
    """How many calls were made with one token since the window began; `closed_until`: none before that."""

    __tablename__ = "dns_call_windows"

    token: Mapped[str] = mapped_column(String(32), primary_key=True)
    began_at: Mapped[datetime]
    calls: Mapped[int] = mapped_column(default=0)
    closed_until: Mapped[datetime | None]
