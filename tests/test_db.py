"""Transactions: all or nothing, joined when nested, and UTC whatever comes in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text

from webapp.db import Choice, UtcDateTime, db, reading, transaction, wake_worker_on_commit, work_committed
from webapp.dns.desired import Mode
from webapp.lease import Lease

pytestmark = pytest.mark.usefixtures("context")
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def lease(name="a", until=MOMENT):
    return Lease(name=name, holder="me", until=until)


def names():
    with reading() as session:
        return sorted(session.scalars(select(Lease.name)))


def test_what_is_done_in_a_transaction_is_kept():
    with transaction() as session:
        session.add(lease())
    assert names() == ["a"]


def fails(block):
    with pytest.raises(ZeroDivisionError):
        block()


def test_a_failure_undoes_everything_and_wakes_nobody():
    rings = work_committed.rings

    def block():
        with transaction() as session:
            session.add(lease())
            session.flush()
            wake_worker_on_commit()
            1 / 0

    fails(block)
    assert names() == []
    with transaction():
        pass
    assert work_committed.rings == rings


def test_an_inner_transaction_belongs_to_the_outer_one():
    def block():
        with transaction() as session:
            with transaction() as inner:
                assert inner is session
                inner.add(lease())
            1 / 0

    fails(block)
    assert names() == []


def test_the_worker_is_woken_after_the_commit_only():
    rings = work_committed.rings
    with transaction():
        wake_worker_on_commit()
        assert work_committed.rings == rings
    assert work_committed.rings > rings


def test_what_was_not_in_a_transaction_is_not_kept():
    db.session.add(lease())
    db.session.flush()
    with transaction():
        pass
    assert names() == []


def test_a_look_inside_a_transaction_sees_it():
    with transaction() as session:
        session.add(lease())
        with reading() as inner:
            assert inner is session
        assert names() == ["a"]


def test_a_look_sees_what_others_committed_meanwhile(app):
    with reading() as session:
        assert session.scalars(select(Lease)).all() == []
    with db.engine.connect() as other:
        other.execute(text("INSERT INTO leases VALUES ('b', 'other', '2026-01-01 00:00:00')"))
        other.commit()
    assert names() == ["b"]


def test_looks_join_and_what_was_loaded_stays_usable():
    with transaction() as session:
        session.add(lease())
    with reading() as outer:
        with reading() as inner:
            assert inner is outer
        found = outer.get(Lease, "a")
    assert (found.holder, found.until) == ("me", MOMENT)


@pytest.mark.parametrize(
    "moment",
    [MOMENT, MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30))), MOMENT + timedelta(days=99)],
)
def test_times_come_back_in_utc(moment):
    with transaction() as session:
        session.add(lease(until=moment))
    with reading() as session:
        until = session.get(Lease, "a").until
    assert until == moment
    assert until.tzinfo is UTC


def test_no_time_stays_no_time():
    column = UtcDateTime()
    assert column.process_bind_param(None, None) is None
    assert column.process_result_value(None, None) is None


def test_a_choice_takes_its_own_values_only():
    column = Choice(Mode)
    assert (column.process_bind_param(Mode.MANAGED, None), column.process_bind_param(None, None)) == (
        "managed", None,
    )  # fmt: skip
    assert column.process_result_value("wildcard", None) is Mode.WILDCARD
    assert column.process_result_value(None, None) is None
    with pytest.raises(ValueError):
        column.process_bind_param("nonsense", None)


def test_sqlite_is_set_up_for_two_processes():
    with db.engine.connect() as connection:
        pragma = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    assert pragma == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10000}


def test_another_database_is_not_set_up_as_sqlite(monkeypatch):
    from flask import Flask

    from webapp import db as module

    class Other:
        class engine:
            class dialect:
                name = "postgresql"

        init_app = staticmethod(lambda _app: None)

    tuned = []
    monkeypatch.setattr(module, "db", Other)
    monkeypatch.setattr(Other, "init_app", staticmethod(lambda *_args, **_kwargs: None))
    for tune in (module._tune_sqlite, module._tune_postgresql):
        monkeypatch.setattr(
            module, tune.__name__, lambda *_args, name=tune.__name__, **_options: tuned.append(name)
        )
    module.init(Flask("other"))
    assert tuned == ["_tune_postgresql"]
