"""The worker: woken by a commit, alive for /healthz, stopped between two steps, unharmed by a bad database."""

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from webapp.db import db, now, reading, transaction, wake_worker_on_commit, work_committed
from webapp.health import WORKER, worker_is_alive
from webapp.lease import Lease
from webapp.worker import BEAT_EVERY, Worker


def nothing(_name, _kind):
    return frozenset()


@pytest.fixture
def worker(app):
    """A worker without anything to do but what a test gives it."""
    worker = Worker(app, ask=nothing)
    worker._lanes = ()
    yield worker
    worker.stop()


def until(app):
    with app.app_context(), reading() as session:
        beat = session.get(Lease, WORKER)
        return beat.until if beat else None


def has_become(condition, seconds=5.0):
    """Whether it is true before the time is up."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def test_a_pass_runs_every_step_in_order_and_tells_that_somebody_is_there(app, worker):
    done = []
    worker._lanes = (
        (
            lambda: done.append(1),
            lambda: done.append(2),
        ),
    )
    worker.pass_once()
    assert done == [1, 2]
    with app.app_context(), reading() as session:
        assert worker_is_alive(session)


def test_an_empty_panel_has_nothing_to_do(app):
    Worker(app, ask=nothing).pass_once()


def test_it_beats_from_time_to_time_and_not_at_every_step(app, worker, time_machine):
    worker._lanes = ((lambda: None,),)
    time_machine.move_to(now(), tick=False)
    worker.pass_once()
    first = until(app)
    time_machine.shift(BEAT_EVERY - timedelta(seconds=1))
    worker.pass_once()
    assert until(app) == first
    time_machine.shift(timedelta(seconds=2))
    worker.pass_once()
    assert until(app) > first


def test_it_beats_while_a_service_is_slow(app, worker, monkeypatch):
    monkeypatch.setattr("webapp.worker.TICK", 0.01)
    monkeypatch.setattr("webapp.worker.BEAT_EVERY", timedelta(seconds=0.02))
    slow, beats = threading.Event(), set()
    worker._lanes = ((slow.wait,),)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        assert has_become(lambda: beats.add(until(app)) or len(beats) > 3)
    finally:
        slow.set()
        worker.stop()
        thread.join(5)


def test_a_slow_service_holds_up_no_other(worker):
    slow, done = threading.Event(), threading.Event()
    worker._lanes = ((slow.wait,), (done.set,))
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        assert done.wait(5)
        assert not slow.is_set()
    finally:
        slow.set()
        worker.stop()
        thread.join(5)


def test_a_database_that_cannot_be_used_is_logged_and_tried_again(worker, monkeypatch, caplog):
    monkeypatch.setattr("webapp.worker.TICK", 0.01)
    broken = [True]

    def step():
        if broken.pop():
            raise OperationalError("SELECT 1", {}, Exception("disk full"))

    worker._lanes = ((step,),)
    worker.pass_once()
    assert "the database could not be used; trying again" in caplog.text
    broken.append(False)
    worker.pass_once()
    assert broken == []


def test_a_fault_of_ours_in_one_pass_does_not_end_the_work(worker, monkeypatch, caplog):
    monkeypatch.setattr("webapp.worker.TICK", 0.01)
    done = []

    def step():
        if not done:
            done.append("failed")
            raise KeyError("a bug")
        done.append("worked")

    worker._lanes = ((step,),)
    worker.pass_once()
    assert "something unexpected happened" in caplog.text
    worker.pass_once()
    assert done == ["failed", "worked"]


def test_a_database_without_tables_does_not_end_it(app, worker, monkeypatch):
    monkeypatch.setattr("webapp.worker.TICK", 0.01)
    worker._lanes = ((lambda: None,),)
    with app.app_context():
        db.drop_all()
    worker.pass_once()


def test_a_commit_wakes_it_at_once(app, worker, monkeypatch):
    monkeypatch.setattr("webapp.worker.TICK", 60)
    passes = []
    worker._lanes = ((lambda: passes.append(1),),)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        assert has_become(lambda: len(passes) == 1)
        with app.app_context(), transaction():
            wake_worker_on_commit()
        assert has_become(lambda: len(passes) == 2)
    finally:
        worker.stop()
        thread.join(5)
    assert not thread.is_alive()


def test_without_a_commit_it_looks_by_itself(worker, monkeypatch):
    monkeypatch.setattr("webapp.worker.TICK", 0.01)
    passes = []
    worker._lanes = ((lambda: passes.append(1),),)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        assert has_become(lambda: len(passes) >= 3)
    finally:
        worker.stop()
        thread.join(5)


def test_it_stops_between_two_steps(worker):
    done = []
    worker._lanes = (
        (
            lambda: done.append(1),
            worker.stop,
            lambda: done.append(2),
        ),
    )
    worker.run()
    assert done == [1]


def test_a_wish_that_comes_during_a_pass_is_not_missed(worker, monkeypatch):
    monkeypatch.setattr("webapp.worker.TICK", 60)
    passes = []

    def step():
        passes.append(1)
        if len(passes) == 1:
            work_committed.ring()
        else:
            worker.stop()

    worker._lanes = ((step,),)
    thread = threading.Thread(target=worker.run)
    thread.start()
    thread.join(5)
    assert len(passes) == 2
