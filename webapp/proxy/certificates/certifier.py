"""The worker's part: requests for certificates in a lane of their own, resumed after a crash.

Nginx Proxy Manager takes one change at a time, so it is leased while it asks for a certificate, as for hosts. Getting
one can take minutes, though, and hosts wait for the same lease: after HOLD it is let go, and they pass.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from webapp.db import db, now, reading, transaction
from webapp.dns import ledger
from webapp.errors import Busy, KeyLost, ProxyError
from webapp.lease import Held, leased
from webapp.proxy.certificates import expiry
from webapp.proxy.certificates.connection import connect
from webapp.proxy.certificates.desk import Desk, Visible
from webapp.proxy.certificates.errand import SOON, Errand
from webapp.proxy.certificates.holders import Keeper, Proxies
from webapp.proxy.certificates.models import MOST_ERROR, CertificateRequest, Holder, Phase
from webapp.proxy.certificates.outlook import is_due, needs_npm
from webapp.proxy.certificates.service import open_requests
from webapp.proxy.models import NpmSettings, ProxyHost
from webapp.proxy.service import LONG_AGO

log = logging.getLogger(__name__)

HOLD = 45.0
"""Seconds that other work waits for a certificate: well within what a deploy waits for its host."""

NOT_SET_UP = "Nginx Proxy Manager is not set up yet. Enter its address and account in the settings."


@dataclass
class Certifier:
    """What a process needs to get certificates. Where `stopping` turns true, a pass ends before its next step."""

    holder: str
    visible: Visible
    keepers: Mapping[Holder, Keeper] = field(default_factory=lambda: {Holder.PROXY: Proxies()})
    clock: Callable[[], datetime] = now
    stopping: Callable[[], bool] = lambda: False
    _npm_fails_until: datetime = field(default=LONG_AGO)

    def run_due(self) -> None:
        """One pass over what is due, and once a day a word about what is about to expire."""
        at = self.clock()
        desk = Desk(self.visible, self.clock, self.keepers)
        desk.tidy()
        expiry.warn_daily(at)
        with reading() as session:
            due = [row.id for row in open_requests(session) if is_due(row, at)]
        for request_id in due:
            if self.stopping():
                return
            self._go_on(request_id, desk)

    def _go_on(self, request_id: int, desk: Desk) -> None:
        """What needs NPM first: a host that is out of service waits for it."""
        with reading() as session:
            row = session.get(CertificateRequest, request_id)
        if row is None:
            return
        if not needs_npm(row):
            desk.go_on(request_id)
        elif self._npm_fails_until <= self.clock() and (row.in_flight or not self._hosts_wait()):
            self._at_npm(request_id)

    def _hosts_wait(self) -> bool:
        """Whether hosts have something to do there: that takes moments, and a certificate minutes."""
        with reading() as session:
            query = select(ProxyHost.id).where(ProxyHost.next_try_at <= self.clock())
            return session.scalar(query.limit(1)) is not None

    def _at_npm(self, request_id: int) -> None:
        try:
            with leased("nginx proxy manager", f"{self.holder} certificates", self.clock) as held:
                self._errand(request_id, held).go_on()
        except Busy as busy:
            log.debug("certificates: %s", busy.message)
        except (ProxyError, KeyLost) as error:
            self._pause(request_id, error)

    def _errand(self, request_id: int, held: Held) -> Errand:
        with reading() as session:
            settings = session.get(NpmSettings, 1)
            install = ledger.settings(session).install_id
        if settings is None or not settings.ready:
            raise ProxyError(NOT_SET_UP, will_heal=True)
        client = connect(settings, install)
        return Errand(request_id, client, install, self.clock, held, lambda: at_most(HOLD, held))

    def _pause(self, request_id: int, error: ProxyError | KeyLost) -> None:
        """NPM could not be reached, or not be read: that is no try, and does not move the next one."""
        log.warning("certificates: request %s: %s", request_id, error.message)
        self._npm_fails_until = self.clock() + SOON
        with transaction() as session:
            row = session.get(CertificateRequest, request_id)
            if row is None or row.phase is not Phase.REQUESTING:
                return
            if row.in_flight or (isinstance(error, ProxyError) and error.will_heal):
                row.error = error.message[:MOST_ERROR]
            else:
                row.turn_down(error.message, self.clock())


@contextmanager
def at_most(seconds: float, held: Held) -> Iterator[None]:
    """Let a lease go when the block takes longer; what changes something afterwards has to renew it, and cannot."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def let_go() -> None:
        with app.app_context():
            try:
                held.let_go()
            except SQLAlchemyError:
                log.exception("certificates: the lease could not be let go")
            finally:
                db.session.remove()

    timer = threading.Timer(seconds, let_go)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
