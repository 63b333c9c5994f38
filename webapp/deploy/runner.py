"""Carries out actions: one at a time for each app, apps side by side, resumed after a crash."""

import logging
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from webapp.actor import acting_as
from webapp.db import db, now, reading, work_committed
from webapp.deploy import deployer, journal, keeping, rows
from webapp.deploy.actions import DEPLOYS, Action, Kind, Level, Phase
from webapp.deploy.connection import engine
from webapp.deploy.health import NetworkProbe, Probe
from webapp.deploy.job import Cancelled, Job, Stopped, Tools
from webapp.deploy.models import VersionState
from webapp.dns.retry import next_try
from webapp.errors import Busy, EngineError, ForgeError, ProxyError
from webapp.lease import Held, leased

log = logging.getLogger(__name__)

MOST_AT_ONCE = 24
"""Apps that are worked on side by side: threads, which mostly wait."""

PATIENCE = 6
"""Tries of a step that waiting may heal: about two minutes, then the deploy is undone. Removals never give up."""

WORK: Mapping[Kind, Callable[[Job], None]] = {
    Kind.DEPLOY: deployer.deploy,
    Kind.ROLL_BACK: deployer.deploy,
    Kind.START: keeping.start,
    Kind.STOP: keeping.stop,
    Kind.RESTART: keeping.restart,
    Kind.REMOVE: keeping.remove,
    Kind.CLEAN_UP: keeping.clean_up,
}


def heals(error: ForgeError) -> bool:
    """Whether waiting may help."""
    return isinstance(error, EngineError | ProxyError) and error.will_heal


class Runner:
    """What a process needs to carry out actions. `between` is done while a step waits, where nobody else does it."""

    def __init__(
        self,
        app: Flask,
        holder: str,
        probe: Probe | None = None,
        *,
        between: Callable[[], None] = lambda: None,
        clock: Callable[[], datetime] = now,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._app = app
        self._holder = holder
        self._probe = probe or NetworkProbe()
        self._between = between
        self._clock = clock
        self._pool: ThreadPoolExecutor | None = None
        self._leaving = threading.Event()
        self._sleep = sleep or self._leaving.wait
        self._at_work: dict[str, Held | None] = {}
        self._lock = threading.Lock()

    @contextmanager
    def threads(self) -> Iterator[None]:
        """Within the block actions run in threads; at its end they stop at their next step, to be resumed."""
        with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="deploy") as pool:
            self._pool = pool
            try:
                yield
            finally:
                self.leave()
                self._pool = None

    def leave(self) -> None:
        """Have every action stop where it is."""
        self._leaving.set()

    def run_due(self) -> None:
        """Begin, or go on with, the first open action of every app that is not being worked on."""
        for key, action_id in self._due().items():
            with self._lock:
                if key in self._at_work or self._leaving.is_set():
                    continue
                self._at_work[key] = None
            if self._pool is not None:
                self._pool.submit(self._in_thread, key, action_id)
            else:
                self._guarded(key, action_id)

    def _due(self) -> dict[str, int]:
        with reading() as session:
            first: dict[str, Action] = {}
            for action in rows.open_actions(session):
                first.setdefault(f"app {action.app_id}" if action.app_id else f"action {action.id}", action)
            at = self._clock()
            return {key: a.id for key, a in first.items() if a.next_try_at is None or a.next_try_at <= at}

    def _in_thread(self, key: str, action_id: int) -> None:
        with self._app.app_context():
            try:
                was_ours = self._guarded(key, action_id)
            finally:
                db.session.remove()
        if was_ours:
            work_committed.ring()  # the next action of this app need not wait for the timer

    def _guarded(self, key: str, action_id: int) -> bool:
        """Perform it; False where another process is at it, or nothing could be done."""
        try:
            return self._perform(key, action_id)
        except SQLAlchemyError:
            log.exception("deploy: the database could not be used; trying again")
            return False
        finally:
            with self._lock:
                self._at_work.pop(key, None)

    def _perform(self, key: str, action_id: int) -> bool:
        try:
            with leased(key, self._holder, self._clock) as held:
                self._at_work[key] = held
                tools = Tools(engine(), self._probe, self._clock, lambda seconds: self._wait(key, seconds))
                self._carry_out(action_id, tools)
                return True
        except Stopped:
            log.info("deploy: %s: stops here, and goes on at the next start", key)
        except Busy as busy:
            log.debug("deploy: %s: %s", key, busy.message)
        return False

    def _carry_out(self, action_id: int, tools: Tools) -> None:
        job = Job.read(action_id, tools)
        if not job.action.is_over:
            with acting_as(job.action.asked_by):
                self._work(job, tools)

    def _work(self, job: Job, tools: Tools) -> None:
        """The work, or what is left of its undoing; every way it can go ends in the row."""
        action_id = job.action.id
        try:
            if job.action.phase is not Phase.UNDOING:
                WORK[job.action.kind](job)
                self._succeeded(job)
                return
        except Cancelled as error:
            journal.undoing(action_id, Phase.CANCELLED, error.message, at=job.at)
        except ForgeError as error:
            patient = job.action.kind is Kind.REMOVE or self._tries(action_id) < PATIENCE
            if heals(error) and patient:
                self._later(job, error)
                return
            journal.undoing(action_id, Phase.FAILED, error.message, at=job.at)
        except SQLAlchemyError:
            raise
        except Exception:
            # A mistake of ours must leave no half-made deploy behind, either.
            log.exception("deploy: action %s met something unexpected", action_id)
            message = "Something went wrong in the panel itself; its log says more."
            journal.undoing(action_id, Phase.FAILED, message, at=job.at)
        self._undo(Job.read(action_id, tools))

    def _undo(self, job: Job) -> None:
        outcome, reason = job.action.outcome or Phase.FAILED, job.action.error or ""
        undone = False
        live = job.version is not None and job.version.state is VersionState.CURRENT
        try:
            if job.action.kind in DEPLOYS and live:
                journal.say(job.action.id, f"Not finished: {reason}", level=Level.WARNING, at=job.at)
                self._succeeded(job)
                return
            if job.action.kind in DEPLOYS and job.instance is not None:
                undone = deployer.undo(job, failed=outcome is Phase.FAILED)
        except ForgeError as error:
            if heals(error) or self._tries(job.action.id) < PATIENCE:
                self._later(job, error)
                return
            journal.say(job.action.id, f"Could not be undone: {error.message}", level=Level.ERROR, at=job.at)
        text = "Cancelled." if outcome is Phase.CANCELLED else "Failed."
        if undone:
            text += " Everything is as it was before."
        journal.end(job.action.id, outcome, text, reason, at=job.at)

    def _succeeded(self, job: Job) -> None:
        text = "Done."
        if job.action.kind in DEPLOYS and job.instance is not None:
            with reading() as session:  # it may have got another name meanwhile
                name = rows.instance(session, job.instance.id).fqdn
            text = f"Version {job.the_version.number} is live at {name}."
        journal.end(job.action.id, Phase.DONE, text, at=job.at)

    def _later(self, job: Job, error: ForgeError) -> None:
        again = next_try(job.at, self._tries(job.action.id), random.random())  # noqa: S311
        journal.put_off(job.action.id, error.message, again, at=job.at)

    def _tries(self, action_id: int) -> int:
        """How many tries of the present step have failed, this one included."""
        with reading() as session:
            return session.get_one(Action, action_id).attempts + 1

    def _wait(self, key: str, seconds: float) -> None:
        held = self._at_work.get(key)
        if self._leaving.is_set() or (held is not None and held.lost):
            raise Stopped
        if self._pool is None:
            self._between()
        if seconds:
            self._sleep(seconds)
