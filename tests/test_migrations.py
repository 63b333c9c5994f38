"""The migrations give the database that the models describe, however often they run."""

import subprocess
import sys
from pathlib import Path

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from tests.support import make_config
from webapp import create_app, migrations
from webapp.db import db
from webapp.errors import ForgeError

ROOT = Path(__file__).parents[1]


@pytest.fixture
def fresh(tmp_path):
    """A panel on a database without any table."""
    (tmp_path / "fresh").mkdir()
    return create_app(make_config(tmp_path / "fresh"))


def schema(app):
    """What SQLite itself says about tables and indexes, without its own."""
    with app.app_context(), db.engine.connect() as connection:
        query = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
        return connection.execute(text(query)).all()


def columns(app):
    with app.app_context():
        inspector = inspect(db.engine)
        return {
            table: {
                (c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)
            }
            for table in inspector.get_table_names() if table != "alembic_version"
        }  # fmt: skip


def test_an_empty_database_gets_what_the_models_describe(fresh):
    migrations.upgrade(fresh)
    with fresh.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, db.metadata) == []


def test_types_and_null_are_as_in_the_models_too(fresh, app):
    migrations.upgrade(fresh)
    assert columns(fresh) == columns(app)


def test_names_are_unique_in_the_database_too(fresh, app):
    """Partial indexes, which comparing metadata does not look into."""
    migrations.upgrade(fresh)

    def partial(found):
        return {
            name: sql.split("WHERE")[1].strip() for name, sql in schema(found) if sql and " WHERE " in sql
        }

    assert partial(fresh) == partial(app)
    assert set(partial(fresh)) >= {"uq_proxy_hosts_fqdn", "uq_dns_records_claim"}


def test_a_second_run_changes_nothing(fresh):
    migrations.upgrade(fresh)
    before = schema(fresh)
    migrations.upgrade(fresh)
    assert schema(fresh) == before


def test_what_is_up_to_date_starts_no_migration(fresh, monkeypatch):
    migrations.upgrade(fresh)
    monkeypatch.setattr(flask_migrate, "upgrade", lambda **_: pytest.fail("it ran"))
    migrations.upgrade(fresh)


def test_the_newest_revision_is_told_by_the_names_of_the_files():
    directory = ROOT / "migrations"
    assert migrations.head(directory) == ScriptDirectory(str(directory)).get_current_head()


def test_a_command_does_not_wait_for_what_only_migrations_need():
    code = "import app, sys; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_data_survives_a_further_start(fresh):
    migrations.upgrade(fresh)
    with fresh.app_context(), db.engine.begin() as connection:
        connection.execute(text("INSERT INTO leases VALUES ('a', 'b', '2026-01-01')"))
    migrations.upgrade(fresh)
    with fresh.app_context(), db.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM leases")).scalar() == 1


def test_a_database_that_cannot_be_opened_is_told(tmp_path):
    app = create_app(make_config(tmp_path, database_url=f"sqlite:///{tmp_path}/no/such/place.sqlite3"))
    with pytest.raises(ForgeError, match=r"The database cannot be used: unable to open.*DATABASE_URL"):
        migrations.upgrade(app)


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "tiny-forge.sqlite3").write_text("this is a letter to my aunt, and no database at all" * 20)
    with pytest.raises(ForgeError, match="The database cannot be used: file is not a database"):
        migrations.upgrade(create_app(make_config(tmp_path)))


@pytest.mark.matrix
def test_many_processes_that_start_together_migrate_once(tmp_path):
    """Each in a process of its own, as a restarted service and a command may be."""
    script = (
        "import sys; from pathlib import Path; from tests.support import make_config; "
        "from webapp import create_app, migrations; migrations.upgrade(create_app(make_config(Path(sys.argv[1]))))"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
