"""Publishes and unpublishes hosts at Nginx Proxy Manager, one write at a time, from the rows that wish for it."""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp import vault
from webapp.db import now, reading, transaction
from webapp.dns import ledger
from webapp.dns.retry import next_try
from webapp.errors import Busy, KeyLost, ProxyError
from webapp.lease import leased
from webapp.proxy.models import HostStatus, NpmSettings, ProxyHost
from webapp.proxy.npm import NpmClient
from webapp.proxy.npm_wire import Certificate, Host, HostSpec, Mark
from webapp.proxy.service import holder, npm_settings

log = logging.getLogger(__name__)

NOT_SET_UP = "Nginx Proxy Manager is not set up yet. Enter its address and account in the settings."


@dataclass(frozen=True)
class Job:
    """One row's wish, read before anything is done. `version` tells whether the wish changed meanwhile."""

    row: int
    version: int
    spec: HostSpec
    mark: Mark
    npm_host_id: int | None
    removing: bool


@dataclass
class Publisher:
    """Everything a process needs to work at Nginx Proxy Manager; it keeps its sign-in there between passes."""

    holder: str
    check_every: timedelta
    clock: Callable[[], datetime] = now
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
            self._fail_all(NOT_SET_UP, None)
            return
        try:
            with leased("nginx proxy manager", self.holder, self.clock) as renew:
                self._work(renew)
        except Busy as busy:
            log.info("proxy: %s", busy.message)
        except (ProxyError, KeyLost) as error:
            heals = isinstance(error, ProxyError) and error.will_heal
            self._fail_all(error.message, self._later() if heals else None)

    def _work(self, renew: Callable[[], None]) -> None:
        client = self._client()
        hosts = {host.id: host for host in client.list_hosts()}
        for job in self._jobs():
            renew()
            try:
                self._do(client, job, hosts)
            except ProxyError as error:
                self._failed(job, error)
                if error.will_heal:
                    break
            hosts = {host.id: host for host in client.list_hosts()}
        self._remember(client, list(hosts.values()), client.list_certificates())

    def _jobs(self) -> list[Job]:
        with reading() as session:
            install = ledger.settings(session).install_id
            query = select(ProxyHost).where(ProxyHost.next_try_at <= self.clock()).order_by(ProxyHost.id)
            return [_job(row, install) for row in session.scalars(query)]

    def _do(self, client: NpmClient, job: Job, hosts: dict[int, Host]) -> None:
        mine = _find(job, hosts)
        if job.removing:
            if mine is not None:
                client.delete_host(mine.id)
                log.info("proxy: %s: deleted host %s", job.spec.domain, mine.id)
            self._gone(job)
            return
        other = next((h for h in hosts.values() if h is not mine and job.spec.domain in h.domains), None)
        if other is not None:
            self._contested(job, other)
            return
        if mine is None:
            host = client.create_host(job.spec, job.mark)
        else:
            host = client.update_host(mine.id, job.spec, job.mark)
        log.info("proxy: %s: host %s is written, online %s", job.spec.domain, host.id, host.online)
        self._done(job, host)

    def _done(self, job: Job, host: Host) -> None:
        """Read what nginx made of it: a host that was accepted may still be broken."""
        with transaction() as session:
            row = session.get(ProxyHost, job.row)
            if row is None:
                return
            row.npm_host_id = host.id
            if row.version != job.version:
                return
            at = self.clock()
            if not job.spec.enabled:
                row.settle(host.id, HostStatus.OFF, at)
            elif host.online is False:
                row.settle(host.id, HostStatus.REJECTED, at, _nginx_says(host))
            else:
                row.settle(host.id, HostStatus.ONLINE, at)

    def _gone(self, job: Job) -> None:
        with transaction() as session:
            row = session.get(ProxyHost, job.row)
            if row is not None and row.removing:
                session.delete(row)

    def _contested(self, job: Job, other: Host) -> None:
        with transaction() as session:
            row = session.get(ProxyHost, job.row)
            if row is not None and row.version == job.version:
                message = holder(_facts(other), job.spec.domain)
                row.fail(HostStatus.CONFLICT, message, None, self.clock())

    def _failed(self, job: Job, error: ProxyError) -> None:
        log.warning("proxy: %s: %s", job.spec.domain, error.message)
        with transaction() as session:
            row = session.get(ProxyHost, job.row)
            if row is not None and row.version == job.version:
                at = self.clock()
                again = next_try(at, row.attempts + 1, random.random())  # noqa: S311
                status = HostStatus.PENDING if error.will_heal else HostStatus.FAILED
                row.fail(status, error.message, again if error.will_heal else None, at)

    def _fail_all(self, message: str, again: datetime | None) -> None:
        """Nothing could be done at all: every waiting row says why; the wish stays."""
        log.warning("proxy: %s", message)
        at = self.clock()
        with transaction() as session:
            settings = npm_settings(session)
            settings.error, settings.next_try_at = message[:500], again
            settings.attempts += 1
            settings.read_at = settings.read_at or at
            for row in session.scalars(select(ProxyHost).where(ProxyHost.next_try_at <= at)):
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
            self._clients = {key: NpmClient(url, email, vault.unseal(sealed), install, verify_tls=verify)}
        return self._clients[key]

    def _remember(self, client: NpmClient, hosts: list[Host], certificates: list[Certificate]) -> None:
        with transaction() as session:
            settings = npm_settings(session)
            settings.hosts = [_facts(host) for host in hosts]
            settings.certificates = [
                {"id": c.id, "name": c.name, "domains": list(c.domains), "expires_on": _iso(c.expires_on)}
                for c in certificates
            ]
            settings.error, settings.attempts, settings.next_try_at = None, 0, None
            settings.read_at = self.clock()


def _is_due(session: Session, settings: NpmSettings | None, at: datetime, check_every: timedelta) -> bool:
    if settings is not None and settings.next_try_at and settings.next_try_at > at:
        return False
    first = session.scalar(select(func.min(ProxyHost.next_try_at)))
    if first is not None and first <= at:
        return True
    if settings is None or not settings.ready or (settings.error and not settings.next_try_at):
        return False
    return settings.read_at is None or settings.read_at + check_every <= at


def _job(row: ProxyHost, install: str) -> Job:
    spec = HostSpec(
        domain=row.fqdn,
        forward_scheme=row.forward_scheme,
        forward_host=row.forward_host,
        forward_port=row.forward_port,
        certificate_id=row.certificate_id,
        ssl_forced=row.ssl_forced,
        http2_support=row.http2_support,
        hsts_enabled=row.hsts_enabled,
        hsts_subdomains=row.hsts_subdomains,
        allow_websocket_upgrade=row.allow_websocket_upgrade,
        block_exploits=row.block_exploits,
        enabled=row.enabled,
    )
    consumer = row.consumer
    return Job(
        row.id, row.version, spec, Mark(install, consumer.type, consumer.id), row.npm_host_id, row.removing
    )


def _find(job: Job, hosts: dict[int, Host]) -> Host | None:
    """Our host: the one with our mark, by the id we know or by the mark alone after a lost answer."""
    known = hosts.get(job.npm_host_id or 0)
    if known is not None and known.mark == job.mark:
        return known
    return next((host for host in hosts.values() if host.mark == job.mark), None)


def _nginx_says(host: Host) -> str:
    said = (host.nginx_error or "no reason given").strip()
    if host.blamed_host is not None:
        return f"nginx refuses because of another host ({host.blamed_host}): {said}"
    return f"nginx refuses this host, so it is not served: {said}"


def _facts(host: Host) -> dict[str, object]:
    return {
        "id": host.id,
        "domains": list(host.domains),
        "forward": f"{host.forward_scheme}://{host.forward_host}:{host.forward_port}",
        "install": host.mark.install if host.mark else None,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
