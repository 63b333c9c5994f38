"""Hosts made by hand become standalone proxies here, by a reviewed choice; nothing of them changes for visitors.

So do, where a person names it (`of`), those of another installation of Tiny Forge whose database is lost.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.db import reading, transaction, wake_worker_on_commit
from webapp.dns import ledger
from webapp.dns.models import ConsumerType
from webapp.errors import Busy, NotFound, Stale
from webapp.proxy import service
from webapp.proxy.drift import certificate_ids, stamp, unfit
from webapp.proxy.facts import Facts, as_wish, settings_of
from webapp.proxy.models import ProxyHost

CHANGED_SINCE = "This host was changed in Nginx Proxy Manager since it was shown. Look at it as it is now."


@dataclass(frozen=True)
class Candidate:
    """A host that is not ours, as last read; `why_not`: why it cannot be adopted, in a sentence."""

    facts: Facts
    why_not: str | None

    @property
    def id(self) -> int:
        """Its id at Nginx Proxy Manager."""
        return int(self.facts["id"])

    @property
    def names(self) -> str:
        """All its names."""
        return ", ".join(self.facts["domains"])

    @property
    def shown(self) -> str:
        """What a form says it has shown."""
        return stamp(self.facts)


def candidates(session: Session, of: str | None = None) -> list[Candidate]:
    """Every host over there that is not ours, by name; constant in queries."""
    settings = service.npm_settings_or_none(session)
    if settings is None or not settings.hosts:
        return []
    install, certificates = ledger.settings(session).install_id, certificate_ids(session)
    rows = session.execute(select(ProxyHost.npm_host_id, ProxyHost.fqdn).where(~ProxyHost.removing)).all()
    known, names = {row[0] for row in rows}, {row[1] for row in rows}
    found = [
        Candidate(facts, _why_not(facts, names, certificates, of))
        for facts in settings.hosts
        if facts["install"] != install and facts["id"] not in known
    ]
    return sorted(found, key=lambda candidate: candidate.facts["domains"])


def candidate(session: Session, npm_host_id: int, of: str | None = None) -> Candidate:
    """One of them. Raises NotFound."""
    found = next((one for one in candidates(session, of) if one.id == npm_host_id), None)
    if found is None:
        raise NotFound("There is no such host in Nginx Proxy Manager (any more), or it is ours already.")
    return found


def by_name(name: str, of: str | None = None) -> Candidate:
    """The one that has this name. Raises NotFound."""
    with reading() as session:
        found = next((one for one in candidates(session, of) if name in one.facts["domains"]), None)
    if found is None:
        raise NotFound(f"No host of that name was made by hand in Nginx Proxy Manager: {name}.")
    return found


def taken_over(session: Session, facts: Facts) -> list[tuple[str, str]]:
    """What a proxy would keep of a host, label by label, for the review."""
    settings = service.npm_settings_or_none(session)
    names = {one["id"]: one["name"] for one in settings.certificates} if settings else {}
    return settings_of(facts, names)


def adopt(
    npm_host_id: int, *, shown: str, use_dns: bool = True, of: str | None = None, at: datetime
) -> ProxyHost:
    """Wish for the host as it is, marked as ours, and claim its name, both or neither.

    Raises NotFound, Stale for a host that is not as it was shown, and Busy or InvalidInput with the reason for
    one that cannot be had. The worker looks again before it marks it.
    """
    with transaction() as session:
        found = candidate(session, npm_host_id, of)
        if found.shown != shown:
            raise Stale(CHANGED_SINCE)
        if found.why_not is not None:
            raise Busy(found.why_not)
        wish = as_wish(found.facts)
        service.check_free(session, wish["fqdn"], None, but=npm_host_id)
        host = ProxyHost(
            consumer_type=ConsumerType.STANDALONE,
            npm_host_id=npm_host_id,
            use_dns=use_dns,
            created_at=at,
            **wish,
        )
        host.agree(found.facts, at)
        session.add(host)
        service.flush(session, host.fqdn)
        service.claim_names(host, at)
        wake_worker_on_commit()
        return host


def _why_not(facts: Facts, names: set[str], certificates: set[int], of: str | None) -> str | None:
    if facts["install"] not in (None, of):
        return (
            f"It belongs to another installation of Tiny Forge ({facts['install']}). Where that is lost for good, "
            f"take it over with «tiny-forge proxy adopt NAME --of {facts['install']}»."
        )
    if facts["extras"]:
        return f"It has {_listed(facts['extras'])}, which a proxy here cannot keep."
    mine = sorted(names & set(facts["domains"]))
    if mine:
        return f"There is a proxy called {mine[0]} here already. Delete that first."
    return unfit(facts, certificates)


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
