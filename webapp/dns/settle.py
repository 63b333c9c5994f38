"""Records what a round found and did: short transactions, one per answer of the provider."""

import logging
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from webapp.db import transaction
from webapp.dns import ledger
from webapp.dns.changes import Conflict, Create, Delete, Plan, Update
from webapp.dns.desired import Defaults
from webapp.dns.models import Connection, DnsRecord, SeenRecord, Status
from webapp.dns.providers.base import Outcome, name_of
from webapp.dns.records import LiveRecord, Usage
from webapp.dns.retry import next_try
from webapp.errors import Denied, Outage, ProviderError

log = logging.getLogger(__name__)

HELD_FOR = timedelta(seconds=10)
CHUNK = 500


def rows_of(session: Session, ids: Iterable[int]) -> dict[int, DnsRecord]:
    """The rows with these ids that still exist, in few queries."""
    wanted = sorted(ids)
    rows: dict[int, DnsRecord] = {}
    for start in range(0, len(wanted), CHUNK):
        query = select(DnsRecord).where(DnsRecord.id.in_(wanted[start : start + CHUNK]))
        rows |= {row.id: row for row in session.scalars(query)}
    return rows


def outcomes(done: Sequence[Outcome], at: datetime) -> None:
    """Settle the rows that the provider has just answered for."""
    with transaction() as session:
        defaults = ledger.settings(session).defaults
        rows = rows_of(session, (o.change.row for o in done if o.change.row is not None))
        for outcome in done:
            _log(outcome)
            row = rows.get(outcome.change.row or 0)
            if row is not None:
                _outcome(session, row, outcome, defaults, at)


def _outcome(session: Session, row: DnsRecord, outcome: Outcome, defaults: Defaults, at: datetime) -> None:
    if outcome.error is not None:
        row.fail(outcome.error.message, next_try(at, row.attempts + 1, random.random()), at)  # noqa: S311
    elif outcome.live is None:
        _removed(session, row, at)
    elif row.wanted and outcome.live.is_like(defaults.record(row.fqdn, row.type, row.overrides)):
        row.settle(outcome.live, at)
    else:  # the wish changed while the call was under way
        row.settle(outcome.live, at)
        row.ask(at)


def _removed(session: Session, row: DnsRecord, at: datetime) -> None:
    """The record is gone; so is the row, unless it was claimed again while the call was under way."""
    if row.wanted:
        row.provider_record_id = row.written_content = None
        row.ask(at)
    else:
        session.delete(row)


def _log(outcome: Outcome) -> None:
    name, error = name_of(outcome.change), outcome.error
    match outcome.change:
        case _ if error:
            log.warning("dns: %s: refused: %s", name, error.message)
        case Create(record=record):
            log.info("dns: %s: created %s %s", name, record.type, record.content)
        case Update(record=record, why=why):
            log.info("dns: %s: changed %s to %s %s", name, ", ".join(why), record.type, record.content)
        case Delete(live=live, why=why):
            log.info("dns: %s: deleted %s %s, %s", name, live.type, live.content, why)


def remainder(connection_id: int, plan: Plan, wishes: Iterable[int], at: datetime) -> None:
    """After the changes: settle what was right already, forget what is gone, show conflicts."""
    held = set(wishes) - plan.rows
    conflicts = {c.row: c for c in plan.conflicts}
    with transaction() as session:
        restless = _restless(session, connection_id)
        for keep in plan.kept:
            row = restless.get(keep.row)
            if row is not None and row.wanted:
                row.settle(keep.live, at)
        for row_id, row in restless.items():
            if row_id in held:
                row.next_try_at = at + HELD_FOR
            elif row_id in plan.gone and not row.wanted:
                session.delete(row)
        _show_conflicts(session, conflicts, at)


def _restless(session: Session, connection_id: int) -> dict[int, DnsRecord]:
    """Rows that are not settled: the others need no write when they are found as wanted."""
    query = select(DnsRecord).where(
        DnsRecord.connection_id == connection_id, (DnsRecord.status != Status.SYNCED) | ~DnsRecord.wanted
    )
    return {row.id: row for row in session.scalars(query)}


def _show_conflicts(session: Session, conflicts: Mapping[int, Conflict], at: datetime) -> None:
    for row_id, row in rows_of(session, conflicts).items():
        conflict = conflicts[row_id]
        if row.wanted:
            row.found(Status.CONFLICT, [facts(live) for live in conflict.live])
            row.error, row.next_try_at, row.updated_at = blame(conflict), None, at
            row.answer = row.answer if row.answered == conflict.fingerprint else None
            row.answered = conflict.fingerprint


def blame(conflict: Conflict) -> str:
    """Who holds the name, in one sentence."""
    other = next((live.mark for live in conflict.live if live.mark), None)
    if other:
        return f"Another Tiny Forge (installation {other}) keeps a record of this name."
    kinds = ", ".join(sorted({f"{live.type} {live.content}" for live in conflict.live}))
    return f"A record that is not ours is in the way: {kinds}"[:500]


def facts(live: LiveRecord) -> dict[str, Any]:
    """A live record as plain data, for rows and plans."""
    return asdict(live)


def looked(connection_id: int, plan: Plan, at: datetime) -> None:
    """After a look without changes: mark what drifted, is missing or is in conflict."""
    touched = {u.row for u in plan.updates} | {c.row for c in plan.creates}
    with transaction() as session:
        rows = rows_of(session, touched)
        for update in plan.updates:
            if (row := rows.get(update.row)) and row.status is not Status.PENDING:
                row.found(Status.DRIFTED, [facts(update.live)])
        for create in plan.creates:
            if (row := rows.get(create.row)) and row.status is not Status.PENDING:
                row.found(Status.MISSING, None)
        restless = _restless(session, connection_id)
        for keep in plan.kept:
            if (row := restless.get(keep.row)) and row.wanted:
                row.settle(keep.live, at)
        _show_conflicts(session, {c.row: c for c in plan.conflicts}, at)


def seen(session: Session, connection_id: int, plan: Plan, at: datetime, *, orphans: bool) -> None:
    """Replace what is known of records that no claim accounts for."""
    session.execute(delete(SeenRecord).where(SeenRecord.connection_id == connection_id))
    found = [(Status.FOREIGN, live) for live in plan.foreign]
    found += [(Status.ORPHAN, live) for live in plan.orphans if orphans]
    values = [
        {
            "connection_id": connection_id,
            "status": status,
            "fqdn": live.name,
            "type": live.type,
            "content": live.content[:4200],
            "ttl": live.ttl,
            "proxied": live.proxied,
            "mark": live.mark,
            "checked_at": at,
        }
        for status, live in found
    ]
    if values:
        session.execute(insert(SeenRecord), values)


def read(connection: Connection, usage: Usage | None, at: datetime) -> None:
    """The zone was read: its connection is healthy."""
    connection.error, connection.attempts, connection.next_try_at, connection.blocked = None, 0, None, False
    connection.checked_at = at
    if usage is not None:
        connection.used, connection.allowed = usage.used, usage.allowed


def failed(connection_id: int, error: ProviderError, at: datetime) -> None:
    """The round ended early: remember why and when to try again, in the connection and in every waiting row."""
    log.warning("dns: round ended: %s", error.message)
    with transaction() as session:
        connection = session.get_one(Connection, connection_id)
        connection.attempts += 1
        wait = error.retry_after if isinstance(error, Outage) else None
        again = next_try(at, connection.attempts, random.random(), wait)  # noqa: S311
        connection.blocked = isinstance(error, Denied)
        connection.error, connection.next_try_at = error.message[:500], None if connection.blocked else again
        for row in _restless(session, connection_id).values():
            if row.next_try_at is not None or row.status is Status.PENDING:
                row.fail(error.message, connection.next_try_at, at)
