"""The rows behind the certificates page: what was asked for, how far it is, and for whom."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, Choice

TRIES = 5
"""Let's Encrypt allows five failed validations per name, account and hour (letsencrypt.org/docs/rate-limits)."""

PAUSES = tuple(timedelta(minutes=m) for m in (5, 15, 45, 135))
"""After the first, second, ... failed try: at most three fall into any one hour."""

MOST_ERROR = 1000


class Challenge(StrEnum):
    """How Let's Encrypt has it proven that a name is ours."""

    HTTP = "http"
    DNS = "dns"


class Phase(StrEnum):
    """How far a request is."""

    WAITING = "waiting"
    REQUESTING = "requesting"
    ATTACHING = "attaching"
    DONE = "done"
    FAILED = "failed"


class Holder(StrEnum):
    """What a certificate is for."""

    NOBODY = "nobody"
    PROXY = "proxy"
    APP = "app"


class CertificateRequest(Base):
    """A certificate that somebody asked for, or (`renews`) asked to have renewed; `names` are sorted.

    `asked_at`: NPM was asked, and no answer is known yet; `known` are the certificates for these names from before.
    `disturbed`: hosts of these names have to be written anew, as NPM took them out to ask, and their covers go.
    `options`: the flags that hosts get with it; `before`: what they had. `dropped`: nobody wants it any more.
    """

    __tablename__ = "certificate_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    names: Mapped[list[str]] = mapped_column(JSON)
    challenge: Mapped[Challenge] = mapped_column(Choice(Challenge))
    renews: Mapped[int | None]
    holder: Mapped[Holder] = mapped_column(Choice(Holder), default=Holder.NOBODY)
    holder_id: Mapped[int | None]
    options: Mapped[dict[str, bool]] = mapped_column(JSON, default=dict)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    known: Mapped[list[int]] = mapped_column(JSON, default=list)
    phase: Mapped[Phase] = mapped_column(Choice(Phase), default=Phase.WAITING)
    asked_at: Mapped[datetime | None]
    disturbed: Mapped[bool] = mapped_column(default=False)
    dropped: Mapped[bool] = mapped_column(default=False)
    certificate_id: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(MOST_ERROR))
    detail: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    failures: Mapped[list[str]] = mapped_column(JSON, default=list)
    next_try_at: Mapped[datetime | None] = mapped_column(index=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done about it."""
        return self.phase not in (Phase.DONE, Phase.FAILED)

    @property
    def in_flight(self) -> bool:
        """Whether NPM may be at it, or hosts may be out of service because of it: it cannot just be forgotten."""
        return self.asked_at is not None or self.disturbed

    def go_on(self, phase: Phase, at: datetime) -> None:
        """On to a phase, without any pause."""
        self.phase, self.next_try_at, self.updated_at = phase, at, at

    def put_off(self, message: str | None, until: datetime, at: datetime) -> None:
        """Nothing was tried yet, or it is being tried: look again then."""
        self.error, self.next_try_at, self.updated_at = _cut(message), until, at

    def refuse(self, message: str, detail: str, again: datetime | None, at: datetime) -> None:
        """A try failed: once more at that time, from the beginning, or not before a person says so."""
        self.attempts += 1
        self.asked_at = None
        self.failures = [*self.failures, at.isoformat()][-TRIES:]
        self.phase = Phase.FAILED if again is None else Phase.WAITING
        self.error, self.detail = _cut(message), detail or None
        self.next_try_at, self.updated_at = again, at

    def turn_down(self, message: str, at: datetime) -> None:
        """It cannot even be tried as things are; a person has to see to that."""
        self.asked_at, self.phase, self.error, self.detail = None, Phase.FAILED, _cut(message), None
        self.next_try_at, self.updated_at = None, at

    def got(self, certificate_id: int, at: datetime) -> None:
        """The certificate is there."""
        self.certificate_id, self.asked_at, self.before = certificate_id, None, None
        self.error = self.detail = None
        self.go_on(Phase.ATTACHING, at)

    def finish(self, at: datetime) -> None:
        """All is as wished."""
        self.phase, self.error, self.detail, self.next_try_at, self.updated_at = (
            Phase.DONE,
            None,
            None,
            None,
            at,
        )


def failed_lately(failures: Sequence[str], at: datetime) -> list[datetime]:
    """The failed tries that count for Let's Encrypt's limit, the oldest first."""
    times = [datetime.fromisoformat(text) for text in failures]
    return [time for time in times if time > at - timedelta(hours=1)]


def _cut(message: str | None) -> str | None:
    return message[:MOST_ERROR] if message else None
