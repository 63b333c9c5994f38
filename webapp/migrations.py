"""Brings the database to the present form: at every start, and before every command."""

import fcntl
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from sqlalchemy import inspect
from sqlalchemy.exc import DatabaseError

from webapp.config import Config
from webapp.db import db
from webapp.errors import ForgeError


def upgrade(app: Flask) -> None:
    """Run what is missing; quick when nothing is. Raises ForgeError when the database cannot be used."""
    directory = Path(app.root_path) / "migrations"
    try:
        with app.app_context():
            if _is_current(directory):
                return
            with _alone(app):
                if not _is_current(directory):
                    _migrate(app, directory)
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


def head(directory: Path) -> str:
    """The newest revision: the files of the revisions begin with their numbers."""
    return max(path.name.split("_")[0] for path in (directory / "versions").glob("[0-9]*.py"))


def _is_current(directory: Path) -> bool:
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        current = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return bool(current == head(directory))


def _migrate(app: Flask, directory: Path) -> None:
    """Imported here, and not with everything else: that would make every command and every start slower."""
    import flask_migrate

    flask_migrate.Migrate().init_app(app, db, render_as_batch=True)
    app.cli.commands.pop("db", None)  # migrations run by themselves
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        flask_migrate.upgrade(directory=str(directory))
