"""Accounts, the sessions of people who signed in, and the memory of failed attempts."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.db import Base


class User(Base):
    """Somebody who may sign in. `name` is kept in lower case."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    # True for the first account and NULL for all others; unique, so that of two set-ups at once one fails.
    founder: Mapped[bool | None] = mapped_column(unique=True)


class SignIn(Base):
    """One browser's session. The browser holds the token; only its SHA-256 is stored, so a leak opens nothing."""

    __tablename__ = "sign_ins"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(200))

    user: Mapped[User] = relationship()


class Throttle(Base):
    """How often something failed lately under one key (an account, a client), and when it may be tried again."""

    __tablename__ = "throttles"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    failures: Mapped[int]
    failed_at: Mapped[datetime] = mapped_column(index=True)
    open_at: Mapped[datetime]
