"""The worker: makes wishes true. Woken by a commit, else by a timer; stops between two steps."""

import logging
import os
import secrets
import threading
from datetime import timedelta

from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from webapp.config import Config
from webapp.db import db, now, transaction, work_committed
from webapp.dns.rounds import Rounds
from webapp.dns.wildcard import Ask, WildcardCheck, ask
from webapp.health import ALIVE_FOR, WORKER
from webapp.lease import Lease
from webapp.proxy.publish import Publisher

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two looks at the rows: commits of other processes are seen that soon."""

BEAT_EVERY = timedelta(seconds=10)


class Worker:
    """One loop over everything that can be due. Each step is repeatable, so it may be stopped or killed."""

    def __init__(self, app: Flask, holder: str | None = None, *, ask: Ask = ask) -> None:
        config: Config = app.config["FORGE"]
        name = holder or f"{os.getpid()}-{secrets.token_hex(4)}"
        every = timedelta(seconds=config.check_every)
        self._app = app
        self._stopping = threading.Event()
        self._beaten = now() - BEAT_EVERY
        self._steps = (
            Rounds(name, config.cloudflare_api_url, every).run_due,
            Publisher(name, every).run_due,
            WildcardCheck(every, ask=ask).run_due,
        )

    def run(self) -> None:
        """Work until stopped."""
        log.info("worker: started")
        while not self._stopping.is_set():
            work_committed.clear()
            self.pass_once()
            work_committed.wait(TICK)
        log.info("worker: stopped")

    def pass_once(self) -> None:
        """One pass over everything that is due. A database that cannot be used is logged and tried again."""
        with self._app.app_context():
            try:
                for step in self._steps:
                    if not self._stopping.is_set():
                        self._beat()
                        step()
            except SQLAlchemyError:
                log.exception("worker: the database could not be used; trying again")
                self._stopping.wait(TICK)
            except Exception:
                # A fault of ours in one row must not end the work on all the others.
                log.exception("worker: something unexpected happened; going on")
                self._stopping.wait(TICK)
            finally:
                db.session.remove()

    def stop(self) -> None:
        """Have `run` return after the step it is at."""
        self._stopping.set()
        work_committed.set()

    def _beat(self) -> None:
        """Tell /healthz that somebody is at work."""
        at = now()
        if self._beaten + BEAT_EVERY > at:
            return
        self._beaten = at
        with transaction() as session:
            beat = session.scalar(select(Lease).where(Lease.name == WORKER))
            if beat is None:
                session.add(Lease(name=WORKER, holder="worker", until=at + ALIVE_FOR))
            else:
                beat.until = at + ALIVE_FOR
