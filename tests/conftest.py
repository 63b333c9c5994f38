"""The fixtures of the whole suite; see tests/support.py for what they are made of."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from xdist.scheduler import LoadScopeScheduling

from tests import postgres
from tests.support import COMPILED_TEMPLATES, Browser, make_config, make_user, remember_rules
from tests.tallies import pytest_terminal_summary, tally
from webapp import create_app
from webapp.config import Config
from webapp.db import db

__all__ = ["pytest_terminal_summary", "tally"]

remember_rules()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "LoadScopeScheduling":
    """One process runs everything that needs the one real engine; the rest is spread freely.

    (The mark `xdist_group` would say the same, but pytest 9.1 and later do not show it to xdist.)
    """

    class OneEngine(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "engine" if nodeid.startswith("tests/engine/") else nodeid

    return OneEngine(config, log)


@pytest.fixture(scope="session")
def server(worker_id: str) -> Iterator["postgres.Server | None"]:
    """A PostgreSQL server whose template has the tables, where the run is to use one."""
    if not postgres.is_wanted():
        yield None
        return
    with postgres.running(worker_id) as server:
        server.make_template(make_tables)
        yield server


def make_tables(url: str) -> None:
    """Fill a database with empty tables."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(make_config(Path(folder), database_url=url))
    with app.app_context():
        db.create_all()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def config(tmp_path: Path, server: "postgres.Server | None") -> Config:
    """A configuration with an empty data directory; override this fixture to change it for a module."""
    return make_config(tmp_path, **({"database_url": server.fresh()} if server else {}))


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with empty tables, made once and copied for each test."""
    config = make_config(tmp_path_factory.mktemp("tables"))
    with create_app(config).app_context():
        db.create_all()
        db.session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        db.session.remove()
        db.engine.dispose()
    return config.data_dir / "tiny-forge.sqlite3"


@pytest.fixture
def app(config: Config, tables: Path) -> Iterator[Flask]:
    """The panel on an empty database with tables, without any account."""
    if config.database_url.startswith("sqlite"):
        shutil.copyfile(tables, config.data_dir / tables.name)
    app = create_app(config)
    app.jinja_env.bytecode_cache = COMPILED_TEMPLATES
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """An application context, for tests that call services and look into the database."""
    with app.app_context():
        yield


@pytest.fixture
def client(app: Flask) -> Browser:
    """A browser signed in as `ada`, the only account."""
    make_user(app)
    return Browser(app).sign_in()
