"""What a proxy host's row asks of Nginx Proxy Manager, and what is kept of its answers. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from webapp.proxy.models import HostStatus, ProxyHost
from webapp.proxy.npm_wire import Certificate, Host, HostSpec, Mark, checked

SAME = tuple(field.name for field in fields(HostSpec) if field.name not in ("domain", "enabled", "proof"))
"""What a host and its spec call by the same name, besides what needs a closer look."""

MOST_PROOFS = 5
"""Hosts that get only their proof in one pass; with many hosts each takes seconds."""


@dataclass(frozen=True)
class Job:
    """One row's wish, read before anything is done. `version` tells whether the wish changed meanwhile."""

    row: int
    version: int
    spec: HostSpec
    mark: Mark
    npm_host_id: int | None
    removing: bool
    published: bool

    @classmethod
    def of(cls, row: ProxyHost, install: str, proof: str = "") -> "Job":
        """The wish of a row, and our piece of the host's advanced configuration."""
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
            proof=proof,
        )
        mark = Mark(install, row.consumer.type, row.consumer.id)
        return cls(row.id, row.version, spec, mark, row.npm_host_id, row.removing, row.published)

    def find(self, hosts: Mapping[int, Host]) -> Host | None:
        """Our host: the one with our mark, by the id we know or by the mark alone after a lost answer."""
        known = hosts.get(self.npm_host_id or 0)
        if known is not None and known.mark == self.mark:
            return known
        return next((host for host in hosts.values() if host.mark == self.mark), None)

    def rival(self, hosts: Mapping[int, Host]) -> Host | None:
        """Another host that has the name."""
        taken = (h for h in hosts.values() if h.mark != self.mark and self.spec.domain in h.domains)
        return next(taken, None)

    def is_contested(self, rival: Host | None) -> bool:
        """Whether the other host that has the name is not ours to move."""
        return rival is not None and (rival.mark is None or rival.mark.install != self.mark.install)

    def is_untrue(self, status: HostStatus, hosts: Mapping[int, Host]) -> bool:
        """Whether the list shows something else than the status of a row at rest says, or may soon do so.

        A host that nginx refuses has to be written again to find out whether it still does.
        """
        if status is HostStatus.CONFLICT:
            return not self.is_contested(self.rival(hosts))
        if status not in (HostStatus.ONLINE, HostStatus.OFF):
            return status is HostStatus.REJECTED
        mine = self.find(hosts)
        return mine is None or self._differs(mine) or (mine.enabled and mine.online is False)

    def is_unproven(self, status: HostStatus, hosts: Mapping[int, Host]) -> bool:
        """Whether a host that is all right but for that lacks the place of its proof, or has one too many."""
        mine = self.find(hosts)
        resting = status in (HostStatus.ONLINE, HostStatus.OFF) and mine is not None
        return resting and mine is not None and mine.proof != self.spec.proof and not self._differs(mine)

    def _differs(self, host: Host) -> bool:
        spec = checked(self.spec)
        same = all(getattr(host, name) == getattr(spec, name) for name in SAME)
        return not same or (host.domains, host.enabled) != ((spec.domain.lower(),), spec.enabled)


def turns(
    pairs: Iterable[tuple[ProxyHost, Job]], hosts: Mapping[int, Host], at: datetime, *, regular: bool
) -> tuple[list[Job], bool]:
    """What is due, what somebody deleted over there, and at a regular read all that is not as it says.

    Hosts that lack only their proof come last, and few at once, so that nobody waits for them: the second value
    says whether more of them are left.
    """
    jobs: list[Job] = []
    unproven: list[Job] = []
    for row, job in pairs:
        if row.is_due(at) or row.is_lost(hosts) or (regular and job.is_untrue(row.status, hosts)):
            jobs.append(job)
        elif regular and job.is_unproven(row.status, hosts):
            unproven.append(job)
    return jobs + unproven[:MOST_PROOFS], len(unproven) > MOST_PROOFS


def nginx_says(host: Host) -> str:
    """Why nginx does not serve the host, in its own words."""
    said = (host.nginx_error or "no reason given").strip()
    if host.blamed_host is not None:
        return f"nginx refuses because of another host ({host.blamed_host}): {said}"
    return f"nginx refuses this host, so it is not served: {said}"


def host_facts(host: Host) -> dict[str, Any]:
    """What the pages need to know of a host: whose it is, and where it goes."""
    return {
        "id": host.id,
        "domains": list(host.domains),
        "forward": f"{host.forward_scheme}://{host.forward_host}:{host.forward_port}",
        "install": host.mark.install if host.mark else None,
    }


def certificate_facts(certificate: Certificate) -> dict[str, Any]:
    """What the form needs to know of a certificate."""
    expires = certificate.expires_on.isoformat() if certificate.expires_on else None
    return {
        "id": certificate.id,
        "name": certificate.name,
        "domains": list(certificate.domains),
        "expires_on": expires,
    }
