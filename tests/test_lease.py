"""A lease lasts as long as the work, is renewed while a step takes long, and is lost to whoever takes it over."""

import threading
import time
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from webapp.db import db, transaction
from webapp.errors import Busy
from webapp.lease import Held, Lease, leased

SHORT = timedelta(milliseconds=400)


def taken(context: Flask, seconds: float) -> bool:
    """Whether another process could have it within so long."""
    got = []

    def tries() -> None:
        end = time.monotonic() + seconds
        with context.app_context():
            while time.monotonic() < end and not got:
                try:
                    with leased("thing", "two", length=SHORT):
                        got.append(True)
                except Busy:
                    time.sleep(0.05)
            db.session.remove()

    thread = threading.Thread(target=tries)
    thread.start()
    thread.join()
    return bool(got)


def test_a_long_step_keeps_it(app: Flask, context: None) -> None:
    with leased("thing", "one", length=SHORT) as held:
        assert not taken(app, 1.2)
        held()
    assert taken(app, 1)


def test_whoever_lost_it_knows(context: None) -> None:
    with pytest.raises(Busy, match="took over"), leased("thing", "one", length=SHORT) as held:
        with transaction() as session:
            session.execute(update(Lease).values(holder="two"))
        end = time.monotonic() + 5
        while not held.lost and time.monotonic() < end:
            time.sleep(0.05)
        assert held.lost
        held()


def test_a_database_that_is_away_for_a_moment_does_not_end_the_keeping(
    app: Flask, context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    renew, failures = Held.__call__, []

    def fails_once(held: Held) -> None:
        if not failures:
            failures.append(True)
            raise OperationalError("UPDATE", {}, Exception("locked"))
        renew(held)

    monkeypatch.setattr(Held, "__call__", fails_once)
    with leased("thing", "one", length=SHORT):
        assert not taken(app, 1.2)
    assert failures
