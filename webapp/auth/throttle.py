"""Slows down guessing, per account and per client, and remembers across restarts.

Each failure beyond the free ones doubles the wait. An account's wait binds only clients that failed a few times
themselves: otherwise anybody could keep the only administrator out by failing on purpose.
"""

from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.auth.clients import Client
from webapp.auth.models import Throttle
from webapp.db import insert, transaction
from webapp.errors import ForgeError

FREE_PER_CLIENT = 3
FREE_PER_ACCOUNT = 5
LONGEST_PER_CLIENT = timedelta(minutes=15)
LONGEST_PER_ACCOUNT = timedelta(minutes=5)
FORGOTTEN_AFTER = timedelta(hours=1)


class TooManyAttempts(ForgeError):
    """It may be tried again later; `retry_after` says in how many seconds."""

    status = 429

    def __init__(self, wait: timedelta) -> None:
        self.retry_after = max(1, round(wait.total_seconds()))
        unit = "second" if self.retry_after == 1 else "seconds"
        super().__init__(f"Too many attempts. Wait {self.retry_after} {unit}, then try again.")


def take(purpose: str, account: str, client: Client, now: datetime) -> None:
    """Count an attempt before it is made, so that attempts at the same moment count too.

    Raises TooManyAttempts; such an attempt is not counted.
    """
    mine, theirs = _keys(purpose, account, client)
    with transaction() as session:
        session.execute(delete(Throttle).where(Throttle.failed_at < now - FORGOTTEN_AFTER))
        rows = _locked(session, sorted((mine, theirs)), now)
        open_at = rows[mine].open_at
        if rows[mine].failures >= FREE_PER_CLIENT:
            open_at = max(open_at, rows[theirs].open_at)
        if open_at > now:
            raise TooManyAttempts(open_at - now)
        _count(rows[mine], FREE_PER_CLIENT, LONGEST_PER_CLIENT, now)
        _count(rows[theirs], FREE_PER_ACCOUNT, LONGEST_PER_ACCOUNT, now)


def clear(purpose: str, account: str, client: Client) -> None:
    """The attempt succeeded: forget the failures before it."""
    with transaction() as session:
        session.execute(delete(Throttle).where(Throttle.key.in_(_keys(purpose, account, client))))


def clear_account(purpose: str, account: str) -> None:
    """Forget the failures of an account, whoever made them."""
    with transaction() as session:
        session.execute(delete(Throttle).where(Throttle.key == _account_key(purpose, account)))


def _keys(purpose: str, account: str, client: Client) -> tuple[str, str]:
    return f"{purpose} client {client.network}", _account_key(purpose, account)


def _account_key(purpose: str, account: str) -> str:
    # Hashed, because people type passwords into the name field.
    return f"{purpose} account {sha256(account.encode()).hexdigest()[:32]}"


def _locked(session: Session, keys: list[str], now: datetime) -> dict[str, Throttle]:
    """The rows, made if need be, and nobody else's until the transaction ends."""
    blank = [{"key": key, "failures": 0, "failed_at": now, "open_at": now} for key in keys]
    made = insert(Throttle)
    # An update that changes nothing locks a row that is there; left alone, it could be deleted in between.
    session.execute(
        made.on_conflict_do_update(index_elements=["key"], set_={"key": made.excluded.key}), blank
    )
    rows = session.scalars(
        select(Throttle).where(Throttle.key.in_(keys)).order_by(Throttle.key).with_for_update()
    )
    return {row.key: row for row in rows}


def _count(row: Throttle, free: int, longest: timedelta, now: datetime) -> None:
    row.failures += 1
    row.failed_at = now
    excess = min(row.failures - free, 20)
    if excess > 0:
        row.open_at = now + min(timedelta(seconds=2**excess), longest)
