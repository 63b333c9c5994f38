"""The round: list what is live, plan the difference with what is wished, apply it, settle the rows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.db import reading, transaction
from webapp.dns import ledger, settle
from webapp.dns.changes import Change, Create, Delete, Plan, Wish
from webapp.dns.desired import Policy
from webapp.dns.models import Connection
from webapp.dns.plan import plan as make_plan
from webapp.dns.providers.base import Outcome, Provider
from webapp.dns.records import LiveRecord, Usage, Zone
from webapp.errors import Busy, Denied, Outage, ProviderError, RecklessPlan, Rejected

ZONE_FULL = "The zone is full: {used} of {allowed} records are used. Delete some, or move to a larger plan."


@dataclass(frozen=True)
class Reading:
    """What a round needs to know from the database."""

    connection_id: int
    zone: Zone
    owner: str
    wishes: tuple[Wish, ...]
    delete: bool


@dataclass(frozen=True)
class Report:
    """How a round went: the plan it had, whether it was carried out, and what stopped it."""

    plan: Plan | None
    applied: bool = False
    error: ProviderError | RecklessPlan | Busy | None = None


Approval = Callable[[Plan], bool]


def never(_plan: Plan) -> bool:
    """The approval of the worker's own rounds."""
    return False


def read(connection_id: int) -> Reading | None:
    """The wishes of a connection; None when it is gone."""
    with reading() as session:
        connection = session.get(Connection, connection_id)
        if connection is None:
            return None
        settings = ledger.settings(session)
        waiting = ledger.unsettled_names(session, connection_id)
        rows = ledger.of_connection(session, connection_id)
        wishes = tuple(r.wish(settings.defaults, held=not r.wanted and r.fqdn in waiting) for r in rows)
        delete = settings.policy is Policy.FULL or not connection.active
        return Reading(connection_id, connection.zone, settings.install_id, wishes, delete)


def look(reading: Reading, provider: Provider, clock: Callable[[], datetime]) -> Report:
    """List and plan, change nothing, and show in the rows what was found."""
    try:
        plan, usage = _compare(reading, provider, with_usage=True)
    except (Outage, Denied) as error:
        settle.failed(reading.connection_id, error, clock())
        return Report(None, error=error)
    settle.looked(reading.connection_id, plan, clock())
    _remember(reading, plan, usage, clock(), orphans=True)
    return Report(plan)


def run(
    reading: Reading,
    provider: Provider,
    clock: Callable[[], datetime],
    *,
    renew: Callable[[], None] = lambda: None,
    approve: Approval = never,
    expect: str | None = None,
) -> Report:
    """One whole round. `expect` is the hash of a plan that somebody has seen: another plan is not carried out.

    Provider faults end in the rows and in the report; nothing is raised for them.
    """
    plan: Plan | None = None
    try:
        plan, usage = _compare(reading, provider)
        if refusal := _refusal(plan, approve, expect):
            _stopped(reading, plan, refusal, clock())
            return Report(plan, error=refusal)
        for done in _apply(reading, provider, plan, usage):
            settle.outcomes(done, clock())
            renew()
    except (Outage, Denied) as error:
        settle.failed(reading.connection_id, error, clock())
        return Report(plan, error=error)
    settle.remainder(reading.connection_id, plan, (w.row for w in reading.wishes), clock())
    _remember(reading, plan, usage, clock(), orphans=not reading.delete)
    return Report(plan, applied=True)


def _compare(reading: Reading, provider: Provider, *, with_usage: bool = False) -> tuple[Plan, Usage | None]:
    live = provider.list_records(reading.zone)
    plan = make_plan(reading.wishes, live, reading.owner, delete=reading.delete)
    usage = provider.usage(reading.zone) if plan.creates or with_usage else None
    return plan, usage


def _refusal(plan: Plan, approve: Approval, expect: str | None) -> RecklessPlan | Busy | None:
    if expect is not None and plan.hash != expect:
        return Busy("The records changed since this plan was made. Look at the new plan, then apply it.")
    if plan.reckless and not approve(plan):
        count = len(plan.updates) + len(plan.deletes)
        return RecklessPlan(
            f"This would change or delete {count} of {plan.ours} records that are ours. "
            "Review the plan on the DNS page, and apply it if it is right."
        )
    return None


def _stopped(reading: Reading, plan: Plan, refusal: RecklessPlan | Busy, at: datetime) -> None:
    """Show the plan that was not carried out; rows that wait for it say why."""
    with transaction() as session:
        connection = session.get_one(Connection, reading.connection_id)
        settle.read(connection, None, at)
        connection.review_state = "reckless" if isinstance(refusal, RecklessPlan) else "moved"
        connection.review = describe(reading, plan)
        connection.approved_hash = None
        touched = {c.row for c in plan.changes if c.row is not None}
        for row in settle.rows_of(session, touched).values():
            if row.next_try_at is not None:
                row.fail(refusal.message, None, at)


def _apply(reading: Reading, provider: Provider, plan: Plan, usage: Usage | None) -> Any:
    """The provider's outcomes, answer by answer; creates that the zone has no room for are refused here."""
    room = len(plan.creates)
    if usage is not None and usage.allowed is not None:
        room = max(0, usage.allowed - usage.used + len(plan.deletes))
        full = Rejected(ZONE_FULL.format(used=usage.used, allowed=usage.allowed))
        if late := [Outcome(create, error=full) for create in plan.creates[room:]]:
            yield late
    changes: tuple[Change, ...] = (
        *plan.creates[:room],
        *plan.updates,
        *_safe_deletes(plan, plan.creates[room:]),
    )
    if changes:
        yield from provider.apply(reading.zone, changes)


def _safe_deletes(plan: Plan, unmade: tuple[Create, ...]) -> tuple[Delete, ...]:
    """Deletes, without those that make room for a record that is not going to be made."""
    names = {create.record.name for create in unmade}
    return tuple(d for d in plan.deletes if d.live.name not in names)


def _remember(reading: Reading, plan: Plan, usage: Usage | None, at: datetime, *, orphans: bool) -> None:
    with transaction() as session:
        connection = session.get_one(Connection, reading.connection_id)
        settle.read(connection, usage, at)
        settle.seen(session, reading.connection_id, plan, at, orphans=orphans)


def describe(reading: Reading, plan: Plan) -> dict[str, Any]:
    """The plan as plain data, for the page and the command line."""
    rows = {w.row: w for w in reading.wishes}
    return {
        "zone": reading.zone.name,
        "creates": [_record(c.record) for c in plan.creates],
        "updates": [{**_record(u.record), "old": _live(u.live), "why": list(u.why)} for u in plan.updates],
        "deletes": [{**_live(d.live), "why": d.why} for d in plan.deletes],
        "conflicts": [
            {**_record(c.record), "live": [_live(r) for r in c.live], "left": rows[c.row].answer == "leave"}
            for c in plan.conflicts
        ],
        "foreign": len(plan.foreign),
        "unchanged": len(plan.kept),
        "reckless": plan.reckless,
        "hash": plan.hash,
    }


def _record(record: Any) -> dict[str, Any]:
    return {
        "name": record.name,
        "type": str(record.type),
        "content": record.content,
        "ttl": record.ttl,
        "proxied": record.proxied,
    }


def _live(live: LiveRecord) -> dict[str, Any]:
    return {**_record(live), "mark": live.mark}
