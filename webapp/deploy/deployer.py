"""Deploys: a new version takes over the name, or nothing has changed. Going back is a deploy of an old version."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select

from webapp import vault
from webapp.db import reading, transaction
from webapp.deploy import journal, rows
from webapp.deploy.actions import Action, ActionLine, Level, Phase
from webapp.deploy.job import Cancelled, Job
from webapp.deploy.models import Instance, Seen, Version, VersionState
from webapp.deploy.recipe import Recipe, Strategy, takeover
from webapp.deploy.steps import check_free, pull, start, wait_until_healthy
from webapp.dns import claims, ledger
from webapp.errors import Busy, EngineError, InvalidInput, ProxyError
from webapp.proxy import instances
from webapp.proxy.instances import Forward, host_of
from webapp.proxy.models import HostStatus
from webapp.proxy.service import claim_names

HOST_WITHIN = timedelta(seconds=90)
"""How long a deploy waits for Nginx Proxy Manager before it gives up."""


def deploy(job: Job) -> None:
    """The version of the job serves the name. Each step can be repeated; until the take-over all can be undone."""
    if job.the_version.state is not VersionState.CURRENT:
        check_free(job)
        pull(job)
        start(job)
        wait_until_healthy(job)
        point_host(job)
        take_over(job)
    claim_name(job)
    drain(job)
    retire_others(job)


def point_host(job: Job) -> None:
    """The proxy host leads to the version, and nginx has accepted it. Raises ProxyError."""
    version = job.the_version
    job.enter(Phase.SWITCHING, f"Pointing {job.the_instance.fqdn} at version {version.number}.")
    instances.point(job.the_instance.id, forward(job, version), at=job.at)
    status, error = await_host(job)
    if status is not HostStatus.ONLINE:
        raise ProxyError(error or f"Nginx Proxy Manager did not take {job.the_instance.fqdn} in time.")


def forward(job: Job, version: Version) -> Forward:
    """Where the proxy host leads for a version."""
    scheme = Recipe.loads(vault.unseal(version.recipe_sealed)).scheme
    return Forward(scheme, version.forward_host, version.forward_port)


def await_host(job: Job) -> tuple[HostStatus, str | None]:
    """What became of the wish for the host, as soon as it is known; PENDING when that takes too long."""
    begun = job.at
    while True:
        with reading() as session:
            host = host_of(session, job.the_instance.id)
            status, error = (host.status, host.error) if host else (HostStatus.RESERVED, None)
        if status is not HostStatus.PENDING or job.at - begun > HOST_WITHIN:
            return status, error
        job.pause(0.1)


def take_over(job: Job) -> None:
    """The version is the current one from here on: there is no way back but another deploy."""
    at = job.at
    with transaction() as session:
        if session.get_one(Action, job.action.id).cancel_asked:
            raise Cancelled("Cancelled by request.")
        for other in rows.versions(session, [job.the_instance.id]):
            if other.state is VersionState.CURRENT:
                other.state = VersionState.KEPT
        session.flush()
        version = session.get_one(Version, job.the_version.id)
        version.state, version.current_since = VersionState.CURRENT, at
        instance = session.get_one(Instance, job.the_instance.id)
        instance.at_rest = False
        instance.saw(Seen.RUNNING, "", at)
        action = session.get_one(Action, job.action.id)
        action.enter(Phase.DRAINING, at)
        text = f"{instance.fqdn} leads to version {version.number}."
        session.add(ActionLine(action_id=action.id, at=at, phase=Phase.DRAINING, text=text))
    job.reread()


def claim_name(job: Job) -> None:
    """The name's record is wished for. DNS never fails or delays a deploy: at most there is a line about it."""
    with reading() as session:
        host = host_of(session, job.the_instance.id)
        connection = ledger.active_connection(session)
        trouble = connection.error if connection else None
    if host is None:
        return
    try:
        claim_names(host, job.at)
    except (Busy, InvalidInput) as error:
        trouble = error.message
    if trouble:
        job.say(f"DNS: {trouble} The version is live; the record follows when this is mended.", Level.WARNING)


def drain(job: Job) -> None:
    """Requests that the old version is still answering get their time."""
    if takeover(job.the_recipe)[0] is Strategy.STOP_FIRST or not _others(job):
        return
    with reading() as session:
        since = session.get_one(Action, job.action.id).phase_since or job.at
    while job.at - since < timedelta(seconds=job.the_recipe.drain):
        job.pause(0.2)


def retire_others(job: Job) -> None:
    """Old versions are stopped and kept; those too old to keep are removed."""
    others = _others(job)
    if others:
        job.enter(Phase.RETIRING, "Stopping the old version; it is kept to go back to.")
    with reading() as session:
        needed = {action.version_id for action in rows.open_of_app(session, job.the_app.id)}
    for place, other in enumerate(others):
        try:
            if place < job.the_app.versions_kept or other.id in needed:
                _stop(job, other)
            else:
                discard(job, other)
        except EngineError as error:
            if error.will_heal:
                raise
            job.say(f"Version {other.number} could not be put away: {error.message}", Level.WARNING)


def _others(job: Job) -> list[Version]:
    """The versions that are kept, the latest first; new ones wait for a deploy of their own."""
    with reading() as session:
        query = select(Version).where(
            Version.instance_id == job.the_instance.id, Version.state == VersionState.KEPT
        )
        found = session.scalars(query).all()
    return sorted(found, key=lambda v: v.current_since or v.created_at, reverse=True)


def _stop(job: Job, other: Version) -> None:
    if other.container_id:
        seconds = Recipe.loads(vault.unseal(other.recipe_sealed)).stop_seconds
        job.engine.stop(other.container_id, seconds)


def discard(job: Job, version: Version) -> None:
    """Remove a version's container, then its row."""
    if version.container_id:
        job.engine.remove(version.container_id)
    with transaction() as session:
        session.delete(session.get_one(Version, version.id))


def undo(job: Job, *, failed: bool) -> bool:
    """Everything is as it was before the deploy: the host, the containers, the rows.

    A step that is refused is said and does not keep the others from being done; returns whether all were. Only
    the old version has to come up again: raises EngineError while it does not.
    """
    old = _point_back(job)
    fine = True
    if job.version is not None:
        if failed:
            fine &= _attempt(job, "The last words of the container", lambda: _last_words(job))
        fine &= _attempt(job, "The new container", lambda: _take_away(job))
        _drop_row(job)
    if old is not None and old.container_id and not job.the_instance.at_rest:
        job.engine.start(old.container_id, Recipe.loads(vault.unseal(old.recipe_sealed)).restart)
    return fine


def _attempt(job: Job, what: str, step: Callable[[], None]) -> bool:
    try:
        step()
    except EngineError as error:
        if error.will_heal:
            raise
        job.say(f"{what} could not be dealt with: {error.message}", Level.WARNING)
        return False
    return True


def _point_back(job: Job) -> Version | None:
    """The name leads where it led. Returns the version there, None where nothing was published."""
    with reading() as session:
        old = rows.current_version(session, job.the_instance.id)
    if old is not None:
        instances.point(job.the_instance.id, forward(job, old), at=job.at)
    else:
        instances.unpublish(job.the_instance.id, at=job.at)
        claims.release(job.the_instance.consumer, at=job.at)
    status, error = await_host(job)
    if status is HostStatus.PENDING and not _is_going(job):
        # The name may lead to the new version by now, so that one has to stay until this is known.
        raise ProxyError(error or "Nginx Proxy Manager does not answer.", will_heal=True)
    if status not in (HostStatus.ONLINE, HostStatus.RESERVED):
        job.say(f"The proxy host needs a look: {error}", Level.WARNING)
    return old


def _is_going(job: Job) -> bool:
    """Whether somebody wants the whole instance removed: then nothing has to be put back first."""
    with reading() as session:
        return session.get_one(Instance, job.the_instance.id).removing


def _last_words(job: Job) -> None:
    """What the new container wrote last is kept in the log, without the secrets it was given."""
    container = job.container()
    if container is not None:
        told = [job.the_recipe.masked(line.text) for line in job.engine.logs(container.id, 40)]
        journal.add(job.action.id, told, level=Level.OUTPUT, at=job.at)


def _take_away(job: Job) -> None:
    """The new version's container goes; one that was gone back to is only stopped."""
    container = job.container()
    if container is not None and job.the_version.state is VersionState.KEPT:
        job.engine.stop(container.id, job.the_recipe.stop_seconds)
    elif container is not None:
        job.engine.remove(container.id)


def _drop_row(job: Job) -> None:
    if job.the_version.state is not VersionState.KEPT:
        with transaction() as session:
            session.delete(session.get_one(Version, job.the_version.id))
