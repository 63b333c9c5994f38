"""The request limit of the Cloudflare stand-in, and the headers that tell about it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from webapp.sandbox.cloudflare_answers import Refused
from webapp.sandbox.server import Reply


@dataclass
class Throttle:
    """Counts the requests of each caller in windows of time; refuses them only if `enforced`.

    A caller that passed the quota is refused for a whole further window, as Cloudflare documents it.
    """

    now: Callable[[], datetime]
    quota: int = 1200
    window: float = 300.0
    enforced: bool = False
    retry_after: bool = True
    _ends: dict[str, float] = field(default_factory=dict)
    _used: dict[str, int] = field(default_factory=dict)

    def limit(self, quota: int, window: float, retry_after: bool) -> None:
        """Refuse what passes the quota from now on; what was counted before is forgotten."""
        self.quota, self.window, self.retry_after, self.enforced = quota, window, retry_after, True
        self._ends.clear()
        self._used.clear()

    def take(self, caller: str) -> tuple[dict[str, str], Reply | None]:
        """Count one request: the headers of its answer, and the answer itself if it is refused."""
        now = self.now().timestamp()
        if now >= self._ends.get(caller, 0.0):
            self._ends[caller], self._used[caller] = now + self.window, 0
        self._used[caller] += 1
        refused = self.enforced and self._used[caller] > self.quota
        if refused and self._used[caller] == self.quota + 1:
            self._ends[caller] = now + self.window
        wait = max(1, round(self._ends[caller] - now))
        headers = {
            "Ratelimit": f'"default";r={max(0, self.quota - self._used[caller])};t={wait}',
            "Ratelimit-Policy": f'"default";q={self.quota};w={round(self.window)}',
        }
        return headers, self._refusal(wait) if refused else None

    def _refusal(self, wait: int) -> Reply:
        error = Refused(10100, quota=self.quota, window=round(self.window))
        return error.reply(**{"Retry-After": str(wait)} if self.retry_after else {})
