"""What can be done with accounts: create them, sign in, change and reset passwords."""

import logging
import re
from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.exc import IntegrityError

from webapp.auth import passwords, sessions, throttle
from webapp.auth.clients import Client
from webapp.auth.models import User
from webapp.auth.sessions import SignedIn
from webapp.db import db, transaction
from webapp.errors import Busy, InvalidInput, NotFound

log = logging.getLogger("webapp.auth")

NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
SIGN_IN = "sign-in"
PASSWORD = "password"  # noqa: S105 - the purpose of a throttle, not a secret


def normal_name(text: str) -> str:
    """The name as it is stored. Raises InvalidInput for one that cannot be used."""
    name = text.strip().lower()
    if not NAME.fullmatch(name):
        raise InvalidInput(
            "Use 1 to 64 letters, digits and . _ @ + -, with a letter or digit first.", field="name"
        )
    return name


def account_exists() -> bool:
    """Whether the panel has been set up."""
    return bool(db.session.scalar(select(exists().where(User.id.is_not(None)))))


def create_account(name: str, password: str, now: datetime, *, only_as_first: bool = False) -> User:
    """Add somebody who may sign in.

    Raises InvalidInput for an unusable or taken name or a weak password, and NotFound when it had to be the
    first account and is not.
    """
    name = normal_name(name)
    passwords.check(password, name)
    user = User(name=name, password_hash=passwords.current().hash(password), created_at=now)
    try:
        with transaction() as session:
            user.founder = None if account_exists() else True
            if only_as_first and not user.founder:
                raise NotFound("The panel has been set up already. Sign in instead.")
            if session.scalar(select(User.id).where(User.name == name)):
                raise InvalidInput("There is already an account of that name.", field="name")
            session.add(user)
    except IntegrityError as error:
        raise Busy("Somebody else created an account at the same moment. Look, then try again.") from error
    log.info("account created: %s", name)
    return user


def sign_in(name: str, password: str, client: Client, now: datetime) -> SignedIn:
    """Open a session. Raises InvalidInput, the same for a wrong name as for a wrong password, or TooManyAttempts."""
    name = name.strip().lower()
    user = db.session.scalar(select(User).where(User.name == name))
    known = user.name if user else "(unknown account)"  # what was typed may be a password: it is not logged
    try:
        throttle.take(SIGN_IN, name, client, now)
    except throttle.TooManyAttempts:
        log.warning("sign-in throttled: %s from %s", known, client.address)
        raise
    stored = user.password_hash if user else None
    if not passwords.current().matches(password, stored) or user is None:
        log.warning("sign-in refused: %s from %s", known, client.address)
        raise InvalidInput("That name and password do not go together.")
    with transaction():
        _refresh_hash(user, password)
        throttle.clear(SIGN_IN, name, client)
        signed_in = sessions.start(user, client, now)
    log.info("sign-in accepted: %s from %s", known, client.address)
    return signed_in


def sign_out(who: SignedIn, client: Client) -> None:
    """End the session for every copy of its cookie."""
    sessions.end(who.user_id, who.sign_in_id)
    log.info("signed out: %s from %s", who.name, client.address)


def change_password(
    who: SignedIn, old: str, new: str, client: Client, now: datetime, *, end_others: bool
) -> SignedIn:
    """Set another password and open a new session in place of the present one.

    Raises InvalidInput for a wrong old or a weak new password, or TooManyAttempts.
    """
    user = db.session.get_one(User, who.user_id)
    throttle.take(PASSWORD, user.name, client, now)
    if not passwords.current().matches(old, user.password_hash):
        log.warning("password change refused: %s from %s", user.name, client.address)
        raise InvalidInput("That is not your present password.", field="old")
    throttle.clear(PASSWORD, user.name, client)
    passwords.check(new, user.name, field="password")
    hashed = passwords.current().hash(new)
    with transaction() as session:
        session.execute(update(User).where(User.id == user.id).values(password_hash=hashed))
        if end_others:
            sessions.end_all(user.id)
        sessions.end(user.id, who.sign_in_id)
        signed_in = sessions.start(user, client, now)
    log.info("password changed: %s from %s", who.name, client.address)
    return signed_in


def reset_password(name: str, password: str) -> str:
    """Set the password without knowing the old one, for the command line; ends all sessions of the account.

    Returns the name as it is stored. Raises NotFound, or InvalidInput for a weak password.
    """
    name = name.strip().lower()
    user = db.session.scalar(select(User).where(User.name == name))
    if user is None:
        raise NotFound(f"There is no account called {name!r}.")
    passwords.check(password, name)
    hashed = passwords.current().hash(password)
    with transaction() as session:
        session.execute(update(User).where(User.id == user.id).values(password_hash=hashed))
        sessions.end_all(user.id)
        throttle.clear_account(SIGN_IN, name)
    log.info("password reset: %s", name)
    return name


def _refresh_hash(user: User, password: str) -> None:
    """Store the password under today's parameters; possible only now, while it is known."""
    if passwords.current().is_outdated(user.password_hash):
        user.password_hash = passwords.current().hash(password)
