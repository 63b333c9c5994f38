"""What the overview tells: the steps of the set-up, the state of each connection, and what needs a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.dns import ledger
from webapp.dns.desired import Mode
from webapp.dns.models import Connection, DnsRecord, DnsSettings, Status
from webapp.proxy import service as proxies
from webapp.proxy.models import HostStatus, NpmSettings, ProxyHost

TROUBLE = (Status.FAILED, Status.CONFLICT, Status.DRIFTED, Status.MISSING)
HOST_TROUBLE = (HostStatus.FAILED, HostStatus.CONFLICT, HostStatus.REJECTED)
MOST = 10


@dataclass(frozen=True)
class Step:
    """One step of the set-up."""

    label: str
    hint: str
    done: bool


@dataclass(frozen=True)
class Overview:
    """Everything on the page; read in a constant number of queries."""

    steps: Sequence[Step]
    dns: DnsSettings | None
    npm: NpmSettings | None
    connection: Connection | None
    retiring: int
    hosts: Mapping[str, int]
    records: Mapping[str, int]
    troubled_hosts: Sequence[ProxyHost]
    troubled_records: Sequence[DnsRecord]

    @property
    def complete(self) -> bool:
        """Whether the set-up is done."""
        return all(step.done for step in self.steps)


def overview(session: Session) -> Overview:
    """Look at everything once."""
    dns, npm = ledger.settings_or_none(session), proxies.npm_settings_or_none(session)
    zones = ledger.connections(session)
    hosts = _counts(session, ProxyHost.status)
    return Overview(
        steps=_steps(dns, npm, any(hosts.values())),
        dns=dns,
        npm=npm,
        connection=next((zone for zone in zones if zone.active), None),
        retiring=sum(not zone.active for zone in zones),
        hosts=hosts,
        records=_counts(session, DnsRecord.status),
        troubled_hosts=session.scalars(
            select(ProxyHost).where(ProxyHost.status.in_(HOST_TROUBLE)).order_by(ProxyHost.fqdn).limit(MOST)
        ).all(),
        troubled_records=session.scalars(
            select(DnsRecord).where(DnsRecord.status.in_(TROUBLE)).order_by(DnsRecord.fqdn).limit(MOST)
        ).all(),
    )


def _counts(session: Session, column: object) -> dict[str, int]:
    query = select(column, func.count()).group_by(column)  # type: ignore[call-overload]
    return {str(found[0]): found[1] for found in session.execute(query)}


def _steps(dns: DnsSettings | None, npm: NpmSettings | None, has_proxy: bool) -> list[Step]:
    managed = dns is not None and dns.mode is Mode.MANAGED
    return [
        Step("Enter the base domain", "New names are completed with it.", bool(dns and dns.base_domain)),
        Step(
            "Connect Nginx Proxy Manager",
            "Its address, and an account of its own for Tiny Forge.",
            bool(npm and npm.ready and npm.read_at and not npm.error),
        ),
        Step(
            "Choose how names come into DNS",
            "A wildcard record that exists already, or one record per name at your provider.",
            managed or bool(dns and dns.wildcard_works),
        ),
        Step("Add the first proxy", "A name that leads to a host and port.", has_proxy),
    ]
