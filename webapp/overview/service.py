"""What the overview tells: the steps of the set-up, the state of each connection, and what needs a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from webapp.deploy import dashboard, rows
from webapp.deploy.dashboard import AppLine
from webapp.deploy.glance import Glance, first_apps, glances
from webapp.deploy.models import App, EngineState
from webapp.dns import ledger
from webapp.dns.connections import Connection
from webapp.dns.desired import Mode
from webapp.dns.models import ConsumerType, DnsRecord, DnsSettings, Status
from webapp.proxy import service as proxies
from webapp.proxy.certificates import listing
from webapp.proxy.certificates import service as requests
from webapp.proxy.certificates.listing import Line
from webapp.proxy.certificates.models import CertificateRequest, Phase
from webapp.proxy.models import HostStatus, NpmSettings, ProxyHost

TROUBLE = (Status.FAILED, Status.CONFLICT, Status.DRIFTED, Status.MISSING)
HOST_TROUBLE = (
    HostStatus.FAILED, HostStatus.CONFLICT, HostStatus.REJECTED, HostStatus.DRIFTED, HostStatus.MISSING,
)  # fmt: skip
MOST = 10
MOST_APPS = 20


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
    apps: Sequence[AppLine]
    total: int
    glances: Sequence[Glance]
    engine: EngineState | None
    certificates: Sequence[Line]
    failed_requests: Sequence[CertificateRequest]

    @property
    def busy(self) -> bool:
        """Whether something is being done to an app."""
        return any(one.is_moving for one in self.glances) or any(app.is_busy for app in self.apps)

    @property
    def running(self) -> int:
        """How many instances visitors can reach."""
        return sum(one.reachable.answer is True for one in self.glances)

    @property
    def well(self) -> bool:
        """Whether nothing needs a person, and everything answers."""
        away = any(one.is_away for one in self.glances)
        silent = any(one and one.error for one in (self.connection, self.engine))
        waiting = self.connection is not None and self.connection.review_state == "reckless"
        wildcard = self.dns is not None and self.dns.wildcard_works is False
        troubled = self.troubled_hosts or self.troubled_records or self.troubled_certificates
        return not (away or silent or waiting or wildcard or troubled or self.failed_requests)

    @property
    def troubled_certificates(self) -> list[Line]:
        """Certificates that run out, with nobody seeing to it."""
        return [line for line in self.certificates if line.warning][:MOST]

    @property
    def slugs(self) -> Mapping[int, str]:
        """The app of each instance."""
        return {one.instance_id: one.slug for one in self.glances}

    @property
    def complete(self) -> bool:
        """Whether the set-up is done."""
        return all(step.done for step in self.steps)


def overview(session: Session, at: datetime) -> Overview:
    """Look at everything once."""
    dns, npm = ledger.settings_or_none(session), proxies.npm_settings_or_none(session)
    zones, engine = ledger.connections(session), rows.engine_state_or_none(session)
    found = glances(session, engine)
    hosts = _counts(session, ProxyHost.status, ProxyHost.consumer_type == ConsumerType.STANDALONE)
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
        apps=_shown(session, found),
        total=session.scalar(select(func.count()).select_from(App)) or 0,
        glances=found,
        engine=engine,
        certificates=list(listing.by_id(session, at).values()),
        failed_requests=[r for r in requests.requests(session) if r.phase is Phase.FAILED][:MOST],
    )


def _shown(session: Session, found: Sequence[Glance]) -> list[AppLine]:
    """What needs a look first; apps without an instance last."""
    by_name, _ = rows.apps_like(session, "", 1, MOST_APPS)
    ids = list(dict.fromkeys([*first_apps(found, MOST_APPS), *by_name]))
    return dashboard.some(session, ids[:MOST_APPS])


def _counts(session: Session, column: object, *only: ColumnElement[bool]) -> dict[str, int]:
    query = select(column, func.count()).where(*only).group_by(column)  # type: ignore[call-overload]
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
