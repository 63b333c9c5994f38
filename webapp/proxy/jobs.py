"""What a proxy host's row asks of Nginx Proxy Manager, and what a listing says about it. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from webapp.proxy import npm_cover
from webapp.proxy.facts import MARK, Facts, content, differences, forward, held, host_facts
from webapp.proxy.hostlist import HostList
from webapp.proxy.models import HostStatus, ProxyHost
from webapp.proxy.npm_mark import Mark
from webapp.proxy.npm_wire import Host, HostSpec

MOST_PROOFS = 5
"""Hosts that get only their proof in one pass; with many hosts each takes seconds."""

GONE = "It is no longer in Nginx Proxy Manager. Restore makes it again."


@dataclass(frozen=True)
class Finding:
    """How a host stands. `seen`: what is there instead of what is wanted, with the `differences`."""

    status: HostStatus
    error: str | None = None
    seen: Facts | None = None
    npm_host_id: int | None = None


@dataclass(frozen=True)
class Job:
    """One row's wish, read before anything is done. `version` tells whether the wish changed meanwhile.

    `agreed` is the host as a person saw it and agreed to have it taken over or overwritten.
    """

    row: int
    version: int
    spec: HostSpec
    mark: Mark
    npm_host_id: int | None
    removing: bool
    published: bool
    agreed: Facts | None

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
        agreed = row.seen if row.agreed else None
        return cls(row.id, row.version, spec, mark, row.npm_host_id, row.removing, row.published, agreed)

    @property
    def is_over(self) -> bool:
        """Whether no host is wanted any more."""
        return self.removing or not self.published

    @property
    def heir_of(self) -> str | None:
        """The other installation, lost for good, whose host a person has said is ours from now on."""
        install = (self.agreed or {}).get("install")
        return None if install == self.mark.install else install

    def find(self, hosts: HostList) -> Host | None:
        """Our host: the one with our mark, by the id we know or by the mark alone after a lost answer."""
        return hosts.marked(self.mark, self.npm_host_id)

    def unmarked(self, hosts: HostList) -> Host | None:
        """The host with the id and the name that we know, but without any mark, which other tools may have lost,
        or with that of the installation that is lost."""
        known = hosts.by_id(self.npm_host_id)
        if known is None or self.spec.domain not in known.domains:
            return None
        return known if known.mark is None or known.is_of(self.heir_of or "") else None

    def rival(self, hosts: HostList) -> Host | None:
        """Another host that has the name."""
        return hosts.rival(self.spec.domain, self.mark)

    def is_contested(self, rival: Host | None) -> bool:
        """Whether the other host that has the name is not ours to move."""
        return rival is not None and not rival.is_of(self.mark.install)

    def is_as_agreed(self, hosts: HostList) -> bool:
        """Whether what stands there is what a person agreed about."""
        there = self.find(hosts) or self.unmarked(hosts)
        return there is not None and content(host_facts(there)) == content(self.agreed or {})

    def is_mended(self, row: ProxyHost, hosts: HostList) -> bool:
        """Whether something that stood in the way may be gone: another host with the name, or what nginx refused.

        A host that nginx refuses has to be written again to find out whether it still does.
        """
        if row.status is HostStatus.CONFLICT:
            return not self.is_contested(self.rival(hosts))
        return row.is_at_rest and self.look(hosts, {}).status is HostStatus.REJECTED

    def is_unproven(self, row: ProxyHost, hosts: HostList) -> bool:
        """Whether a host that is all right but for that lacks the place of its proof, or has one too many."""
        mine = self.find(hosts)
        if mine is None or mine.proof == self.spec.proof or not row.is_at_rest:
            return False
        return self.look(hosts, {}).status in (HostStatus.ONLINE, HostStatus.OFF)

    def waits(self, asked: Collection[str], hosts: HostList) -> bool:
        """Whether to let NPM first have its answer about a certificate for these names.

        It writes hosts back as they were when it began, also what was deleted, renamed or turned off meanwhile. A
        host that leads elsewhere, as after a deploy, does not wait.
        """
        mine, rival = self.find(hosts), self.rival(hosts)
        evicts = not self.is_over and rival is not None and not self.is_contested(rival)
        if evicts and self.spec.domain in asked:
            return True
        if mine is None or not set(mine.domains) & set(asked):
            return False
        return self.is_over or not self.spec.enabled or self.spec.domain not in mine.domains

    def rests(self, asked: Collection[str], hosts: HostList) -> bool:
        """Whether the host is as wished, and a write would only bring it back beside its cover, while NPM asks."""
        mine = self.find(hosts)
        if mine is None or self.is_over or self.agreed or not set(mine.domains) & set(asked):
            return False
        covers = npm_cover.of_host(hosts.all, self.mark.install, mine.id)
        hidden = any(forward(cover) != forward(self.spec) for cover in covers)
        return not (hidden or mine.online is False or differences(self.spec, mine, {}))

    def look(self, hosts: HostList, certificates: Mapping[int, str]) -> Finding:
        """How the host stands, where one is wanted."""
        mine, stray, rival = self.find(hosts), self.unmarked(hosts), self.rival(hosts)
        there = mine or stray
        if rival is not None and rival is not stray and self.is_contested(rival):
            return Finding(HostStatus.CONFLICT, held(host_facts(rival), self.spec.domain))
        if there is None:
            return Finding(HostStatus.MISSING, GONE)
        found = differences(self.spec, there, certificates)
        if mine is None:
            found.append([MARK, "there", "gone"])
        if found:
            seen = host_facts(there) | {"differences": found}
            return Finding(HostStatus.DRIFTED, told(found), seen, there.id)
        return self._as_wanted(there)

    def _as_wanted(self, host: Host) -> Finding:
        """What nginx made of a host that is as wanted: one that was accepted may still be broken."""
        if not self.spec.enabled:
            return Finding(HostStatus.OFF, npm_host_id=host.id)
        if host.online is False:
            return Finding(HostStatus.REJECTED, nginx_says(host), npm_host_id=host.id)
        return Finding(HostStatus.ONLINE, npm_host_id=host.id)


def turns(
    pairs: Iterable[tuple[ProxyHost, Job]],
    hosts: HostList,
    asked: Collection[str],
    at: datetime,
    *,
    regular: bool,
) -> tuple[list[Job], bool]:
    """What is due, and at a regular look what nginx refused or somebody else had: that may have been mended.

    Hosts that lack only their proof come last, and few at once, so that nobody waits for them: the second value
    says whether more of them are left. Not while NPM asks for a certificate of theirs (`asked`).
    """
    jobs: list[Job] = []
    unproven: list[Job] = []
    for row, job in pairs:
        if row.is_due(at) or (regular and job.is_mended(row, hosts)):
            jobs.append(job)
        elif regular and job.is_unproven(row, hosts) and not job.rests(asked, hosts):
            unproven.append(job)
    return jobs + unproven[:MOST_PROOFS], len(unproven) > MOST_PROOFS


def told(found: list[list[str]]) -> str:
    """Differences in a sentence each."""
    changes = " ".join(f"{label}: {ours} → {theirs}." for label, ours, theirs in found)
    return f"Changed in Nginx Proxy Manager. {changes}"


def nginx_says(host: Host) -> str:
    """Why nginx does not serve the host, in its own words."""
    said = (host.nginx_error or "no reason given").strip()
    if host.blamed_host is not None:
        return f"nginx refuses because of another host ({host.blamed_host}): {said}"
    return f"nginx refuses this host, so it is not served: {said}"
