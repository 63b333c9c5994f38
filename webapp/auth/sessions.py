"""Sessions on the server: the browser holds a random token, and ending the row here ends it everywhere."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, delete, or_, select, update

from webapp.auth.clients import Client
from webapp.auth.models import SignIn, User
from webapp.db import db, transaction

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
SEEN_STEP = timedelta(minutes=1)
TOKEN_BYTES = 32


@dataclass(frozen=True)
class SignedIn:
    """The person behind a request, in the shape that Flask-Login wants."""

    user_id: int
    name: str
    sign_in_id: int
    token: str = field(repr=False)

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What the browser keeps."""
        return self.token


def start(user: User, client: Client, now: datetime) -> SignedIn:
    """Open a session under a new token, and forget those that have run out."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = SignIn(
        token_hash=fingerprint(token), user_id=user.id, created_at=now, last_seen_at=now,
        address=client.address, user_agent=client.user_agent,
    )  # fmt: skip
    with transaction() as session:
        session.execute(delete(SignIn).where(_ended(now)))
        session.add(row)
        session.flush()
        return SignedIn(user.id, user.name, row.id, token)


def find(token: str, now: datetime, *, by_person: bool = True) -> SignedIn | None:
    """Who holds this token, if the session is still open; notes at most once a minute that it was used.

    A page that refreshes itself is not a person at work: it does not keep a session open.
    """
    row = db.session.scalar(
        select(SignIn).where(SignIn.token_hash == fingerprint(token), ~_ended(now)).join(SignIn.user)
    )
    if row is None:
        return None
    found = SignedIn(row.user_id, row.user.name, row.id, token)
    if by_person and now - row.last_seen_at >= SEEN_STEP:
        with transaction() as session:
            session.execute(update(SignIn).where(SignIn.id == row.id).values(last_seen_at=now))
    return found


def of_user(user_id: int, now: datetime) -> list[SignIn]:
    """The person's open sessions, the latest used first."""
    return list(
        db.session.scalars(
            select(SignIn)
            .where(SignIn.user_id == user_id, ~_ended(now))
            .order_by(SignIn.last_seen_at.desc(), SignIn.id.desc())
        )
    )


def end(user_id: int, sign_in_id: int) -> bool:
    """End one of the person's own sessions; whether there was such a one."""
    with transaction() as session:
        gone = session.execute(
            delete(SignIn).where(SignIn.id == sign_in_id, SignIn.user_id == user_id).returning(SignIn.id)
        )
        return gone.first() is not None


def end_all(user_id: int, keep: int | None = None) -> int:
    """End all of the person's sessions, but for the one to keep; how many that were."""
    with transaction() as session:
        gone = session.execute(
            delete(SignIn).where(SignIn.user_id == user_id, SignIn.id != (keep or 0)).returning(SignIn.id)
        )
        return len(gone.all())


def fingerprint(token: str) -> str:
    """What is stored of a token. It is random and long, so a fast hash without salt will do."""
    return sha256(token.encode()).hexdigest()


def _ended(now: datetime) -> ColumnElement[bool]:
    return or_(SignIn.last_seen_at <= now - IDLE, SignIn.created_at <= now - ABSOLUTE)
