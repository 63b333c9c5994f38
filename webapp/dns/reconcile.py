"""The round: list what is live, plan the difference with what is wished, apply it, settle the rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from webapp.db import transaction
from webapp.dns import journal, outcomes, seen, settle
from webapp.dns.changes import Change, Create, Delete, Plan
from webapp.dns.connections import Connection
from webapp.dns.plan import plan as make_plan
from webapp.dns.providers.base import Outcome, Provider, name_of
from webapp.dns.records import LiveRecord, Usage
from webapp.dns.summary import describe
from webapp.dns.wishes import Reading
from webapp.errors import Busy, Denied, Outage, ProviderError, RecklessPlan, Rejected

ZONE_FULL = "The zone is full: {used} of {allowed} records are used. Delete some, or move to a larger plan."
SHOWN = frozenset({"ready", "reckless", "moved"})
"""Review states in which a plan waits for a person."""


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


def look(reading: Reading, provider: Provider, clock: Callable[[], datetime]) -> Report:
    """List and plan, change nothing, and show in the rows what was found."""
    try:
        plan, usage = _compare(reading, provider, clock, with_usage=True)
    except (Outage, Denied) as error:
        settle.failed(reading.connection_id, error, clock())
        return Report(None, error=error)
    settle.looked(reading.connection_id, plan, reading.wishes, clock())
    _remember(reading, plan, usage, (), clock())
    return Report(plan)


def run(
    reading: Reading,
    provider: Provider,
    clock: Callable[[], datetime],
    *,
    renew: Callable[[], None],
    approve: Approval = never,
    expect: str | None = None,
    by: str = "",
) -> Report:
    """One whole round. `expect` is the hash of a plan that somebody has seen: another plan is not carried out.

    `by` is who asked for the round, where somebody did.

    Provider faults end in the rows and in the report; nothing is raised for them. `renew` is called before each
    change, and raises when somebody else is at work by now.
    """
    plan: Plan | None = None
    try:
        plan, usage = _compare(reading, provider, clock)
        refusal = _refusal(reading, plan, approve, expect)
        todo = _allowed(plan, refusal)
        renew()
        done = _carry_out(reading, provider, todo, usage, clock, renew=renew, by=by)
    except (Outage, Denied) as error:
        settle.failed(reading.connection_id, error, clock())
        return Report(plan, error=error)
    if refusal is not None:
        _stopped(reading, plan.without(todo), refusal, done, clock())
        return Report(plan, error=refusal)
    with transaction() as session:
        settle.remainder(session, reading.connection_id, plan, reading.wishes, clock())
        _remember(reading, plan, usage, done, clock())
    return Report(plan, applied=True)


def _compare(
    reading: Reading, provider: Provider, clock: Callable[[], datetime], *, with_usage: bool = False
) -> tuple[Plan, Usage | None]:
    live = provider.list_records(reading.zone)
    journal.confirm(reading.connection_id, reading.zone.name, live, reading.owner, clock())
    delete = reading.delete or reading.leaving
    plan = make_plan(reading.wishes, live, reading.owner, delete=delete, apex=reading.zone.name)
    if not reading.delete and reading.leaving:  # what the policy has kept stays for good
        plan = replace(plan, deletes=tuple(d for d in plan.deletes if d.row is not None))
    if with_usage or (plan.creates and not _has_room(reading.usage, live, plan)):
        return plan, provider.usage(reading.zone)
    return plan, reading.usage and replace(reading.usage, used=len(live))


def _has_room(known: Usage | None, live: Sequence[LiveRecord], plan: Plan) -> bool:
    """Whether the zone takes all that is new, as far as we know: that spares a call before the record is there.

    The plan may have become smaller since. Then new names are refused, but nothing may be gone to make room.
    """
    if known is None or plan.deletes:
        return False
    return known.allowed is None or len(live) + len(plan.creates) <= known.allowed


def _refusal(
    reading: Reading, plan: Plan, approve: Approval, expect: str | None
) -> RecklessPlan | Busy | None:
    if expect is not None and plan.hash != expect:
        return Busy("The records changed since this plan was made. Look at the new plan, then apply it.")
    if plan.reckless and not reading.leaving and not approve(plan):
        count = len(plan.updates) + len(plan.deletes)
        return RecklessPlan(
            f"This would change or delete {count} of {plan.ours} records that are ours. "
            "Review the plan on the DNS page, and apply it if it is right."
        )
    return None


def _allowed(plan: Plan, refusal: RecklessPlan | Busy | None) -> Plan:
    """What may be done of it: of a reckless plan what was confirmed before, which need not wait for the rest."""
    if refusal is None:
        return plan
    return plan.agreed if isinstance(refusal, RecklessPlan) else Plan()


def _stopped(
    reading: Reading, plan: Plan, refusal: RecklessPlan | Busy, done: Sequence[Outcome], at: datetime
) -> None:
    """Show the plan that was not carried out; where it waits for a person, the rows that wait for it say why."""
    reckless = isinstance(refusal, RecklessPlan)
    with transaction() as session:
        settle.looked(reading.connection_id, plan, reading.wishes, at)
        _remember(reading, plan, None, done, at)
        if connection := session.get(Connection, reading.connection_id):
            connection.review_state = "reckless" if reckless else "moved"
            connection.review = describe(plan, reading.zone, reading.wishes)
            connection.approved_hash = None
        touched = {c.row for c in plan.changes if c.row is not None and reckless}
        for row in settle.rows_of(session, touched).values():
            if row.next_try_at is not None:
                row.fail(refusal.message, None, at)


def _carry_out(
    reading: Reading,
    provider: Provider,
    plan: Plan,
    usage: Usage | None,
    clock: Callable[[], datetime],
    *,
    renew: Callable[[], None],
    by: str,
) -> list[Outcome]:
    """Make the changes, each written down before and after. Creates that the zone has no room for are refused."""
    wishes = {wish.row: wish for wish in reading.wishes}
    changes, done = _fitting(plan, usage)
    if done:
        with transaction() as session:
            outcomes.settle(session, done, wishes, clock())
    if not changes:
        return done
    with journal.writing(
        reading.connection_id, reading.zone.name, changes, reading.causes, by, clock
    ) as entries:
        for answers in provider.apply(reading.zone, changes):
            with transaction() as session:
                outcomes.settle(session, answers, wishes, clock())
                entries.end(session, answers, clock())
            done += answers
            renew()
    return done


def _fitting(plan: Plan, usage: Usage | None) -> tuple[tuple[Change, ...], list[Outcome]]:
    """The changes that the zone has room for, and refusals of the others.

    A name that would have to lose a record for one that does not fit waits as a whole.
    """
    if usage is None or usage.allowed is None:
        return plan.changes, []
    short = set(plan.creates[max(0, usage.allowed - usage.used + len(plan.deletes)) :])
    if not short:
        return plan.changes, []
    waiting = {name_of(create) for create in short} & {name_of(delete) for delete in plan.deletes}
    held = short | {change for change in plan.changes if name_of(change) in waiting}
    full = Rejected(ZONE_FULL.format(used=usage.used, allowed=usage.allowed))
    late = [Outcome(c, error=full) for c in plan.changes if c in held and not isinstance(c, Delete)]
    return tuple(change for change in plan.changes if change not in held), late


def _remember(
    reading: Reading, plan: Plan, usage: Usage | None, done: Sequence[Outcome], at: datetime
) -> None:
    """What was seen; another plan that is on show, or one that has been carried out, is put away."""
    fine = [outcome.change for outcome in done if outcome.error is None]
    deleted = {change.live.id for change in fine if isinstance(change, Delete)}
    growth = sum(isinstance(change, Create) for change in fine) - len(deleted)
    with transaction() as session:
        settle.misplaced(session, reading.misplaced, at)
        connection = session.get(Connection, reading.connection_id)
        if connection is None:  # abandoned in the meantime
            return
        settle.read(connection, usage, growth, at)
        seen.remember(session, reading.connection_id, plan, deleted, at)
        on_show = connection.review or {}
        if connection.review_state in SHOWN and (fine or on_show.get("hash") != plan.hash):
            connection.review_state = connection.review = None
