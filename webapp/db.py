"""The database: base class, UTC times, SQLite settings, and the one thing that commits."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar, cast

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Engine, MetaData, String, Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.types import TypeDecorator

Row = TypeVar("Row")
NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """Aware times in and out; stored as naive UTC, which every database understands."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Choice(TypeDecorator[StrEnum]):
    """One value of a StrEnum, stored as its text."""

    impl = String(16)
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind
        self.known = {str(choice): choice for choice in kind}

    def process_bind_param(self, value: StrEnum | None, _dialect: Dialect) -> str | None:
        return None if value is None else str(self._choice(value))

    def process_result_value(self, value: str | None, _dialect: Dialect) -> StrEnum | None:
        return None if value is None else self._choice(value)

    def _choice(self, value: str) -> StrEnum:
        """Looked up, for thousands of rows; an unknown one is refused in the words of the enum."""
        return self.known.get(value) or self.kind(value)


class Base(DeclarativeBase):
    """Parent of every model."""

    # A registry rather than its parts: Flask-SQLAlchemy copies the class, and SQLAlchemy 2.1 takes no copy of those.
    registry = registry(
        metadata=MetaData(naming_convention=NAMING), type_annotation_map={datetime: UtcDateTime}
    )


class Bell:
    """Rung when there is work; every listener hears each ring once, however many listen."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.rings = 0

    def ring(self) -> None:
        """Wake everybody who waits."""
        with self._changed:
            self.rings += 1
            self._changed.notify_all()

    def wait(self, heard: int, seconds: float) -> None:
        """Return as soon as it has rung more often than `heard` times, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.rings > heard, seconds)


WRITERS = 0x74696E79
"""The number of the lock that those hold who write to a PostgreSQL database; it is one database's own."""

db = SQLAlchemy(model_class=Base)
work_committed = Bell()
_writing: ContextVar[bool] = ContextVar("writing", default=False)
_reading: ContextVar[bool] = ContextVar("reading", default=False)


def now() -> datetime:
    """The present moment. Services take it as an argument; the edges call this."""
    return datetime.now(UTC)


@contextmanager
def transaction() -> Iterator[Session]:
    """Commit what the block did, or none of it; an inner transaction joins the outer one.

    Those who write take turns, whatever the database: what was read inside is still true when it commits.
    """
    session: Session = db.session()
    if _writing.get():
        yield session
        return
    session.rollback()  # ends a read transaction: a write must not start from an old snapshot
    token = _writing.set(True)
    try:
        yield session
        session.commit()
    except BaseException:
        session.info.pop("wakes_worker", None)
        session.rollback()
        raise
    finally:
        _writing.reset(token)
    if session.info.pop("wakes_worker", False):
        work_committed.ring()


@contextmanager
def reading() -> Iterator[Session]:
    """Look at the database as it is now; what was loaded stays usable afterwards, without further queries.

    An inner look joins the outer one, or the transaction it is in.
    """
    session: Session = db.session()
    if _writing.get() or _reading.get():
        yield session
        return
    session.rollback()
    token = _reading.set(True)
    try:
        yield session
    finally:
        _reading.reset(token)
        session.close()


def wake_worker_on_commit() -> None:
    """Have every lane of the worker look at its rows as soon as the current transaction is committed."""
    db.session().info["wakes_worker"] = True


def only_row(session: Session, model: type[Row], **values: Any) -> Row:
    """The one row of a table that has one; made with these values where there is none, once for everybody."""
    row = session.get(model, 1)
    if row is None:
        session.execute(insert(model).values(id=1, **values).on_conflict_do_nothing())
        row = session.get_one(model, 1)
    return row


def insert(model: type[Any]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say what to do about a row that is there already, in the words of the database."""
    return sqlite.insert(model) if db.engine.dialect.name == "sqlite" else postgresql.insert(model)


def in_chunks(items: Sequence[Row], size: int = 500) -> Iterator[Sequence[Row]]:
    """The items in parts: as many as a statement has room for, or as are to be done at once."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def table(model: type[Base]) -> Table:
    """The table of a model, for writing thousands of rows at once without loading any."""
    return cast(Table, model.__table__)


def init(app: Flask) -> None:
    """Connect the app to its database."""
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _tune_sqlite(db.engine, synchronous="OFF" if app.testing else "NORMAL")
        else:
            _tune_postgresql(db.engine)


def _tune_sqlite(engine: Engine, synchronous: str) -> None:
    """WAL so that readers never wait; we begin transactions ourselves (SQLAlchemy's pysqlite notes say how)."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "busy_timeout=10000",
            "foreign_keys=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")


def _tune_postgresql(engine: Engine) -> None:
    """Writers take turns, as on SQLite: by default two may read the same row, and the later one undo the earlier."""

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        if _writing.get():
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")
