"""How every instance is, in a few columns each: for counts over all of them, and for which to show first."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from webapp.deploy.actions import Action
from webapp.deploy.dashboard import Reachable, reachable
from webapp.deploy.models import App, EngineState, Instance, Seen, Version, VersionState
from webapp.dns import ledger
from webapp.dns.models import ConsumerType, Status
from webapp.proxy.models import HostStatus, ProxyHost


@dataclass(frozen=True)
class Glance:
    """One instance. `is_moving`: a page that shows it should look again soon."""

    app_id: int
    slug: str
    instance_id: int
    at_rest: bool
    reachable: Reachable
    is_moving: bool

    @property
    def is_away(self) -> bool:
        """Whether visitors should reach it and do not."""
        return self.reachable.answer is False and not self.at_rest


def glances(session: Session, engine: EngineState | None) -> list[Glance]:
    """Every instance, in three queries of plain columns."""
    busy = set(session.scalars(select(Action.instance_id).where(Action.finished_at.is_(None))))
    records = ledger.open_statuses(session, ConsumerType.INSTANCE)
    found = []
    for app_id, slug, removing, id_, seen, at_rest, version, host in session.execute(_QUERY):
        statuses = records.get(id_, ())
        moving = removing or id_ in busy or seen is Seen.STARTING
        moving = moving or host is HostStatus.PENDING or Status.PENDING in statuses
        found.append(
            Glance(
                app_id,
                slug,
                id_,
                at_rest,
                reachable(engine, seen, version is not None, host, statuses),
                moving,
            )
        )
    return found


_QUERY = (
    select(
        App.id, App.slug, App.removing, Instance.id, Instance.seen, Instance.at_rest, Version.id, ProxyHost.status
    )
    .join(Instance, Instance.app_id == App.id)
    .outerjoin(Version, and_(Version.instance_id == Instance.id, Version.state == VersionState.CURRENT))
    .outerjoin(
        ProxyHost,
        and_(
            ProxyHost.consumer_type == ConsumerType.INSTANCE,
            ProxyHost.consumer_id == Instance.id,
            ~ProxyHost.removing,
        ),
    )
    .order_by(App.slug, Instance.name)
)  # fmt: skip


def first_apps(found: Sequence[Glance], most: int) -> list[int]:
    """The apps to show where not all can be: those that are away or being worked on, then by name."""
    urgent = sorted(found, key=lambda one: not (one.is_away or one.is_moving))
    return list(dict.fromkeys(one.app_id for one in urgent))[:most]
