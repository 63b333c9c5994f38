"""What people have done with instances: deploys, going back, start, stop, removal. Writes wishes; see `runner`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import vault
from webapp.db import transaction, wake_worker_on_commit
from webapp.deploy import apps, rows
from webapp.deploy.actions import DEPLOYS, Action, Kind, Phase
from webapp.deploy.keeping import forget_app
from webapp.deploy.models import Instance, Version, VersionState
from webapp.errors import Busy, InvalidInput


def deploy(instance_id: int, tag: str = "", *, by: str = "", key: str | None = None, at: datetime) -> Action:
    """Wish for a new version from a tag (blank: the instance's, else the app's). Sent twice, it is one action."""
    with transaction() as session:
        if found := _sent_before(session, key):
            return found
        instance = apps.usable(session, instance_id)
        app = instance.app
        recipe = apps.recipe_of(app, tag or instance.tag or app.tag, instance.name)
        version = Version(
            instance_id=instance.id,
            number=rows.next_number(session, instance.id),
            reference=recipe.reference,
            recipe_sealed=vault.seal(recipe.dumps()),
            created_at=at,
        )
        session.add(version)
        session.flush()
        return _ask(session, Kind.DEPLOY, instance, by=by, key=key, version=version, at=at)


def roll_back(
    instance_id: int, version_id: int, *, by: str = "", key: str | None = None, at: datetime
) -> Action:
    """Wish for a version that is kept. Raises NotFound, and Busy for the one that is current already."""
    with transaction() as session:
        if found := _sent_before(session, key):
            return found
        instance, version = apps.usable(session, instance_id), rows.version(session, version_id)
        if version.instance_id != instance.id or version.state is VersionState.NEW:
            raise InvalidInput("This is not a version of the instance to go back to.")
        if version.state is VersionState.CURRENT:
            raise Busy(f"{instance.fqdn} leads to version {version.number} already.")
        return _ask(session, Kind.ROLL_BACK, instance, by=by, key=key, version=version, at=at)


def operate(instance_id: int, kind: Kind, *, by: str = "", key: str | None = None, at: datetime) -> Action:
    """Wish to start, stop or restart. Raises Busy where nothing has been deployed yet."""
    with transaction() as session:
        if found := _sent_before(session, key):
            return found
        instance = apps.usable(session, instance_id)
        if rows.current_version(session, instance.id) is None:
            raise Busy(f"Nothing has been deployed to {instance.title} yet.")
        return _ask(session, kind, instance, by=by, key=key, at=at)


def remove(instance_id: int, *, volumes: bool = False, by: str = "", at: datetime) -> Action:
    """Wish for an instance to go, with its host, name and containers. What it waited for is given up."""
    with transaction() as session:
        instance = rows.instance(session, instance_id)
        pending = [a for a in rows.open_of_app(session, instance.app_id) if a.instance_id == instance.id]
        before = next((a for a in pending if a.kind is Kind.REMOVE), None)
        if before is not None:
            return before
        for action in pending:
            _give_up(action, at)
        instance.removing = True
        return _ask(session, Kind.REMOVE, instance, by=by, wishes={"volumes": volumes}, at=at)


def remove_app(app_id: int, *, volumes: bool = False, by: str = "", at: datetime) -> Sequence[Action]:
    """Wish for an app to go with all its instances; at once where it has none."""
    with transaction() as session:
        app = rows.app(session, app_id)
        app.removing = True
        if not app.instances:
            forget_app(session, app)
            return []
        return [remove(one.id, volumes=volumes, by=by, at=at) for one in app.instances]


def cancel(action_id: int, *, at: datetime) -> Action:
    """Give an action up; what it did is undone. Raises Busy when it is too far for that."""
    with transaction() as session:
        action = rows.action(session, action_id)
        if action.is_over or action.kind not in DEPLOYS or not action.can_cancel:
            raise Busy("This cannot be cancelled any more.")
        _give_up(action, at)
        wake_worker_on_commit()
        return action


def clean_up(container_id: str, *, by: str = "", at: datetime) -> Action:
    """Wish for a container of ours to go that no version knows. Raises Busy when the list does not have it."""
    with transaction() as session:
        strays = rows.engine_state(session).strays
        stray = next((s for s in strays if s["id"] == container_id), None)
        if stray is None:
            raise Busy("This container is not in the list any more. Reload the page.")
        action = Action(
            kind=Kind.CLEAN_UP, title=stray["name"][:100], wishes={"container": container_id},
            asked_by=by, created_at=at, phase=Phase.QUEUED,
        )  # fmt: skip
        session.add(action)
        session.flush()
        wake_worker_on_commit()
        return action


def _ask(
    session: Session, kind: Kind, instance: Instance, *, by: str, at: datetime, key: str | None = None,
    version: Version | None = None, wishes: dict[str, Any] | None = None,
) -> Action:  # fmt: skip
    action = Action(
        kind=kind, title=instance.title, app_id=instance.app_id, instance_id=instance.id, asked_by=by,
        key=key, wishes=wishes or {}, created_at=at, phase=Phase.QUEUED,
    )  # fmt: skip
    if version is not None:
        action.version_id, action.version_number = version.id, version.number
        action.reference = version.reference
    session.add(action)
    session.flush()
    wake_worker_on_commit()
    return action


def _give_up(action: Action, at: datetime) -> None:
    """Have the worker end it soon: also what it has not begun yet may have a version row to take away."""
    if action.can_cancel:
        action.cancel_asked, action.next_try_at = True, None


def _sent_before(session: Session, key: str | None) -> Action | None:
    return session.scalar(select(Action).where(Action.key == key)) if key else None
