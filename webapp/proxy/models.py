"""The rows behind the proxy pages: how to reach Nginx Proxy Manager, and which hosts should be there."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, Choice
from webapp.dns.desired import Overrides
from webapp.dns.ledger import Consumer
from webapp.dns.models import ConsumerType


class HostStatus(StrEnum):
    """What is known about a proxy host.

    RESERVED: the name is kept for an instance that is not published. REJECTED: nginx refuses its configuration.
    DRIFTED, MISSING: somebody changed or deleted it over there, which waits for a person to say what holds.
    """

    RESERVED = "reserved"
    PENDING = "pending"
    ONLINE = "online"
    OFF = "off"
    REJECTED = "rejected"
    DRIFTED = "drifted"
    MISSING = "missing"
    CONFLICT = "conflict"
    FAILED = "failed"


ASTRAY = frozenset({HostStatus.DRIFTED, HostStatus.MISSING})
AT_REST = ASTRAY | {HostStatus.ONLINE, HostStatus.OFF, HostStatus.REJECTED}
MOST_ERROR = 1000
DOUBT = timedelta(minutes=15)
"""How long a change without a clear answer may still come about: nginx waits that long for its backend."""


class NpmSettings(Base):
    """One row: address and account of Nginx Proxy Manager, and what was last read there."""

    __tablename__ = "npm_settings"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    url: Mapped[str] = mapped_column(String(255), default="")
    email: Mapped[str] = mapped_column(String(255), default="")
    password_sealed: Mapped[str | None]
    verify_tls: Mapped[bool] = mapped_column(default=True)
    error: Mapped[str | None] = mapped_column(String(500))
    read_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    hosts: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    certificates: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    certificates_warned_at: Mapped[datetime | None]

    @property
    def ready(self) -> bool:
        """Whether enough is entered to sign in there."""
        return bool(self.url and self.email and self.password_sealed)


class HostOptions:
    """What can be chosen for a host besides its name and where it leads; apps have the same columns."""

    certificate_id: Mapped[int] = mapped_column(default=0)
    ssl_forced: Mapped[bool] = mapped_column(default=False)
    http2_support: Mapped[bool] = mapped_column(default=False)
    hsts_enabled: Mapped[bool] = mapped_column(default=False)
    hsts_subdomains: Mapped[bool] = mapped_column(default=False)
    allow_websocket_upgrade: Mapped[bool] = mapped_column(default=True)
    block_exploits: Mapped[bool] = mapped_column(default=True)
    use_dns: Mapped[bool] = mapped_column(default=True)
    dns_proxied: Mapped[bool | None]
    dns_ttl: Mapped[int | None]

    @property
    def overrides(self) -> Overrides:
        """What its DNS records want differently from the defaults."""
        return Overrides(self.dns_proxied, self.dns_ttl)


OPTIONS = tuple(HostOptions.__annotations__)


class ProxyHost(HostOptions, Base):
    """A host that should be at Nginx Proxy Manager for a consumer; a standalone proxy is its own consumer.

    `removing`: it is to be deleted there, and the row goes when that is done. `published` False: it is to be
    deleted there, and the row keeps the name. `seen` is what stands there instead of what is wanted; `agreed`: a
    person saw it and wants it taken over or overwritten. Until `doubt_until` a difference may be our own doing.
    """

    __tablename__ = "proxy_hosts"
    __table_args__ = (
        Index(
            "uq_proxy_hosts_fqdn", "fqdn",
            unique=True, sqlite_where=text("removing = 0"), postgresql_where=text("NOT removing"),
        ),
        Index("ix_proxy_hosts_consumer", "consumer_type", "consumer_id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    fqdn: Mapped[str] = mapped_column(String(255))
    consumer_type: Mapped[ConsumerType] = mapped_column(Choice(ConsumerType))
    consumer_id: Mapped[int | None]
    forward_scheme: Mapped[str] = mapped_column(String(5), default="http")
    forward_host: Mapped[str] = mapped_column(String(255))
    forward_port: Mapped[int]
    enabled: Mapped[bool] = mapped_column(default=True)
    published: Mapped[bool] = mapped_column(default=True)
    removing: Mapped[bool] = mapped_column(default=False)
    npm_host_id: Mapped[int | None]
    status: Mapped[HostStatus] = mapped_column(Choice(HostStatus), default=HostStatus.PENDING)
    error: Mapped[str | None] = mapped_column(String(MOST_ERROR))
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None] = mapped_column(index=True)
    seen: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    agreed: Mapped[bool] = mapped_column(default=False)
    doubt_until: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def consumer(self) -> Consumer:
        """Whose host this is."""
        standalone = self.consumer_type is ConsumerType.STANDALONE
        return Consumer(self.consumer_type, self.id if standalone else (self.consumer_id or 0))

    def ask(self, at: datetime) -> None:
        """The wish changed: have the worker look at it."""
        self.status, self.error, self.attempts = HostStatus.PENDING, None, 0
        self.seen, self.agreed = None, False
        self.next_try_at = self.updated_at = at
        self.version = (self.version or 0) + 1

    def agree(self, seen: dict[str, Any], at: datetime) -> None:
        """A person looked at what stands there and decided: have the worker act, if it is still the same."""
        self.ask(at)
        self.seen, self.agreed = seen, True

    @property
    def is_astray(self) -> bool:
        """Whether it is not there as it was left, and a person has to say what holds."""
        return self.status in ASTRAY and not self.removing

    @property
    def is_at_rest(self) -> bool:
        """Whether it was true once, and nothing is to be done about it."""
        return self.status in AT_REST and self.next_try_at is None and self.published and not self.removing

    def is_due(self, at: datetime) -> bool:
        """Whether it is time to do something about it."""
        return self.next_try_at is not None and self.next_try_at <= at

    def park(self, at: datetime) -> None:
        """Nothing of it is at Nginx Proxy Manager, as wished; the name stays reserved."""
        self.npm_host_id = None
        self.settle(HostStatus.RESERVED, at)

    def settle(
        self, status: HostStatus, at: datetime, error: str | None = None, seen: dict[str, Any] | None = None
    ) -> None:
        """Nothing is left to do by itself; `error` is nginx's own message, or how the host differs (`seen`)."""
        self.status, self.error = status, error[:MOST_ERROR] if error else None
        self.seen, self.agreed = seen, False
        self.attempts, self.next_try_at, self.updated_at = 0, None, at

    def fail(self, status: HostStatus, message: str, next_try_at: datetime | None, at: datetime) -> None:
        """A try failed; without a next try it waits for a person."""
        self.status, self.error, self.next_try_at, self.updated_at = (
            status,
            message[:MOST_ERROR],
            next_try_at,
            at,
        )
        self.attempts += 1

    def put_off(self, message: str, until: datetime) -> None:
        """Nothing was tried yet: look again then."""
        self.error, self.next_try_at = message[:MOST_ERROR], until

    def doubt(self, at: datetime) -> None:
        """A change had no clear answer, so it may come about later than others."""
        self.doubt_until = at + DOUBT
