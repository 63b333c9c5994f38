"""Publishes and unpublishes hosts at Nginx Proxy Manager, one write at a time, from the rows that wish for it."""

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from webapp import outgoing, vault
from webapp.db import now, reading, transaction
from webapp.dns import ledger
from webapp.dns.retry import next_try
from webapp.errors import Busy, KeyLost, ProxyError
from webapp.lease import leased
from webapp.proxy.jobs import Job, certificate_facts, host_facts, nginx_says, turns
from webapp.proxy.models import HostStatus, NpmSettings, ProxyHost
from webapp.proxy.npm import NpmClient
from webapp.proxy.npm_transport import NotNpm
from webapp.proxy.npm_wire import Certificate, Host
from webapp.proxy.proofs import pieces
from webapp.proxy.service import holder, npm_settings

log = logging.getLogger(__name__)

NOT_SET_UP = "Nginx Proxy Manager is not set up yet. Enter its address and account in the settings."


@dataclass
class Publisher:
    """Everything a process needs to work at Nginx Proxy Manager; it keeps its sign-in there between passes.

    Where `stopping` turns true, a pass ends before its next job, and what is left stays due.
    """

    holder: str
    check_every: timedelta
    clock: Callable[[], datetime] = now
    stopping: Callable[[], bool] = lambda: False
    _renew: Callable[[], None] = lambda: None
    _behind: bool = False
    _clients: dict[tuple[str, str, str, bool], NpmClient] = field(default_factory=dict)

    def run_due(self) -> None:
        """One pass: do what is due, and read the lists for the pages when they are old. Never raises for faults."""
        at = self.clock()
        with reading() as session:
            settings = session.get(NpmSettings, 1)
            if not _is_due(session, settings, at, self.check_every):
                return
            ready = settings is not None and settings.ready
        if not ready:
            self._forget_removed()
            self._fail_all(NOT_SET_UP, None)
            return
        try:
            with leased("nginx proxy manager", self.holder, self.clock) as self._renew:
                self._work()
        except Busy as busy:
            log.info("proxy: %s", busy.message)
        except (ProxyError, KeyLost) as error:
            self._fail_all(error.message, self._later() if self._heals(error) else None)

    def _heals(self, error: ProxyError | KeyLost) -> bool:
        """Whether waiting may help; strange answers pass where Nginx Proxy Manager itself answered before."""
        with reading() as session:
            known = session.get_one(NpmSettings, 1).read_at is not None
        return (isinstance(error, ProxyError) and error.will_heal) or (isinstance(error, NotNpm) and known)

    def _work(self) -> None:
        client = self._client()
        hosts = _by_id(client)
        for job in self._jobs(hosts):
            if self.stopping():
                return
            try:
                self._do(client, job, hosts)
            except ProxyError as error:
                heals = self._heals(error)
                self._failed(job, error, heals)
                if heals:
                    break
            hosts = _by_id(client)
        self._remember(list(hosts.values()), client.list_certificates())

    def _jobs(self, hosts: Mapping[int, Host]) -> list[Job]:
        """Whose turn it is."""
        at = self.clock()
        with reading() as session:
            install = ledger.settings(session).install_id
            regular = _is_old(session.get_one(NpmSettings, 1), at, self.check_every)
            rows = session.scalars(select(ProxyHost).order_by(ProxyHost.id)).all()
            proofs = pieces(session)
            pairs = [(row, Job.of(row, install, proofs.get(row.fqdn, ""))) for row in rows]
            jobs, self._behind = turns(pairs, hosts, at, regular=regular)
            return jobs

    def _do(self, client: NpmClient, job: Job, hosts: Mapping[int, Host]) -> None:
        mine, rival = job.find(hosts), job.rival(hosts)
        if job.removing or not job.published:
            self._delete(client, job, mine)
        elif rival is not None and job.is_contested(rival):
            self._contested(job, rival)
        else:
            if rival is not None:
                self._evict(client, rival)
            if mine is None:
                host = client.create_host(job.spec, job.mark)
            else:
                host = client.update_host(mine.id, job.spec, job.mark)
            log.info("proxy: %s: host %s is written, online %s", job.spec.domain, host.id, host.online)
            self._done(job, host)

    def _delete(self, client: NpmClient, job: Job, mine: Host | None) -> None:
        if mine is not None:
            gone = client.delete_host(mine.id)
            log.info("proxy: %s: deleted host %s", job.spec.domain, mine.id)
            if not gone:
                log.warning("proxy: %s: nginx serves it until another site is repaired", job.spec.domain)
        with transaction() as session:
            row = session.get_one(ProxyHost, job.row)
            if job.removing:
                session.delete(row)
                return
            row.npm_host_id = None
        self._record(job, lambda row: row.park(self.clock()))

    def _evict(self, client: NpmClient, rival: Host) -> None:
        """A host of ours still has a name that its own row gave up: out of the way; its row makes it anew."""
        client.delete_host(rival.id)
        log.info("proxy: host %s had a name that another row wants", rival.id)
        with transaction() as session:
            query = select(ProxyHost).where(ProxyHost.npm_host_id == rival.id, ~ProxyHost.removing)
            for row in session.scalars(query):
                row.ask(self.clock())

    def _done(self, job: Job, host: Host) -> None:
        """Keep what nginx made of it: a host that was accepted may still be broken."""
        with transaction() as session:
            session.get_one(ProxyHost, job.row).npm_host_id = host.id
        at = self.clock()
        if not job.spec.enabled:
            self._record(job, lambda row: row.settle(HostStatus.OFF, at))
        elif host.online is False:
            self._record(job, lambda row: row.settle(HostStatus.REJECTED, at, nginx_says(host)))
        else:
            self._record(job, lambda row: row.settle(HostStatus.ONLINE, at))

    def _contested(self, job: Job, other: Host) -> None:
        log.warning("proxy: %s: host %s has the name and is not ours", job.spec.domain, other.id)
        message = holder(host_facts(other), job.spec.domain)
        self._record(job, lambda row: row.fail(HostStatus.CONFLICT, message, None, self.clock()))

    def _failed(self, job: Job, error: ProxyError, heals: bool) -> None:
        log.warning("proxy: %s: %s", job.spec.domain, error.message)

        def outcome(row: ProxyHost) -> None:
            at = self.clock()
            again = next_try(at, row.attempts + 1, random.random()) if heals else None  # noqa: S311
            row.fail(HostStatus.PENDING if again else HostStatus.FAILED, error.message, again, at)

        self._record(job, outcome)

    def _record(self, job: Job, outcome: Callable[[ProxyHost], None]) -> None:
        """Write down what became of a job, unless the wish changed meanwhile. Only this process deletes rows."""
        with transaction() as session:
            row = session.get_one(ProxyHost, job.row)
            if row.version == job.version:
                outcome(row)

    def _forget_removed(self) -> None:
        """Without a proxy manager, and without a host that is known there, a removal is done."""
        with transaction() as session:
            query = select(ProxyHost).where(ProxyHost.removing, ProxyHost.npm_host_id.is_(None))
            for row in session.scalars(query):
                session.delete(row)
            query = select(ProxyHost).where(~ProxyHost.published, ProxyHost.npm_host_id.is_(None))
            for row in session.scalars(query.where(~ProxyHost.removing)):
                row.park(self.clock())

    def _fail_all(self, message: str, again: datetime | None) -> None:
        """Nothing could be done at all: every waiting row says why; the wish stays."""
        log.warning("proxy: %s", message)
        message, at = message[:500], self.clock()
        with transaction() as session:
            settings = npm_settings(session)
            stuck = (ProxyHost.next_try_at <= at) | _failed_by(settings.error)
            settings.error, settings.next_try_at = message, again
            settings.attempts += 1
            for row in session.scalars(select(ProxyHost).where(stuck)):
                row.fail(HostStatus.PENDING if again else HostStatus.FAILED, message, again, at)

    def _later(self) -> datetime:
        with reading() as session:
            attempts = session.get_one(NpmSettings, 1).attempts
        return next_try(self.clock(), attempts + 1, random.random())  # noqa: S311

    def _client(self) -> NpmClient:
        with reading() as session:
            settings = session.get_one(NpmSettings, 1)
            install = ledger.settings(session).install_id
            key = (settings.url, settings.email, settings.password_sealed or "", settings.verify_tls)
        if key not in self._clients:
            url, email, sealed, verify = key
            client = NpmClient(
                url, email, vault.unseal(sealed), install,
                verify_tls=verify, session=outgoing.session(), before_each=lambda: self._renew(),
            )  # fmt: skip
            self._clients = {key: client}
        return self._clients[key]

    def _remember(self, hosts: list[Host], certificates: list[Certificate]) -> None:
        with transaction() as session:
            settings = npm_settings(session)
            settings.hosts = [host_facts(host) for host in hosts]
            settings.certificates = [certificate_facts(certificate) for certificate in certificates]
            for row in session.scalars(select(ProxyHost).where(_failed_by(settings.error))):
                row.fail(HostStatus.PENDING, settings.error or "", self.clock(), self.clock())
            settings.error, settings.attempts, settings.next_try_at = None, 0, None
            settings.read_at = self.clock() - (self.check_every if self._behind else timedelta())


def _by_id(client: NpmClient) -> dict[int, Host]:
    return {host.id: host for host in client.list_hosts()}


def _is_due(session: Session, settings: NpmSettings | None, at: datetime, check_every: timedelta) -> bool:
    if settings is not None and settings.next_try_at and settings.next_try_at > at:
        return False
    first = session.scalar(select(func.min(ProxyHost.next_try_at)))
    if first is not None and first <= at:
        return True
    if settings is None or not settings.ready or (settings.error and not settings.next_try_at):
        return False
    return _is_old(settings, at, check_every)


def _is_old(settings: NpmSettings, at: datetime, check_every: timedelta) -> bool:
    """Whether a regular read of the lists is due."""
    return settings.read_at is None or settings.read_at + check_every <= at


def _failed_by(error: str | None) -> ColumnElement[bool]:
    """Rows that failed because of a fault of the connection as a whole, which was not theirs."""
    return (ProxyHost.status == HostStatus.FAILED) & (ProxyHost.error == error)
