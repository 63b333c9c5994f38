"""What is done to an instance besides deploying: start, stop, restart, remove; and containers nobody knows."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.db import reading, transaction
from webapp.deploy import deployer, rows
from webapp.deploy.actions import Action, Level, Phase
from webapp.deploy.apps import mounts_of
from webapp.deploy.engine import Container, MountKind
from webapp.deploy.job import Job
from webapp.deploy.models import App, Instance, Seen, Version
from webapp.deploy.steps import run
from webapp.dns import claims
from webapp.errors import EngineError, NotFound
from webapp.proxy import instances
from webapp.proxy.models import HostStatus, ProxyHost

HOST_WITHIN = timedelta(seconds=60)


def start(job: Job) -> None:
    """The current version runs; its container is made again where somebody removed it. Host and name stay."""
    job.enter(Phase.WORKING, f"Starting {job.the_instance.title}.")
    run(job)
    instances.point(job.the_instance.id, deployer.forward(job, job.the_version), at=job.at)
    _is_now(job, Seen.RUNNING, at_rest=False)


def stop(job: Job) -> None:
    """Its container rests. Host and name stay."""
    job.enter(Phase.WORKING, f"Stopping {job.the_instance.title}.")
    container = job.container()
    if container is not None:
        job.engine.stop(container.id, job.the_recipe.stop_seconds)
    _is_now(job, Seen.STOPPED, at_rest=True)


def restart(job: Job) -> None:
    """Stop, then start; begun again after a crash, as nobody knows how far it was."""
    job.enter(Phase.WORKING, f"Restarting {job.the_instance.title}.")
    container = job.container()
    if container is not None:
        job.engine.stop(container.id, job.the_recipe.stop_seconds)
    start(job)


def _is_now(job: Job, seen: Seen, *, at_rest: bool) -> None:
    with transaction() as session:
        instance = session.get_one(Instance, job.the_instance.id)
        instance.at_rest = at_rest
        instance.saw(seen, "", job.at)


def remove(job: Job) -> None:
    """Name, host and containers go, and volumes where that was asked; then the rows."""
    if job.instance is None:
        return  # all done before a crash
    instance = job.the_instance
    job.enter(Phase.WORKING, f"Removing {instance.title}.")
    claims.release(instance.consumer, at=job.at)
    host = instances.withdraw(instance.id, at=job.at)
    if host is not None:
        _await_gone(job, host)
    volumes = _remove_containers(job)
    if job.action.wishes.get("volumes"):
        _remove_volumes(job, volumes)
    _remove_rows(job)


def _await_gone(job: Job, host: int) -> None:
    """Visitors should not meet a dead container; but a proxy manager that is down must not keep it alive."""
    begun = job.at
    while job.at - begun < HOST_WITHIN:
        with reading() as session:
            row = session.get(ProxyHost, host)
            if row is None:
                return
            stuck = row.status is HostStatus.FAILED or row.attempts > 1
            error = row.error
        if stuck:
            break
        job.pause(0.1)
    job.say(f"The proxy host is not gone yet; it goes later. {error or ''}".strip(), Level.WARNING)


def _remove_containers(job: Job) -> set[str]:
    """Remove every container of the instance; returns the volumes they had."""
    volumes: set[str] = set()
    for found in job.engine.containers():
        if found.owner is None or found.owner.instance != job.the_instance.id:
            continue
        close = job.engine.container(found.id)
        volumes |= _volumes(close) if close else set()
        job.engine.remove(found.id)
        job.say(f"Removed the container {found.name}.")
    return volumes


def _volumes(container: Container) -> set[str]:
    return {mount.source for mount in container.mounts if mount.kind is MountKind.VOLUME}


def _remove_volumes(job: Job, seen: set[str]) -> None:
    """Remove volumes that no other app names; one that cannot be removed is said, and stays."""
    mine = mounts_of(job.the_app, job.the_instance.name)
    named = {mount.source for mount in mine if mount.kind is MountKind.VOLUME}
    with reading() as session:
        others = session.scalars(select(Instance).where(Instance.id != job.the_instance.id)).unique().all()
        kept = {mount.source for other in others for mount in mounts_of(other.app, other.name)}
    for name in sorted(seen | named):
        if name in kept:
            job.say(f"The volume {name} stays: something else uses it.", Level.WARNING)
            continue
        try:
            job.engine.remove_volume(name)
            job.say(f"Removed the volume {name}.")
        except EngineError as error:
            if error.will_heal:
                raise
            job.say(f"The volume {name} stays: {error.message}", Level.WARNING)


def _remove_rows(job: Job) -> None:
    """The instance's rows go; its app's too, when that is being removed and this was the last."""
    with transaction() as session:
        instance = session.get_one(Instance, job.the_instance.id)
        app = instance.app
        for action in session.scalars(select(Action).where(Action.instance_id == instance.id)):
            action.instance_id = action.version_id = None
        for version in session.scalars(select(Version).where(Version.instance_id == instance.id)):
            session.delete(version)
        session.flush()
        session.delete(instance)
        session.flush()
        session.expire(app)
        if app.removing and not app.instances:
            forget_app(session, app)


def forget_app(session: Session, app: App) -> None:
    """Delete an app without instances; what was done to it stays in the history."""
    for action in session.scalars(select(Action).where(Action.app_id == app.id)):
        action.app_id = None
    session.flush()
    session.delete(app)


def clean_up(job: Job) -> None:
    """Remove a container of ours that no version knows. Raises NotFound when a version knows it by now."""
    number = str(job.action.wishes["container"])
    job.enter(Phase.WORKING, f"Removing the container {job.action.title}.")
    with reading() as session:
        known = session.scalar(select(Version.id).where(Version.container_id == number))
    if known is not None:
        raise NotFound("This container belongs to a version by now, so it stays.")
    job.engine.remove(number)
    with transaction() as session:
        state = rows.engine_state(session)
        state.strays = [stray for stray in state.strays if stray["id"] != number]
