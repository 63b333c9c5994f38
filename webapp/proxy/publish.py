"""Publishes and unpublishes hosts at Nginx Proxy Manager, one write at a time, from the rows that wish for it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp import outgoing, vault
from webapp.db import now, reading
from webapp.dns import ledger
from webapp.errors import Busy, KeyLost, ProxyError
from webapp.lease import leased
from webapp.proxy import npm_cover, outcomes
from webapp.proxy import npm_refusals as refusals
from webapp.proxy.asking import Asking, asking
from webapp.proxy.hostlist import HostList
from webapp.proxy.jobs import Job, turns
from webapp.proxy.models import HostStatus, NpmSettings, ProxyHost
from webapp.proxy.npm import NpmClient
from webapp.proxy.npm_transport import NotAllowed, NotNpm
from webapp.proxy.npm_wire import Host
from webapp.proxy.proofs import pieces

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
        """One pass: do what is due, and look at everything when the last look is old. Never raises for faults."""
        at = self.clock()
        with reading() as session:
            settings = session.get(NpmSettings, 1)
            if not _is_due(session, settings, at, self.check_every):
                return
            ready = settings is not None and settings.ready
        if not ready:
            outcomes.nothing_known(at)
            outcomes.all_failed(NOT_SET_UP, at, heals=False)
            return
        try:
            with leased("nginx proxy manager", self.holder, self.clock) as self._renew:
                self._work()
        except Busy as busy:
            log.debug("proxy: %s", busy.message)
        except (ProxyError, KeyLost) as error:
            outcomes.all_failed(error.message, self.clock(), heals=self._heals(error))

    def _heals(self, error: ProxyError | KeyLost) -> bool:
        """Whether waiting may help; strange answers and refusals pass where all was well before."""
        with reading() as session:
            known = session.get_one(NpmSettings, 1).read_at is not None
        return (isinstance(error, ProxyError) and error.will_heal) or (
            isinstance(error, NotNpm | NotAllowed) and known
        )

    def _work(self) -> None:
        client = self._client()
        hosts = HostList(client.list_hosts())
        with reading() as session:
            asked = asking(session)
        for job in self._jobs(hosts, asked):
            if self.stopping():
                return
            if job.waits(asked.names, hosts):
                outcomes.waits(job, self.clock())
                continue
            try:
                if not job.rests(asked.names, hosts):
                    self._act(client, job, hosts)
                    hosts = HostList(client.list_hosts())
                self._settle(job, hosts)
            except ProxyError as error:
                heals = self._heals(error)
                outcomes.failed(job, error, self.clock(), heals=heals)
                if heals:
                    break
                hosts = HostList(client.list_hosts())
        outcomes.looked(hosts, client.list_certificates(), self.clock())
        self._sweep(client, hosts)
        if self._behind:
            outcomes.look_again(self.clock() - self.check_every)

    def _sweep(self, client: NpmClient, hosts: HostList) -> None:
        """Covers that were forgotten would serve what their hosts were then.

        A request is written down before its cover is made, so what is read now has those of all that were listed.
        """
        with reading() as session:
            install, requests = ledger.settings(session).install_id, asking(session).requests
        for cover in npm_cover.forgotten(hosts.all, install, requests):
            try:
                client.delete_host(cover.id)
            except ProxyError as error:
                log.warning("proxy: %s: %s", cover.domains[0], error.message)

    def _jobs(self, hosts: HostList, asked: Asking) -> list[Job]:
        """Whose turn it is."""
        at = self.clock()
        with reading() as session:
            install = ledger.settings(session).install_id
            regular = _is_old(session.get_one(NpmSettings, 1), at, self.check_every)
            rows = session.scalars(select(ProxyHost).order_by(ProxyHost.id)).all()
            proofs = pieces(session)
            pairs = [(row, Job.of(row, install, proofs.get(row.fqdn, ""))) for row in rows]
            jobs, self._behind = turns(pairs, hosts, asked.names, at, regular=regular)
            return jobs

    def _act(self, client: NpmClient, job: Job, hosts: HostList) -> None:
        """Do what the row wishes; what may not be touched is left alone, and `_settle` finds it."""
        if job.is_over:
            mine = job.find(hosts)
            if mine is not None and not client.delete_host(mine.id):
                log.warning("proxy: %s: nginx serves it until another site is repaired", job.spec.domain)
        elif job.agreed is None:
            self._write(client, job, hosts)
        elif job.is_as_agreed(hosts):
            hosts = self._taken_over(client, job, hosts)
            outcomes.begun(job)
            self._write(client, job, hosts)

    def _taken_over(self, client: NpmClient, job: Job, hosts: HostList) -> HostList:
        """Mark as ours what a person agreed to; of a lost installation its covers go, which nobody else deletes."""
        unmarked = job.unmarked(hosts)
        there = unmarked or job.find(hosts)
        if unmarked is not None:
            client.mark_host(unmarked.id, job.mark, of=job.heir_of)
        for cover in npm_cover.of_host(hosts.all, job.heir_of, there.id) if there else ():
            client.delete_host(cover.id, adopt=True)
        return HostList(client.list_hosts()) if unmarked is not None else hosts

    def _write(self, client: NpmClient, job: Job, hosts: HostList) -> None:
        mine, rival = job.find(hosts), job.rival(hosts)
        if job.is_contested(rival):
            return
        if rival is not None:
            self._evict(client, job, rival)
        if mine is None:
            client.create_host(job.spec, job.mark)
        else:
            client.update_host(mine.id, job.spec, job.mark)
            self._uncover(client, job, hosts, mine)

    def _uncover(self, client: NpmClient, job: Job, hosts: HostList, mine: Host) -> None:
        """A certificate is still asked for, and the host is another by now: it serves its name itself again."""
        covers = npm_cover.of_host(hosts.all, job.mark.install, mine.id)
        if covers:
            client.rewrite_host(mine.id)
        for cover in covers:
            client.delete_host(cover.id)

    def _evict(self, client: NpmClient, job: Job, rival: Host) -> None:
        """Another host of ours has the name, which its own row gave up: out of the way with it."""
        outcomes.make_way(rival.id, self.clock())
        client.delete_host(rival.id)
        if job.rival(HostList(client.list_hosts())) is not None:
            raise refusals.unconfirmed(f"the deletion of the proxy host {job.spec.domain}")

    def _settle(self, job: Job, hosts: HostList) -> None:
        """What became of it, by a listing made afterwards. Raises ProxyError where nothing did."""
        if job.is_over:
            if job.find(hosts) is not None:
                raise refusals.unconfirmed(f"the deletion of the proxy host {job.spec.domain}")
            outcomes.gone(job, self.clock())
            return
        finding = job.look(hosts, outcomes.certificate_names())
        if finding.status is HostStatus.MISSING and job.agreed is None:
            raise refusals.unconfirmed(f"the creation of the proxy host {job.spec.domain}")
        outcomes.found(job, finding, self.clock())

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
    """Whether a regular look is due."""
    return settings.read_at is None or settings.read_at + check_every <= at
