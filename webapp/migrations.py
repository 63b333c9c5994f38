"""Brings the database to the present form: at every start, and before every command."""

import fcntl
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import flask_migrate
from flask import Flask
from sqlalchemy import inspect
from sqlalchemy.exc import DatabaseError

from webapp.config import Config
from webapp.db import db
from webapp.errors import ForgeError


def upgrade(app: Flask) -> None:
    """Run what is missing; quick when nothing is. Raises ForgeError when the database cannot be used."""
    directory = str(Path(app.root_path) / "migrations")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        with app.app_context(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if _is_current(directory):
                return
            with _alone(app):
                if not _is_current(directory):
                    flask_migrate.upgrade(directory=directory)
    except DatabaseError as error:
        raise ForgeError(
            f"The database cannot be used: {error.orig}. Check DATABASE_URL and the disk."
        ) from error


@contextmanager
def _alone(app: Flask) -> Iterator[None]:
    """One process at a time, of all that share the data directory: two that begin together would collide."""
    config: Config = app.config["FORGE"]
    with (config.data_dir / "migrating.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_current(directory: str) -> bool:
    """Compare revisions without starting Alembic's environment: that would make every command slower."""
    from alembic.script import ScriptDirectory

    head = ScriptDirectory(directory).get_current_head()
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return bool(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == head)
