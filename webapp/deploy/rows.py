"""Questions to the rows: apps, instances, versions and actions."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from webapp.db import only_row
from webapp.deploy.actions import Action, ActionLine
from webapp.deploy.models import App, EngineState, Instance, Version, VersionState
from webapp.errors import NotFound
from webapp.paging import Paging

MOST_ID = 2**31 - 1


def app(session: Session, app_id: int) -> App:
    """The app with that id. Raises NotFound."""
    found = session.get(App, app_id) if app_id <= MOST_ID else None
    if found is None:
        raise NotFound("There is no such app. It may have been removed.")
    return _linked(found)


def app_by_slug(session: Session, slug: str) -> App:
    """The app with that name. Raises NotFound."""
    found = session.scalar(select(App).where(App.slug == slug))
    if found is None:
        raise NotFound(f"There is no app called {slug}. It may have been removed.")
    return _linked(found)


def apps(session: Session, *, only: Collection[int] | None = None) -> Sequence[App]:
    """Every app, or only these, with its instances, by name."""
    query = select(App).options(selectinload(App.instances)).order_by(App.slug)
    if only is not None:
        query = query.where(App.id.in_(list(only)))
    return [_linked(found) for found in session.scalars(query)]


def apps_like(session: Session, text: str, page: int, size: int) -> tuple[list[int], Paging]:
    """The apps of one page of those whose name, image or a name that leads to them has the text."""
    named = select(Instance.app_id).where(Instance.fqdn.icontains(text, autoescape=True))
    like = or_(*(c.icontains(text, autoescape=True) for c in (App.slug, App.image)), App.id.in_(named))
    where = (like,) if text else ()
    total = session.scalar(select(func.count()).select_from(App).where(*where)) or 0
    paging = Paging(total, size, page)
    return list(session.scalars(paging.part(select(App.id).where(*where).order_by(App.slug)))), paging


def _linked(found: App) -> App:
    """The app with its instances, each of which knows its app without another query."""
    for one in found.instances:
        set_committed_value(one, "app", found)
    return found


def instance(session: Session, instance_id: int) -> Instance:
    """The instance with that id, and its app. Raises NotFound."""
    query = select(Instance).where(Instance.id == min(instance_id, MOST_ID))
    found = session.scalar(query)
    if found is None:
        raise NotFound("There is no such instance. It may have been removed.")
    return found


def instance_by_name(session: Session, title: str) -> Instance:
    """The instance called APP/NAME, or the only one of APP. Raises NotFound."""
    slug, _, name = title.partition("/")
    found = app_by_slug(session, slug).instances
    chosen = [one for one in found if one.name == name] if name else list(found)
    if len(chosen) != 1:
        known = ", ".join(one.title for one in found) or "none"
        raise NotFound(f"There is no one instance called {title}. The instances of {slug}: {known}.")
    return chosen[0]


def current_version(session: Session, instance_id: int) -> Version | None:
    """The version that the name leads to."""
    query = select(Version).where(Version.instance_id == instance_id, Version.state == VersionState.CURRENT)
    return session.scalar(query)


def version(session: Session, version_id: int) -> Version:
    """The version with that id. Raises NotFound."""
    found = session.get(Version, version_id) if version_id <= MOST_ID else None
    if found is None:
        raise NotFound("This version is not kept any more.")
    return found


def versions(session: Session, instance_ids: Iterable[int]) -> Sequence[Version]:
    """The versions of these instances, newest first."""
    query = select(Version).where(Version.instance_id.in_(list(instance_ids)))
    return session.scalars(query.order_by(Version.number.desc())).all()


def current_versions(session: Session, instance_ids: Iterable[int]) -> dict[int, Version]:
    """The version each of these instances serves, in one query."""
    query = select(Version).where(
        Version.instance_id.in_(list(instance_ids)), Version.state == VersionState.CURRENT
    )
    return {found.instance_id: found for found in session.scalars(query)}


def next_number(session: Session, instance_id: int) -> int:
    """The number of the next version: numbers are not used twice, also not those of failed deploys."""
    kept = select(func.max(Version.number)).where(Version.instance_id == instance_id)
    tried = select(func.max(Action.version_number)).where(Action.instance_id == instance_id)
    return max(session.scalar(kept) or 0, session.scalar(tried) or 0) + 1


def action(session: Session, action_id: int) -> Action:
    """The action with that id. Raises NotFound."""
    found = session.get(Action, action_id) if action_id <= MOST_ID else None
    if found is None:
        raise NotFound("There is no such action.")
    return found


def open_actions(session: Session) -> Sequence[Action]:
    """Everything that is not over yet, oldest first."""
    return session.scalars(select(Action).where(Action.finished_at.is_(None)).order_by(Action.id)).all()


def open_of_app(session: Session, app_id: int) -> Sequence[Action]:
    """What is still to be done to an app's instances, oldest first: the first one is under way."""
    query = select(Action).where(Action.finished_at.is_(None), Action.app_id == app_id)
    return session.scalars(query.order_by(Action.id)).all()


def recent(session: Session, app_id: int | None = None, *, most: int = 20) -> Sequence[Action]:
    """The latest actions, of one app or of all."""
    query = select(Action).order_by(Action.id.desc()).limit(most)
    return session.scalars(query.where(Action.app_id == app_id) if app_id else query).all()


def last_actions(session: Session, instance_ids: Iterable[int]) -> dict[int, Action]:
    """The latest action of each of these instances, in one query."""
    latest = select(func.max(Action.id)).where(Action.instance_id.in_(list(instance_ids)))
    query = select(Action).where(Action.id.in_(latest.group_by(Action.instance_id)))
    return {found.instance_id or 0: found for found in session.scalars(query)}


def lines(session: Session, action_id: int, after: int = 0) -> Sequence[ActionLine]:
    """The log of an action, from a line on."""
    query = select(ActionLine).where(ActionLine.action_id == action_id, ActionLine.id > after)
    return session.scalars(query.order_by(ActionLine.id)).all()


def engine_state(session: Session) -> EngineState:
    """What is known of the engine; made empty where there is nothing yet."""
    return only_row(session, EngineState)


def engine_state_or_none(session: Session) -> EngineState | None:
    """What is known of the engine, for looks that must not write."""
    return session.get(EngineState, 1)
