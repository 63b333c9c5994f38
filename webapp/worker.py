"""The worker: makes wishes true, in lanes of their own, so that a slow service holds up nothing but itself."""

import logging
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from webapp.config import Config
from webapp.db import db, now, transaction, work_committed
from webapp.deploy.encryption import Apps
from webapp.deploy.health import Probe
from webapp.deploy.runner import Runner
from webapp.deploy.watch import Watch
from webapp.dns.address_watch import AddressWatcher
from webapp.dns.authority import Authority
from webapp.dns.livecheck import LiveCheck
from webapp.dns.resolver import Ask, ask
from webapp.dns.rounds import Rounds
from webapp.dns.visit import prove
from webapp.dns.wildcard import WildcardCheck
from webapp.health import ALIVE_FOR, WORKER
from webapp.lease import Lease
from webapp.proxy import outcomes
from webapp.proxy.certificates.certifier import Certifier
from webapp.proxy.certificates.holders import Keeper, Proxies
from webapp.proxy.certificates.models import Holder
from webapp.proxy.certificates.sight import by_authority
from webapp.proxy.publish import Publisher

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two looks at the rows: commits of other processes are seen that soon."""

BEAT_EVERY = timedelta(seconds=10)

HOLDERS: Mapping[Holder, Keeper] = {Holder.PROXY: Proxies(), Holder.APP: Apps()}
"""What certificates are put to use at."""

Step = Callable[[], None]


class Worker:
    """A lane for each outside service. Each step is repeatable, so it may be stopped or killed anywhere.

    `ask` answers questions to the DNS, `probe` knocks at containers.
    """

    def __init__(
        self, app: Flask, holder: str | None = None, *, ask: Ask = ask, probe: Probe | None = None
    ) -> None:
        config: Config = app.config["FORGE"]
        name = holder or f"{os.getpid()}-{secrets.token_hex(4)}"
        every = timedelta(seconds=config.check_every)
        self._app = app
        self._stopping = threading.Event()
        self._beaten = now() - BEAT_EVERY
        stopping = self._stopping.is_set
        authority = Authority(config.name_servers)
        publisher = Publisher(name, every, stopping=stopping)
        self._runner = Runner(app, name, probe, between=publisher.run_due)
        self._watch = Watch(app)
        self._lanes: tuple[tuple[Step, ...], ...] = (
            (self._runner.run_due,),
            (publisher.run_due,),
            (Certifier(name, by_authority(authority), HOLDERS, stopping=stopping).run_due,),
            (Rounds(name, config.cloudflare_api_url, every, stopping=stopping).run_due,),
            (WildcardCheck(every, ask=ask).run_due,),
            (live_check(config, name, authority, stopping).run_due,),
            (AddressWatcher(name, config.address_sources).run_due,),
            (self._watch.run_due,),
        )

    def run(self) -> None:
        """Work until stopped."""
        log.info("worker: started")
        with ExitStack() as running:
            running.enter_context(self._watch.listening())
            running.enter_context(self._runner.threads())
            lanes = [threading.Thread(target=self._lane, args=(steps,)) for steps in self._lanes]
            for lane in lanes:
                lane.start()
            while not self._stopping.is_set() and all(lane.is_alive() for lane in lanes):
                self._guarded(self._beat)
                self._stopping.wait(TICK)
            self.stop()
            self._runner.leave()
            for lane in lanes:
                lane.join()
        log.info("worker: stopped")

    def pass_once(self) -> None:
        """One pass over everything that is due, one after the other, in this thread."""
        self._guarded(self._beat)
        for steps in self._lanes:
            self._pass(steps)

    def stop(self) -> None:
        """Have `run` return after the steps it is at."""
        self._stopping.set()
        work_committed.ring()

    def _lane(self, steps: tuple[Step, ...]) -> None:
        while not self._stopping.is_set():
            heard = work_committed.rings
            self._pass(steps)
            if not self._stopping.is_set():
                work_committed.wait(heard, TICK)

    def _pass(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if self._stopping.is_set() or not self._guarded(step):
                return

    def _guarded(self, step: Step) -> bool:
        """Take a step; False when it failed. A database that cannot be used is logged and tried again."""
        with self._app.app_context():
            try:
                step()
                return True
            except SQLAlchemyError:
                log.exception("worker: the database could not be used; trying again")
            except Exception:
                # A fault of ours in one row must not end the work on all the others.
                log.exception("worker: something unexpected happened; going on")
            finally:
                db.session.remove()
        self._stopping.wait(TICK)
        return False

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


def live_check(config: Config, holder: str, authority: Authority, stopping: Callable[[], bool]) -> LiveCheck:
    """Looks from outside, as the configuration says where that is."""
    return LiveCheck(
        holder,
        timedelta(seconds=config.check_every),
        authority,
        visit=partial(prove, place=config.public_side),
        stopping=stopping,
        prepare=outcomes.look_again,
    )
