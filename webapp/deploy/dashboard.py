"""What the app pages show: every instance with its version, host, record and whether it can really be reached."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from webapp.deploy import rows
from webapp.deploy.actions import Action, Kind
from webapp.deploy.engine import Mount, MountKind
from webapp.deploy.models import App, EngineState, Instance, Seen, Version
from webapp.deploy.recipe import Recipe, Strategy, takeover
from webapp.dns import ledger
from webapp.dns.models import UP, ConsumerType, DnsRecord, Status
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
    """Whether visitors reach it: None where that is not known, or there is nothing to reach yet."""

    answer: bool | None
    reason: str


@dataclass(frozen=True)
class InstanceLine:
    """An instance with all that belongs to it. `action` is being done to it now, or was the last thing done."""

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

    @property
    def is_moving(self) -> bool:
        """Whether a page that shows it should look again soon."""
        host = self.host is not None and self.host.status is HostStatus.PENDING
        record = any(row.status is Status.PENDING for row in self.records)
        return self.is_busy or host or record or self.instance.seen is Seen.STARTING

    @property
    def site(self) -> str | None:
        """The address that visitors use, while the proxy host is online."""
        if self.host is None or self.host.status is not HostStatus.ONLINE or "*" in self.host.fqdn:
            return None
        return f"{'https' if self.host.certificate_id else 'http'}://{self.host.fqdn}"


@dataclass(frozen=True)
class AppLine:
    """An app with its instances."""

    app: App
    instances: Sequence[InstanceLine]

    @property
    def is_busy(self) -> bool:
        """Whether something is being done to one of them, or is on its way to nginx or DNS."""
        return self.app.removing or any(line.is_moving for line in self.instances)


def everything(session: Session) -> list[AppLine]:
    """Every app; the number of queries does not depend on how many there are."""
    return _lines(session, rows.apps(session))


def some(session: Session, ids: Sequence[int]) -> list[AppLine]:
    """These apps, in this order."""
    found = {line.app.id: line for line in _lines(session, rows.apps(session, only=ids))}
    return [found[id_] for id_ in ids if id_ in found]


def of_app(session: Session, app: App) -> AppLine:
    """One app."""
    return _lines(session, [app])[0]


def of_instance(session: Session, instance: Instance) -> InstanceLine:
    """One instance."""
    lines = of_app(session, instance.app).instances
    return next(line for line in lines if line.instance.id == instance.id)


def _lines(session: Session, apps: Sequence[App]) -> list[AppLine]:
    ids = [instance.id for app in apps for instance in app.instances]
    engine = rows.engine_state_or_none(session)
    versions, hosts = rows.current_versions(session, ids), hosts_of(session, ids)
    records, actions = ledger.statuses(session, ConsumerType.INSTANCE, ids), rows.last_actions(session, ids)
    actions |= {a.instance_id: a for a in reversed(rows.open_actions(session)) if a.instance_id}

    def line(instance: Instance) -> InstanceLine:
        version, host = versions.get(instance.id), hosts.get(instance.id)
        mine = records.get(instance.id, [])
        return InstanceLine(
            instance, version, host, mine, actions.get(instance.id),
            reachable(
                engine, instance.seen, version is not None, host.status if host else None,
                [row.status for row in mine if row.status not in UP],
            ),
        )  # fmt: skip

    for app in apps:
        for instance in app.instances:
            set_committed_value(instance, "app", app)  # so that its title can be told after the look
    return [AppLine(app, [line(instance) for instance in app.instances]) for app in apps]


def reachable(
    engine: EngineState | None,
    seen: Seen,
    has_version: bool,
    host: HostStatus | None,
    open_records: Sequence[Status],
) -> Reachable:
    """The first thing in a visitor's way, from the inside out: container, proxy host, DNS.

    A name whose record was undone may still have one that somebody else keeps.
    """
    if not has_version:
        return Reachable(None, "Nothing has been deployed yet.")
    if engine is not None and engine.error:
        return Reachable(None, "The container engine does not answer, so nobody knows.")
    if seen in NOT_RUNNING:
        return Reachable(False, NOT_RUNNING[seen])
    if host is HostStatus.DRIFTED:
        return Reachable(None, "Its proxy host was changed in Nginx Proxy Manager, so nobody knows.")
    if host is not HostStatus.ONLINE:
        return Reachable(False, f"The proxy host is {host or 'missing'}.")
    if waiting := [status for status in open_records if status is not Status.ABSENT]:
        return Reachable(False, f"Its DNS record is {waiting[0]}.")
    if open_records:
        return Reachable(None, "The DNS record of its name was undone, so nobody knows.")
    return Reachable(True, "Container, proxy host and name are as they should be.")


def by_instance(versions: Iterable[Version]) -> dict[int, list[Version]]:
    """Versions, sorted by whose they are."""
    found: dict[int, list[Version]] = {}
    for version in versions:
        found.setdefault(version.instance_id, []).append(version)
    return found


def takeover_of(app: App) -> tuple[Strategy, str]:
    """How a new version of an app takes over, and why; without a look at its secrets."""
    mounts = tuple(Mount(**mount | {"kind": MountKind(mount["kind"])}) for mount in app.mounts)
    return takeover(
        Recipe(
            app.image, app.tag, app.port, mounts=mounts, reach=app.reach, host_port=app.host_port,
            strategy=app.strategy,
        )
    )  # fmt: skip


HEADLINES = {
    Kind.DEPLOY: "Deploy of {}",
    Kind.ROLL_BACK: "Going back of {}",
    Kind.START: "Start of {}",
    Kind.STOP: "Stop of {}",
    Kind.RESTART: "Restart of {}",
    Kind.REMOVE: "Removal of {}",
    Kind.CLEAN_UP: "Removal of the container {}",
}


def headline(action: Action) -> str:
    """What an action is called."""
    number = f" to version {action.version_number}" if action.kind is Kind.ROLL_BACK else ""
    return HEADLINES[action.kind].format(action.title) + number


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
