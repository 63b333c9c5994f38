"""What the app pages show: every instance with its version, host, record and whether it can really be reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from webapp.deploy import rows
from webapp.deploy.actions import Action
from webapp.deploy.models import App, EngineState, Instance, Seen, Version
from webapp.dns import ledger
from webapp.dns.models import SETTLED, ConsumerType, DnsRecord
from webapp.proxy.instances import hosts_of
from webapp.proxy.models import HostStatus, ProxyHost

NOT_RUNNING = {
    Seen.STARTING: "Its container is starting.",
    Seen.UNHEALTHY: "Its container is not healthy.",
    Seen.RESTARTING: "Its container keeps ending.",
    Seen.STOPPED: "It is stopped.",
    Seen.ENDED: "Its container was stopped from outside.",
    Seen.MISSING: "Its container was removed from outside.",
}


@dataclass(frozen=True)
class Reachable:
    """Whether visitors reach it: None where there is nothing to reach yet."""

    answer: bool | None
    reason: str


@dataclass(frozen=True)
class InstanceLine:
    """An instance with all that belongs to it. `action` is the last thing done, or being done, to it."""

    instance: Instance
    version: Version | None
    host: ProxyHost | None
    records: Sequence[DnsRecord]
    action: Action | None
    reachable: Reachable

    @property
    def is_busy(self) -> bool:
        """Whether something is being done to it."""
        return self.action is not None and not self.action.is_over


@dataclass(frozen=True)
class AppLine:
    """An app with its instances."""

    app: App
    instances: Sequence[InstanceLine]

    @property
    def is_busy(self) -> bool:
        """Whether something is being done to one of them."""
        return self.app.removing or any(line.is_busy for line in self.instances)


def everything(session: Session) -> list[AppLine]:
    """Every app; the number of queries does not depend on how many there are."""
    return _lines(session, rows.apps(session))


def of_app(session: Session, app: App) -> AppLine:
    """One app."""
    return _lines(session, [app])[0]


def _lines(session: Session, apps: Sequence[App]) -> list[AppLine]:
    ids = [instance.id for app in apps for instance in app.instances]
    engine = rows.engine_state_or_none(session)
    versions, hosts = rows.current_versions(session, ids), hosts_of(session, ids)
    records, actions = ledger.statuses(session, ConsumerType.INSTANCE, ids), rows.last_actions(session, ids)

    def line(instance: Instance) -> InstanceLine:
        version, host = versions.get(instance.id), hosts.get(instance.id)
        mine = records.get(instance.id, [])
        return InstanceLine(
            instance, version, host, mine, actions.get(instance.id),
            reachable(engine, instance, version, host, mine),
        )  # fmt: skip

    return [AppLine(app, [line(instance) for instance in app.instances]) for app in apps]


def reachable(
    engine: EngineState | None,
    instance: Instance,
    version: Version | None,
    host: ProxyHost | None,
    records: Sequence[DnsRecord],
) -> Reachable:
    """The first thing in a visitor's way, from the inside out: container, proxy host, DNS."""
    if version is None:
        return Reachable(None, "Nothing has been deployed yet.")
    if engine is not None and engine.error:
        return Reachable(False, "The container engine does not answer, so nobody knows.")
    if instance.seen in NOT_RUNNING:
        return Reachable(False, NOT_RUNNING[instance.seen])
    if host is None or host.status is not HostStatus.ONLINE:
        return Reachable(False, f"The proxy host is {host.status if host else 'missing'}.")
    open_ = [row for row in records if row.status not in SETTLED]
    if open_:
        return Reachable(False, f"Its DNS record is {open_[0].status}.")
    return Reachable(True, "Container, proxy host and name are as they should be.")


def facts(line: InstanceLine) -> dict[str, Any]:
    """An instance in plain data, for the command line."""
    version, busy = line.version, line.is_busy and line.action is not None
    return {
        "instance": line.instance.title,
        "id": line.instance.id,
        "name": line.instance.fqdn,
        "version": version.number if version else None,
        "image": version.reference if version else None,
        "digest": version.digest if version else None,
        "state": f"{line.action.kind} under way" if busy and line.action else str(line.instance.seen),
        "detail": line.instance.seen_detail,
        "reachable": line.reachable.answer,
        "why": line.reachable.reason,
    }
