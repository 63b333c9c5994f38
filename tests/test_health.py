"""GET /healthz tells whether database and worker are alive, without a sign-in."""

from datetime import timedelta

import pytest

from tests.support import Browser
from webapp.db import db, now, transaction
from webapp.health import WORKER
from webapp.lease import Lease


@pytest.fixture
def beat(app):
    """Have a worker beat so long ago."""

    def beat(ago):
        with app.app_context(), transaction() as session:
            session.merge(Lease(name=WORKER, holder="worker", until=now() - ago))

    return beat


def test_fine(app, beat):
    beat(-timedelta(seconds=20))
    answer = Browser(app).get("/healthz")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "database": "ok", "worker": "alive"}


def test_no_worker_yet(app):
    answer = Browser(app).get("/healthz")
    assert (answer.status_code, answer.json["worker"]) == (503, "not running")


def test_a_worker_that_went_silent(app, beat):
    beat(timedelta(seconds=1))
    answer = Browser(app).get("/healthz")
    assert (answer.status_code, answer.json["worker"]) == (503, "not running")


def test_a_database_that_cannot_be_read(app):
    with app.app_context():
        db.drop_all()
    answer = Browser(app).get("/healthz")
    assert answer.status_code == 503
    assert answer.json == {"status": "failing", "database": "not readable", "worker": "unknown"}


def test_nothing_but_the_state_is_told(app, beat):
    beat(-timedelta(seconds=20))
    assert set(Browser(app).get("/healthz").json) == {"status", "database", "worker"}


def test_it_takes_no_post(app):
    assert Browser(app).post("/healthz").status_code == 405
