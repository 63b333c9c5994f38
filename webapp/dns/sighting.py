"""The part of a claim's row that says how the name looks from outside, and when that is looked at next."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, false
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Choice
from webapp.dns.live import Liveness, Verdict


class Sighting:
    """Columns and methods of a row. `live` is None before the first look at what is wanted now.

    `live_due_at` is None while there is nothing to look at; `live_tries` counts looks that did not find it live.
    `live_elsewhere`: without a record of ours the name leads to other addresses than the server's, and so has to
    prove at its proxy host that it leads here; known until a look says otherwise.
    """

    live: Mapped[Liveness | None] = mapped_column(Choice(Liveness))
    live_message: Mapped[str | None] = mapped_column(String(500))
    live_at: Mapped[datetime | None]
    live_due_at: Mapped[datetime | None] = mapped_column(index=True)
    live_tries: Mapped[int] = mapped_column(default=0, server_default="0")
    live_elsewhere: Mapped[bool] = mapped_column(default=False, server_default=false())

    def look_away(self) -> None:
        """What was seen says nothing about what is wanted now."""
        self.live = self.live_message = self.live_at = self.live_due_at = None
        self.live_tries = 0

    def sighted(self, verdict: Verdict, at: datetime, due: datetime) -> None:
        """A look found this; the next one is due then."""
        self.live, self.live_message = verdict.liveness, verdict.message[:500]
        self.live_at, self.live_due_at = at, due
        self.live_tries = 0 if verdict.liveness is Liveness.LIVE else self.live_tries + 1
        if verdict.elsewhere or verdict.liveness is Liveness.LIVE:
            self.live_elsewhere = verdict.elsewhere


def looked_at_soon(at: datetime) -> dict[str, Any]:
    """What a row says when its record has just been written: see whether the world gets it."""
    return {"live": None, "live_message": None, "live_at": None, "live_due_at": at, "live_tries": 0}
