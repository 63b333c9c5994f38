"""Writes down what became of the wishes at Nginx Proxy Manager, each in a transaction of its own."""

import logging
import random
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select

from webapp.db import reading, transaction, wake_worker_on_commit
from webapp.dns import ledger
from webapp.dns.retry import next_try
from webapp.errors import ProxyError
from webapp.proxy.facts import brief, certificate_facts, host_facts
from webapp.proxy.hostlist import HostList
from webapp.proxy.jobs import Finding, Job
from webapp.proxy.models import ASTRAY, HostStatus, ProxyHost
from webapp.proxy.npm_certificate import Certificate
from webapp.proxy.service import LONG_AGO, npm_settings, npm_settings_or_none

log = logging.getLogger(__name__)

ASKING = (
    "Nginx Proxy Manager is asking for a certificate of this name; the change is made when it has an answer."
)
ASK_AGAIN = timedelta(seconds=5)


def found(job: Job, finding: Finding, at: datetime) -> None:
    """The job is done, or cannot be: keep how the host stands, unless the wish changed meanwhile."""
    log.info("proxy: %s: host %s is %s", job.spec.domain, finding.npm_host_id, finding.status)
    with transaction() as session:
        row = session.get_one(ProxyHost, job.row)
        row.npm_host_id = finding.npm_host_id or row.npm_host_id
        if row.version == job.version:
            apply(row, finding, at)


def apply(row: ProxyHost, finding: Finding, at: datetime) -> None:
    """Have a row say how its host stands."""
    if finding.status is HostStatus.CONFLICT:
        row.fail(finding.status, finding.error or "", None, at)
    else:
        row.settle(finding.status, at, finding.error, finding.seen)


def gone(job: Job, at: datetime) -> None:
    """No host of it is left over there: the row goes, or keeps the name. Only this process deletes rows."""
    with transaction() as session:
        row = session.get_one(ProxyHost, job.row)
        if job.removing:
            session.delete(row)
            return
        row.npm_host_id = None
        if row.version == job.version:
            row.park(at)


def failed(job: Job, error: ProxyError, at: datetime, *, heals: bool) -> None:
    """It could not be done; where it heals, there is a next try."""
    log.warning("proxy: %s: %s", job.spec.domain, error.message)
    with transaction() as session:
        row = session.get_one(ProxyHost, job.row)
        if error.unconfirmed:
            row.doubt(at)
        if row.version != job.version:
            return
        again = next_try(at, row.attempts + 1, random.random()) if heals else None  # noqa: S311
        row.fail(HostStatus.PENDING if again else HostStatus.FAILED, error.message, again, at)


def waits(job: Job, at: datetime) -> None:
    """It waits for NPM's answer about a certificate."""
    with transaction() as session:
        row = session.get_one(ProxyHost, job.row)
        if row.version == job.version:
            row.put_off(ASKING, at + ASK_AGAIN)


def begun(job: Job) -> None:
    """What a person agreed to has begun: from here on it is finished like any other wish."""
    with transaction() as session:
        row = session.get_one(ProxyHost, job.row)
        if row.version == job.version:
            row.seen, row.agreed = None, False


def make_way(host_id: int, at: datetime) -> None:
    """A host of ours has a name that its own row gave up, and is about to go: its row makes it anew."""
    log.info("proxy: host %s has a name that another row wants", host_id)
    with transaction() as session:
        query = select(ProxyHost).where(ProxyHost.npm_host_id == host_id, ~ProxyHost.removing)
        for row in session.scalars(query):
            row.ask(at)


def looked(hosts: HostList, certificates: list[Certificate], at: datetime) -> None:
    """Keep the lists for the pages, and have every row at rest say how its host stands."""
    install, news = _news(hosts, {certificate.id: certificate.name for certificate in certificates})
    with transaction() as session:
        settings = npm_settings(session)
        settings.hosts = [brief(host) if host.is_of(install) else host_facts(host) for host in hosts.all]
        settings.certificates = [certificate_facts(certificate) for certificate in certificates]
        for row in session.scalars(select(ProxyHost).where(failed_by(settings.error))):
            row.fail(HostStatus.PENDING, settings.error or "", at, at)
        settings.error, settings.attempts, settings.next_try_at = None, 0, None
        settings.read_at = at
        for job, finding in news:
            row = session.get_one(ProxyHost, job.row)
            if row.version == job.version and row.is_at_rest:
                _noticed(row, finding, at)


def _news(hosts: HostList, certificates: dict[int, str]) -> tuple[str, list[tuple[Job, Finding]]]:
    """The installation, and each row at rest that says something else than what the list shows."""
    with reading() as session:
        install = ledger.settings(session).install_id
        resting = [row for row in session.scalars(select(ProxyHost)) if row.is_at_rest]
        looks = [
            (row, job, job.look(hosts, certificates)) for row in resting for job in [Job.of(row, install)]
        ]
        return install, [
            (job, found)
            for row, job, found in looks
            if (row.status, row.seen, row.error) != (found.status, found.seen, found.error)
        ]


def _noticed(row: ProxyHost, finding: Finding, at: datetime) -> None:
    """Have a row at rest say what was found; what may be a late change of our own is put right instead."""
    log.warning("proxy: %s: %s", row.fqdn, finding.error or f"it is {finding.status} again")
    astray = finding.status in ASTRAY
    if astray and row.doubt_until is not None and row.doubt_until > at:
        row.ask(at)
    else:
        apply(row, finding, at)


def look_again(since: datetime = LONG_AGO) -> None:
    """Have the next look at once, not only when a regular one is due: as if the last had been then."""
    with transaction() as session:
        settings = npm_settings(session)
        settings.read_at = settings.read_at and since
        wake_worker_on_commit()


def certificate_names() -> dict[int, str]:
    """What the certificates are called, as last read."""
    with reading() as session:
        settings = npm_settings_or_none(session)
        return {one["id"]: one["name"] for one in settings.certificates} if settings else {}


def nothing_known(at: datetime) -> None:
    """Without a proxy manager, and without a host that is known there, a removal is done."""
    with transaction() as session:
        unknown = select(ProxyHost).where(ProxyHost.npm_host_id.is_(None))
        for row in session.scalars(unknown.where(ProxyHost.removing)):
            session.delete(row)
        for row in session.scalars(unknown.where(~ProxyHost.published, ~ProxyHost.removing)):
            row.park(at)


def all_failed(message: str, at: datetime, *, heals: bool) -> None:
    """Nothing could be done at all: every waiting row says why; the wish stays."""
    log.warning("proxy: %s", message)
    message = message[:500]
    with transaction() as session:
        settings = npm_settings(session)
        again = next_try(at, settings.attempts + 1, random.random()) if heals else None  # noqa: S311
        stuck = (ProxyHost.next_try_at <= at) | failed_by(settings.error)
        settings.error, settings.next_try_at = message, again
        settings.attempts += 1
        for row in session.scalars(select(ProxyHost).where(stuck)):
            row.fail(HostStatus.PENDING if again else HostStatus.FAILED, message, again, at)


def failed_by(error: str | None) -> ColumnElement[bool]:
    """Rows that failed because of a fault of the connection as a whole, which was not theirs."""
    return (ProxyHost.status == HostStatus.FAILED) & (ProxyHost.error == error)
