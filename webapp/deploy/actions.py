"""The rows of what is done to instances: each action is a wish, how far it is, and its log."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, Choice

MOST_TEXT = 2000


class Kind(StrEnum):
    """What can be done to an instance. CLEAN_UP is for a container that no row knows."""

    DEPLOY = "deploy"
    ROLL_BACK = "roll-back"
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    REMOVE = "remove"
    CLEAN_UP = "clean-up"


DEPLOYS = frozenset({Kind.DEPLOY, Kind.ROLL_BACK})


class Phase(StrEnum):
    """How far an action is, in this order; the last three are ends."""

    QUEUED = "queued"
    CHECKING = "checking"
    PULLING = "pulling"
    STARTING = "starting"
    WAITING = "waiting"
    SWITCHING = "switching"
    DRAINING = "draining"
    RETIRING = "retiring"
    WORKING = "working"
    UNDOING = "undoing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ORDER: Mapping[Phase, int] = {phase: place for place, phase in enumerate(Phase)}
ENDS = frozenset({Phase.DONE, Phase.FAILED, Phase.CANCELLED})
CAN_CANCEL = frozenset({Phase.QUEUED, Phase.CHECKING, Phase.PULLING, Phase.STARTING, Phase.WAITING})


class Action(Base):
    """Something that is done to an instance, by the worker: the wish, how far it is, and what came of it.

    It survives what it was done to; `title` names that. `key` belongs to one form: sent twice, it is one action.
    `outcome` is where an undo leads. `wishes` holds the details: {"tag": …} or {"volumes": true}.
    """

    __tablename__ = "actions"
    __table_args__ = (Index("ix_actions_open", "finished_at", "app_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[Kind] = mapped_column(Choice(Kind))
    title: Mapped[str] = mapped_column(String(100))
    app_id: Mapped[int | None] = mapped_column(ForeignKey("apps.id", ondelete="SET NULL"), index=True)
    instance_id: Mapped[int | None] = mapped_column(
        ForeignKey("instances.id", ondelete="SET NULL"), index=True
    )
    version_id: Mapped[int | None] = mapped_column(ForeignKey("versions.id", ondelete="SET NULL"))
    version_number: Mapped[int | None]
    reference: Mapped[str] = mapped_column(String(400), default="")
    wishes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    asked_by: Mapped[str] = mapped_column(String(100), default="")
    key: Mapped[str | None] = mapped_column(String(64), unique=True)
    phase: Mapped[Phase] = mapped_column(Choice(Phase), default=Phase.QUEUED)
    phase_since: Mapped[datetime | None]
    outcome: Mapped[Phase | None] = mapped_column(Choice(Phase))
    error: Mapped[str | None] = mapped_column(String(MOST_TEXT))
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    progress: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @property
    def is_over(self) -> bool:
        """Whether it has come to an end."""
        return self.phase in ENDS

    @property
    def can_cancel(self) -> bool:
        """Whether it can still be given up: until the name leads to the new version."""
        return self.phase in CAN_CANCEL and not self.cancel_asked

    def enter(self, phase: Phase, at: datetime) -> bool:
        """Go on to a later phase; False when it is there already, as when it is resumed."""
        if ORDER[phase] <= ORDER[self.phase]:
            return False
        self.phase, self.phase_since, self.attempts, self.next_try_at = phase, at, 0, None
        self.error = self.error if phase is Phase.UNDOING else None
        self.started_at = self.started_at or at
        return True

    def put_off(self, message: str, next_try_at: datetime) -> None:
        """A step failed in a way that waiting may heal."""
        self.error, self.next_try_at = message[:MOST_TEXT], next_try_at
        self.attempts += 1

    def end(self, phase: Phase, at: datetime, error: str | None = None) -> None:
        """It is over."""
        self.phase, self.phase_since, self.finished_at, self.next_try_at = phase, at, at, None
        self.error = error[:MOST_TEXT] if error else None


class Level(StrEnum):
    """What kind of line it is; OUTPUT is what a container wrote."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    OUTPUT = "output"


class ActionLine(Base):
    """One line in the log of an action."""

    __tablename__ = "action_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    action_id: Mapped[int] = mapped_column(ForeignKey("actions.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    phase: Mapped[Phase] = mapped_column(Choice(Phase))
    level: Mapped[Level] = mapped_column(Choice(Level), default=Level.INFO)
    text: Mapped[str] = mapped_column(String(MOST_TEXT))
