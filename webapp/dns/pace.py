"""Keeps within the number of calls an API allows, over restarts, and leaves some for the operator's other tools."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from webapp.db import transaction
from webapp.dns.connections import CallWindow
from webapp.errors import Outage

WINDOW = timedelta(minutes=5)
ALLOWED = 1200
"""Cloudflare counts all calls of a user together, whatever makes them (API limits, 2026)."""

RESERVE = 240
"""Calls in each window that are left alone: for the dashboard, and for tools of others."""


@dataclass
class Pace:
    """The budget of one token, which is known here by a digest only; see `providers.base.Budget`."""

    token: str
    clock: Callable[[], datetime]
    allowed: int = ALLOWED - RESERVE

    @classmethod
    def of(cls, token: str, clock: Callable[[], datetime]) -> "Pace":
        """The budget of a token, whichever zones it is used for."""
        return cls(sha256(b"tiny-forge pace " + token.encode()).hexdigest()[:32], clock)

    def spend(self) -> None:
        """Count a call that is about to be made. Raises Outage, with the time to wait, when none is left."""
        at = self.clock()
        with transaction() as session:
            row = session.get(CallWindow, self.token)
            if row is None:
                row = CallWindow(token=self.token, began_at=at, calls=0)
                session.add(row)
            if row.began_at + WINDOW <= at:
                row.began_at, row.calls = at, 0
            end = max(row.closed_until or at, row.began_at + WINDOW if row.calls >= self.allowed else at)
            if end > at:
                raise Outage(
                    f"This token has made {row.calls} of the calls that Cloudflare allows in five minutes, and the "
                    "rest is left for your other tools. It goes on by itself.",
                    end - at,
                )
            row.calls += 1

    def told(self, left: int, seconds: int) -> None:
        """The API says how many calls are left, for everybody, until so many seconds from now."""
        if left > RESERVE:
            return
        at = self.clock()
        with transaction() as session:
            row = session.get(CallWindow, self.token)
            if row is not None:
                row.closed_until = at + timedelta(seconds=min(seconds, 3600))
