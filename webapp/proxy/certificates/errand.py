"""One request while Nginx Proxy Manager is free for us: ask, find out what became of it, mend the hosts it touched.

Issuing takes hosts of exactly these names out of service, and NPM writes them back without their certificate and
their password (measured with 2.15). So hosts made by hand are never disturbed; ours are covered meanwhile, and
written anew afterwards, whatever came of it.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

from webapp.db import reading, transaction, wake_worker_on_commit
from webapp.dns import challenge as challenges
from webapp.errors import InvalidInput, KeyLost, ProxyError
from webapp.proxy.certificates.client import CertificateClient, NoCertificate, is_automatic, new_one
from webapp.proxy.certificates.models import PAUSES, TRIES, CertificateRequest, Challenge, Holder
from webapp.proxy.certificates.outlook import foreign, is_due, needs_npm, renewed, touching
from webapp.proxy.certificates.reasons import Cure
from webapp.proxy.certificates.service import FRESH, said
from webapp.proxy.npm_certificate import Certificate
from webapp.proxy.npm_wire import Host
from webapp.proxy.service import LONG_AGO, npm_settings

log = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(seconds=15)
SOON = timedelta(seconds=60)
"""After a lost answer, while NPM may still be at it: soon at first. The latter also while it is busy otherwise."""

LATE = timedelta(minutes=3)
"""By then an answer that was lost is rather that of an NPM that went down: hosts do not wait for it any longer."""

GIVE_UP = timedelta(minutes=10)


@dataclass
class Errand:
    """Does the next thing for a request. Raises ProxyError where NPM cannot be read."""

    request_id: int
    client: CertificateClient
    install: str
    clock: Callable[[], datetime]
    renew: Callable[[], None] = lambda: None
    while_asking: Callable[[], AbstractContextManager[None]] = nullcontext

    def go_on(self) -> None:
        """Whatever can be done now, until there is a pause, or nothing left that needs NPM."""
        while (row := self._read()) is not None and needs_npm(row) and is_due(row, self.clock()):
            self.renew()
            if row.asked_at is not None:
                self._find_out(row, row.asked_at)
            elif row.disturbed:
                self._mend(row)
            else:
                self._ask(row)

    def _ask(self, row: CertificateRequest) -> None:
        certificates = self.client.list_certificates()
        there = None if row.renews else self._there(row, certificates)
        if there is not None and row.holder is not Holder.NOBODY:
            self._write(lambda row: row.got(there.id, self.clock()))
            return
        touched = [] if row.renews else touching(self.client.list_hosts(), row.names)
        if other := next((h for h in touched if h.mark is None or h.mark.install != self.install), None):
            self._turn_down(foreign(other))
            return
        try:
            token = self._token(row)
        except (InvalidInput, KeyLost) as error:
            self._turn_down(error.message)
            return
        if self._cover(touched, certificates) and self._intend(certificates, touched):
            self._send(row, token)

    def _cover(self, touched: Sequence[Host], certificates: Sequence[Certificate]) -> bool:
        """Nobody shall miss the hosts that NPM takes out; only one that cannot be covered is missed.

        False where somebody has forgotten the request, before anything was done.
        """
        automatic = {c.id for c in certificates if is_automatic(c)}
        served = [host for host in touched if host.enabled and host.online is not False]
        if served and not self._write(lambda row: setattr(row, "disturbed", True)):
            return False
        for host in served:
            if not self._is_covered(host, shows_challenge=host.certificate_id in automatic):
                log.warning("certificates: %s is not served until there is an answer", host.domains[0])
        return True

    def _is_covered(self, host: Host, *, shows_challenge: bool) -> bool:
        try:
            return self.client.cover(host.id, self.request_id, shows_challenge=shows_challenge)
        except ProxyError as error:
            log.warning("certificates: %s", error.message)
            return False

    def _intend(self, certificates: Sequence[Certificate], touched: Sequence[Host]) -> bool:
        """Written down before NPM is asked: what is there now, and which hosts it will touch."""

        def intend(row: CertificateRequest) -> None:
            same = [c for c in certificates if set(c.domains) == set(row.names)]
            row.known, row.disturbed, row.asked_at = [c.id for c in same], bool(touched), self.clock()
            old = next((c for c in certificates if c.id == row.renews), None)
            expires = old.expires_on.isoformat() if old and old.expires_on else None
            row.before = {"expires_on": expires} if row.renews else None
            row.error = row.detail = None

        return self._write(intend)

    def _send(self, row: CertificateRequest, token: str) -> None:
        log.info("certificates: %s: asking, %s challenge", said(row.names), row.challenge)
        try:
            with self.while_asking():
                made = self._call(row, token)
        except NoCertificate as error:
            self._refused(row, error)
        except ProxyError as error:
            message = error.message
            if error.unconfirmed:
                self._write(lambda row: row.put_off(message, self.clock() + LOOK_AGAIN, self.clock()))
            else:
                self._never_sent(message, error.will_heal)
        else:
            log.info("certificates: %s: certificate %s is there", said(row.names), made.id)
            self._got(made.id)

    def _call(self, row: CertificateRequest, token: str) -> Certificate:
        if row.renews:
            return self.client.renew(row.renews, [token])
        return self.client.request(row.names, row.challenge, token)

    def _refused(self, row: CertificateRequest, error: NoCertificate) -> None:
        at, reason = self.clock(), error.reason
        if reason.cure is Cure.SOON:
            self._write(lambda row: _undo_asking(row, reason.sentence, at + SOON, at))
            return
        again = None
        if reason.cure is Cure.LATER and row.attempts + 1 < TRIES:
            again = max(at + PAUSES[row.attempts], reason.not_before or at)
        self._refuse(reason.sentence, reason.detail, again)

    def _refuse(self, message: str, detail: str, again: datetime | None) -> None:
        log.warning("certificates: request %s: %s", self.request_id, message)
        self._write(lambda row: row.refuse(message, detail, again, self.clock()))

    def _never_sent(self, message: str, heals: bool) -> None:
        at = self.clock()
        if heals:
            self._write(lambda row: _undo_asking(row, message, at + SOON, at))
        else:
            self._turn_down(message)

    def _turn_down(self, message: str) -> None:
        """Nothing was asked, and only a person can help."""
        log.warning("certificates: request %s: %s", self.request_id, message)
        self._write(lambda row: row.turn_down(message, self.clock()))

    def _find_out(self, row: CertificateRequest, asked_at: datetime) -> None:
        """No answer came, or nobody was there to hear it: NPM's list tells, without asking anew."""
        certificates = self.client.list_certificates()
        found = new_one(certificates, row.names, row.known) if not row.renews else renewed(row, certificates)
        if found is not None and found.is_made:
            log.info("certificates: %s: certificate %s came about", said(row.names), found.id)
            self._got(found.id)
            return
        at, may_be_at_it = self.clock(), found is not None or row.renews is not None
        if may_be_at_it and asked_at + GIVE_UP > at:
            late = asked_at + LATE <= at
            if late and row.disturbed:
                self._rewrite(row)
                self.client.uncover(self.request_id)
            message = "Nginx Proxy Manager has not answered yet; it may still be at it."
            self._write(lambda row: row.put_off(message, at + (SOON if late else LOOK_AGAIN), at))
            return
        again = at + PAUSES[row.attempts] if row.attempts + 1 < TRIES else None
        left = f" Delete certificate {found.id} there: it is unfinished." if found else ""
        self._refuse(f"Nginx Proxy Manager did not answer, and has no such certificate.{left}", "", again)

    def _got(self, certificate_id: int) -> None:
        """Hosts learn of it from the wish; a renewed one needs nginx to load it. The pages' list is old by now."""

        def got(row: CertificateRequest) -> None:
            row.got(certificate_id, self.clock())
            row.disturbed = row.disturbed or row.renews is not None

        with transaction() as session:
            settings = npm_settings(session)
            settings.read_at = settings.read_at and LONG_AGO
            self._write(got)
            wake_worker_on_commit()

    def _mend(self, row: CertificateRequest) -> None:
        self._rewrite(row)
        self.client.uncover(self.request_id)
        self._write(lambda row: setattr(row, "disturbed", False))

    def _rewrite(self, row: CertificateRequest) -> None:
        """Have the hosts written anew that NPM took out of service; one is enough to load a renewed certificate."""
        hosts = self.client.list_hosts()
        touched = touching(hosts, row.names)
        if row.renews:
            touched = [h for h in hosts if h.certificate_id == row.renews and self._is_ours(h)][:1]
        for host in touched:
            self.client.rewrite_host(host.id)

    def _there(self, row: CertificateRequest, certificates: Sequence[Certificate]) -> Certificate | None:
        """A good certificate for these names that somebody got meanwhile."""
        lasts = (c for c in certificates if c.expires_on is not None and c.expires_on - self.clock() > FRESH)
        return new_one([c for c in lasts if c.is_made], row.names, [])

    def _token(self, row: CertificateRequest) -> str:
        """What is sent along; for a renewal, which needs nothing, only what is not to be seen in the answer."""
        if row.challenge is not Challenge.DNS:
            return ""
        try:
            return challenges.token(row.names)
        except (InvalidInput, KeyLost):
            if row.renews is None:
                raise
            return ""

    def _is_ours(self, host: Host) -> bool:
        return host.mark is not None and host.mark.install == self.install

    def _read(self) -> CertificateRequest | None:
        with reading() as session:
            return session.get(CertificateRequest, self.request_id)

    def _write(self, change: Callable[[CertificateRequest], object]) -> bool:
        """False where somebody has forgotten it, which cannot be while NPM may be at it."""
        with transaction() as session:
            row = session.get(CertificateRequest, self.request_id, with_for_update=True)
            if row is not None:
                change(row)
            return row is not None


def _undo_asking(row: CertificateRequest, message: str, until: datetime, at: datetime) -> None:
    row.asked_at = None
    row.put_off(message, until, at)
