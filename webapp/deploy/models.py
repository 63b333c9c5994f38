"""The rows behind the app pages: apps, their instances, and the versions of each."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.db import Base, Choice
from webapp.deploy.engine import Restart
from webapp.deploy.health import CheckKind
from webapp.deploy.recipe import Reach, Strategy
from webapp.dns.ledger import Consumer
from webapp.dns.models import ConsumerType
from webapp.proxy.models import HostOptions


class App(HostOptions, Base):
    """What is deployed: an image with everything it needs. Each instance of it has a name and versions.

    `env`, `mounts` and `labels` are as `deploy.service` writes them; secret values in `env` are sealed.
    Memory in MiB, times in seconds. `version` moves with every change.
    """

    __tablename__ = "apps"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    image: Mapped[str] = mapped_column(String(255))
    tag: Mapped[str] = mapped_column(String(128), default="latest")
    port: Mapped[int]
    subdomain: Mapped[str] = mapped_column(String(253))
    env: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    command: Mapped[list[str]] = mapped_column(JSON, default=list)
    mounts: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    labels: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    memory: Mapped[int] = mapped_column(default=512)
    cpus: Mapped[float] = mapped_column(default=0.0)
    pids: Mapped[int] = mapped_column(default=256)
    drop_all: Mapped[bool] = mapped_column(default=False)
    restart: Mapped[Restart] = mapped_column(Choice(Restart), default=Restart.UNLESS_STOPPED)
    reach: Mapped[Reach] = mapped_column(Choice(Reach), default=Reach.PORT)
    network: Mapped[str] = mapped_column(String(64), default="")
    publish_on: Mapped[str] = mapped_column(String(45), default="127.0.0.1")
    host_port: Mapped[int | None]
    scheme: Mapped[str] = mapped_column(String(5), default="http")
    check_kind: Mapped[CheckKind] = mapped_column(Choice(CheckKind), default=CheckKind.AUTO)
    check_path: Mapped[str] = mapped_column(String(255), default="/")
    check_status: Mapped[int] = mapped_column(default=200)
    check_interval: Mapped[int] = mapped_column(default=3)
    check_timeout: Mapped[int] = mapped_column(default=5)
    check_start_period: Mapped[int] = mapped_column(default=20)
    strategy: Mapped[Strategy] = mapped_column(Choice(Strategy), default=Strategy.AUTO)
    drain: Mapped[int] = mapped_column(default=5)
    stop_seconds: Mapped[int] = mapped_column(default=10)
    versions_kept: Mapped[int] = mapped_column(default=5)
    registry_user: Mapped[str] = mapped_column(String(255), default="")
    registry_password_sealed: Mapped[str | None] = mapped_column(Text)
    removing: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    instances: Mapped[list["Instance"]] = relationship(back_populates="app", order_by="Instance.name")


class Seen(StrEnum):
    """What an instance was doing when the engine was last looked at. NEW: nothing was deployed yet."""

    NEW = "new"
    RUNNING = "running"
    STARTING = "starting"
    UNHEALTHY = "unhealthy"
    RESTARTING = "restarting"
    STOPPED = "stopped"
    ENDED = "ended"
    MISSING = "missing"


class Instance(Base):
    """One running copy of an app under one name: «prod», «staging», one per branch.

    `tag` is what a deploy takes when nothing else is said; blank: the app's. `at_rest`: somebody stopped it here.
    """

    __tablename__ = "instances"
    __table_args__ = (UniqueConstraint("app_id", "name"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    app_id: Mapped[int] = mapped_column(ForeignKey("apps.id"))
    app: Mapped[App] = relationship(back_populates="instances", lazy="joined")
    name: Mapped[str] = mapped_column(String(40))
    tag: Mapped[str] = mapped_column(String(128), default="")
    fqdn: Mapped[str] = mapped_column(String(255))
    seen: Mapped[Seen] = mapped_column(Choice(Seen), default=Seen.NEW)
    seen_detail: Mapped[str] = mapped_column(String(500), default="")
    seen_at: Mapped[datetime | None]
    at_rest: Mapped[bool] = mapped_column(default=False)
    removing: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    @property
    def consumer(self) -> Consumer:
        """As whom it claims its name."""
        return Consumer(ConsumerType.INSTANCE, self.id)

    @property
    def title(self) -> str:
        """«blog/prod»."""
        return f"{self.app.slug}/{self.name}"

    def saw(self, seen: Seen, detail: str, at: datetime) -> None:
        """Note what the engine says, when it says something else than before."""
        if (self.seen, self.seen_detail) != (seen, detail[:500]):
            self.seen, self.seen_detail, self.seen_at = seen, detail[:500], at


class VersionState(StrEnum):
    """NEW: being deployed; CURRENT: the name leads to it; KEPT: stopped, to go back to."""

    NEW = "new"
    CURRENT = "current"
    KEPT = "kept"


class Version(Base):
    """One deployed version of an instance: its recipe, and the container that was made of it.

    `image_id` and `digest` make going back exact. `forward_*` is where the proxy host leads for it.
    """

    __tablename__ = "versions"
    __table_args__ = (
        UniqueConstraint("instance_id", "number"),
        Index(
            "uq_versions_current", "instance_id",
            unique=True, sqlite_where=text("state = 'current'"), postgresql_where=text("state = 'current'"),
        ),
        {"sqlite_autoincrement": True},  # the id is a mark on a container, so it must not come again
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"))
    number: Mapped[int]
    state: Mapped[VersionState] = mapped_column(Choice(VersionState), default=VersionState.NEW)
    reference: Mapped[str] = mapped_column(String(400))
    recipe_sealed: Mapped[str] = mapped_column(Text)
    image_id: Mapped[str] = mapped_column(String(80), default="")
    digest: Mapped[str] = mapped_column(String(400), default="")
    own_check: Mapped[bool] = mapped_column(default=False)
    container_id: Mapped[str | None] = mapped_column(String(80), index=True)
    container_name: Mapped[str] = mapped_column(String(128), default="")
    host_port: Mapped[int | None]
    forward_host: Mapped[str] = mapped_column(String(255), default="")
    forward_port: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    current_since: Mapped[datetime | None]

    @property
    def tag(self) -> str:
        """The tag it was deployed from."""
        return self.reference.rpartition(":")[2]


class EngineState(Base):
    """One row: which engine answers, and what of ours it has that no version knows. `error`: it does not answer."""

    __tablename__ = "engine_state"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    version: Mapped[str] = mapped_column(String(64), default="")
    api: Mapped[str] = mapped_column(String(16), default="")
    error: Mapped[str | None] = mapped_column(String(500))
    error_since: Mapped[datetime | None]
    looked_at: Mapped[datetime | None]
    strays: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
