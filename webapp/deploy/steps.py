"""The first half of a deploy: free, pulled, started, healthy. Every step can be repeated, and is after a crash."""

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from webapp import vault
from webapp.db import reading, transaction
from webapp.deploy import health, journal, rows
from webapp.deploy.actions import Level, Phase
from webapp.deploy.engine import Container, Gone, Layer, Login, PortTaken
from webapp.deploy.health import FAILURES, CheckKind, Verdict
from webapp.deploy.job import Job
from webapp.deploy.models import App, Version
from webapp.deploy.power import registry
from webapp.deploy.recipe import Reach, Recipe, Strategy, takeover
from webapp.dns import claims
from webapp.dns.models import Status
from webapp.dns.seen import SeenRecord
from webapp.errors import EngineError, ProxyError
from webapp.proxy.instances import host_of
from webapp.proxy.models import ProxyHost
from webapp.proxy.publish import NOT_SET_UP
from webapp.proxy.service import check_free as check_host_free
from webapp.proxy.service import npm_settings_or_none

PORTS = range(20000, 30000)
"""Ports of the machine that are given to containers: below those that outgoing connections use."""

LONGEST_CHECK = timedelta(minutes=5)
"""A health check of an image that says neither yes nor no is not waited for longer, after the start period."""

TELL_EVERY = 0.5
"""Seconds between two notes on the progress of a pull."""


def check_free(job: Job) -> None:
    """Nobody else has the name, and there is a way to publish it: before anything starts."""
    job.enter(Phase.CHECKING, f"Deploying {job.the_version.reference} to {job.the_instance.fqdn}.")
    name, consumer = job.the_instance.fqdn, job.the_instance.consumer
    with reading() as session:
        npm = npm_settings_or_none(session)
        if npm is None or not npm.ready:
            raise ProxyError(NOT_SET_UP)
        if npm.error:  # a deploy that cannot be finished is not begun: it may have to stop the old version
            raise ProxyError(npm.error, will_heal=npm.next_try_at is not None)
        check_host_free(session, name, host_of(session, job.the_instance.id))
        claims.check_free(session, consumer, {name})
        query = select(SeenRecord).where(SeenRecord.fqdn == name, SeenRecord.status == Status.FOREIGN)
        foreign = session.scalar(query.limit(1))
    if foreign is not None and job.the_version.number == 1:
        job.say(
            f"DNS: there is a record of {name} that is not ours ({foreign.type} {foreign.content}). "
            "It is left alone; the DNS page asks what to do with it.",
            Level.WARNING,
        )


def pull(job: Job) -> None:
    """The engine has the image; a version that was deployed before has its own already."""
    version = job.the_version
    if version.image_id:
        return
    job.enter(Phase.PULLING, f"Pulling {version.reference}.")
    image = job.engine.pull(version.reference, _login(job.the_app, job.the_recipe), Meter(job))
    with transaction() as session:
        row = session.get_one(Version, version.id)
        row.image_id, row.digest, row.own_check = image.id, image.digest, image.has_health_check
    job.reread()
    job.say(f"Pulled: {image.digest or image.id}.")


def _login(app: App, recipe: Recipe) -> Login | None:
    """The app's account, for the registry it was entered for: the app may have another one by now."""
    if not app.registry_password_sealed or registry(app.image) != registry(recipe.image):
        return None
    return Login(app.registry_user, vault.unseal(app.registry_password_sealed))


@dataclass
class Meter:
    """Keeps the progress of a pull where the page sees it, not more often than anybody looks."""

    job: Job
    layers: dict[str, Layer] = field(default_factory=dict)
    told: float = 0.0

    def __call__(self, layer: Layer) -> None:
        """Note a layer. Raises Cancelled and Stopped."""
        if layer.id:  # without one it only says that nothing has come yet
            self.layers[layer.id] = layer
        if time.monotonic() - self.told < TELL_EVERY:
            return
        self.told = time.monotonic()
        self.job.pause(0)
        journal.progress(self.job.action.id, self.facts())

    def facts(self) -> dict[str, Any]:
        """The layers as plain data."""
        shown = [
            {"id": layer.id, "status": layer.status, "done": layer.done, "total": layer.total}
            for layer in self.layers.values()
        ]
        return {"layers": shown[:40], "of": len(shown)}


def start(job: Job) -> None:
    """The version's container runs: beside the old one, or in its place where two must not run at once."""
    how, why = takeover(job.the_recipe)
    with reading() as session:
        old = rows.current_version(session, job.the_instance.id)
    beside = old is not None and old.id != job.the_version.id
    job.enter(
        Phase.STARTING, f"Starting version {job.the_version.number}" + (f": {how}, {why}." if beside else ".")
    )
    if old is not None and beside and how is Strategy.STOP_FIRST and old.container_id:
        job.engine.stop(old.container_id, job.the_recipe.stop_seconds)
    run(job)


def run(job: Job) -> None:
    """Make the container where there is none, and start it; a port that is taken is given up for another."""
    taken: set[int] = set()
    while True:
        container = job.container()
        number = container.id if container else create(job, taken)
        if container is not None and job.the_version.container_id is None:
            keep(job, container.id, container.name)
        try:
            job.engine.start(number, job.the_recipe.restart)
            return
        except PortTaken:
            if job.the_recipe.host_port or len(taken) >= 20:
                raise
            taken.add(job.the_version.host_port or 0)
            job.engine.remove(number)
            forget(job)


def create(job: Job, taken: set[int]) -> str:
    """Make the container of the version; returns its id."""
    version, recipe = job.the_version, job.the_recipe
    if job.engine.image(version.image_id) is None:
        raise Gone(
            f"The engine no longer has the image of version {version.number}. Deploy {version.reference} again."
        )
    name = job.name
    port = None
    if recipe.reach is Reach.PORT:
        before = version.host_port if version.host_port not in taken else None
        port = recipe.host_port or before or free_port(version.id, taken)
    made = job.engine.create(recipe.container(name, version.image_id, job.owner, port))
    keep(job, made, name, port)
    return made


def keep(job: Job, container: str, name: str, port: int | None = None) -> None:
    """Write down which container it is, and where the proxy host leads for it."""
    recipe = job.the_recipe
    with transaction() as session:
        row = session.get_one(Version, job.the_version.id)
        row.container_id, row.container_name = container, name
        row.host_port = port or row.host_port
        if recipe.reach is Reach.PORT:
            address = recipe.publish_on
            row.forward_host = f"[{address}]" if ":" in address else address
            row.forward_port = row.host_port or 0
        else:
            row.forward_host, row.forward_port = name, recipe.port
    job.reread()


def forget(job: Job) -> None:
    """The version has no container any more."""
    with transaction() as session:
        row = session.get_one(Version, job.the_version.id)
        row.container_id = row.host_port = None
    job.reread()


def free_port(version_id: int, taken: set[int]) -> int:
    """A port no version has, kept for this one at once. Raises EngineError when there is none left."""
    with transaction() as session:
        used = set(session.scalars(select(Version.host_port).where(Version.host_port.is_not(None))))
        used |= set(
            session.scalars(select(ProxyHost.forward_port))
        )  # a host that is not gone yet leads there
        port = next((port for port in PORTS if port not in used and port not in taken), None)
        if port is None:
            raise EngineError("There is no free port left for another container. Remove old versions.")
        session.get_one(Version, version_id).host_port = port
        return port


def wait_until_healthy(job: Job) -> None:
    """It is ready for visitors. Raises EngineError with the reason when it is not, and does not become so."""
    check, version = job.the_recipe.check, job.the_version
    own = check.kind is CheckKind.AUTO and version.own_check
    job.enter(Phase.WAITING, "Waiting until it is healthy.")
    begun, failures = job.at, 0
    while True:
        container = job.container()
        if container is None:
            raise EngineError("The container was removed while it was starting.")
        finding = health.look(
            container, check, address(job, container), job.tools.probe, scheme=job.the_recipe.scheme, own=own
        )
        if finding.verdict is Verdict.READY:
            job.say(f"Healthy: {finding.reason}.")
            return
        late = job.at - begun - timedelta(seconds=check.start_period)
        failures += late >= timedelta()
        if finding.verdict is Verdict.FAILED or (late > LONGEST_CHECK if own else failures >= FAILURES):
            reason = job.the_recipe.masked(finding.reason)
            raise EngineError(f"Version {version.number} is not healthy: {reason}.")
        job.pause(check.interval if failures and not own else 0.5)


def address(job: Job, container: Container) -> tuple[str, int]:
    """Where the panel itself can knock at the container."""
    recipe, version = job.the_recipe, job.the_version
    if recipe.reach is Reach.PORT:
        return recipe.publish_on, version.host_port or recipe.port
    return container.addresses.get(recipe.network, container.name), recipe.port
