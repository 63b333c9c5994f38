"""When to try again: exponential, with jitter, and never sooner than the provider asked. Pure."""

from datetime import datetime, timedelta

FIRST = timedelta(seconds=2)
LONGEST = timedelta(minutes=15)


def next_try(at: datetime, attempts: int, spread: float, retry_after: timedelta | None = None) -> datetime:
    """The moment of the next try after the given number of failed attempts (1 or more).

    `spread` is a random number from 0 to 1; it moves the pause by up to a quarter either way, so that many
    rows, or many panels, do not come back at the same moment.
    """
    pause = min(FIRST * int(2 ** min(attempts - 1, 16)), LONGEST) * (0.75 + spread / 2)
    return at + max(pause, retry_after or timedelta())
