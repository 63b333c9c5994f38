"""Records what a round found and did: short transactions, one per answer of the provider."""

import logging
import random
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.db import in_chunks, transaction
from webapp.dns.changes import Plan, Wish
from webapp.dns.connections import Connection
from webapp.dns.models import DnsRecord, Status
from webapp.dns.records import LiveRecord, Usage
from webapp.dns.retry import next_try
from webapp.errors import Denied, Outage, ProviderError

log = logging.getLogger(__name__)

HELD_FOR = timedelta(seconds=10)
"""The least pause of a deletion that waits for something else; it grows like that of any other try."""


def rows_of(session: Session, ids: Iterable[int]) -> dict[int, DnsRecord]:
    """The rows with these ids that still exist, in few queries."""
    rows: dict[int, DnsRecord] = {}
    for some in in_chunks(sorted(ids)):
        query = select(DnsRecord).where(DnsRecord.id.in_(some))
        rows |= {row.id: row for row in session.scalars(query)}
    return rows


def removed(session: Session, row: DnsRecord, at: datetime) -> None:
    """The record is gone; so is the row, unless it was claimed again while the call was under way."""
    if row.is_absent:
        row.rest(at)
    elif row.wanted:
        row.provider_record_id = row.written_content = None
        row.ask_again(at)
    else:
        session.delete(row)


def remainder(session: Session, connection_id: int, plan: Plan, wishes: Iterable[Wish], at: datetime) -> None:
    """After the changes: settle what was right already, forget what is gone, show conflicts, hold the rest.

    A row that asks for something else by now is left for the next round, here and in `looked`.
    """
    rows = _unchanged(session, connection_id, wishes, {c.row for c in plan.conflicts})
    _confirm(rows, plan, at)
    gone = set(plan.gone)
    for row_id, row in rows.items():
        if row_id in gone:
            removed(session, row, at)
        elif row.next_try_at is not None and row.next_try_at <= at:
            row.attempts += 1
            row.next_try_at = max(at + HELD_FOR, next_try(at, row.attempts, random.random()))  # noqa: S311


def looked(connection_id: int, plan: Plan, wishes: Iterable[Wish], at: datetime) -> None:
    """After a look without changes: mark what drifted, is missing, in conflict or right again.

    What has a try ahead of it keeps saying so.
    """
    found: dict[int, tuple[Status, list[dict[str, Any]] | None]] = {
        c.row: (Status.MISSING, None) for c in plan.creates
    }
    found |= {u.row: (Status.DRIFTED, [facts(u.live)]) for u in plan.updates}
    with transaction() as session:
        rows = _unchanged(session, connection_id, wishes, {*found, *(c.row for c in plan.conflicts)})
        _confirm(rows, plan, at)
        for row_id in found.keys() & rows.keys():
            if rows[row_id].next_try_at is None:
                rows[row_id].found(*found[row_id])


def _unchanged(
    session: Session, connection_id: int, wishes: Iterable[Wish], also: Iterable[int]
) -> dict[int, DnsRecord]:
    """Unsettled rows, and others that matter, whose wish still is the one that the plan was made for."""
    rows = _restless(session, connection_id) | rows_of(session, also)
    return {w.row: rows[w.row] for w in wishes if w.row in rows and rows[w.row].version == w.version}


def _restless(session: Session, connection_id: int) -> dict[int, DnsRecord]:
    """Rows that are not settled: the others need no write when they are found as wanted."""
    quiet = DnsRecord.status.in_((Status.SYNCED, Status.ABSENT)) & DnsRecord.wanted
    query = select(DnsRecord).where(DnsRecord.connection_id == connection_id, ~quiet)
    return {row.id: row for row in session.scalars(query)}


def _confirm(rows: Mapping[int, DnsRecord], plan: Plan, at: datetime) -> None:
    """What needs no change, and what nobody may change before it is decided."""
    for keep in plan.kept:
        if keep.row in rows:
            rows[keep.row].settle(keep.live, at)
    for conflict in plan.conflicts:
        if row := rows.get(conflict.row):
            row.found(Status.CONFLICT, [facts(live) for live in conflict.live])
            row.error, row.next_try_at, row.updated_at = conflict.blame, None, at
            row.answer = row.answer if row.answered == conflict.fingerprint else None
            row.answered = conflict.fingerprint
            if row.provider_record_id in {live.id for live in conflict.live if live.mark}:
                row.provider_record_id = row.written_content = None  # it proves nothing any more


def misplaced(session: Session, problems: Mapping[int, str], at: datetime) -> None:
    """Rows whose name turned out to belong into another zone wait for a person."""
    for row_id, row in rows_of(session, problems).items():
        if row.next_try_at is not None:
            row.fail(problems[row_id], None, at)


def facts(live: LiveRecord) -> dict[str, Any]:
    """A live record as plain data, for rows and plans."""
    return asdict(live)


def read(connection: Connection, usage: Usage | None, growth: int, at: datetime) -> None:
    """The zone was read, and got so many records more: its connection is healthy."""
    connection.error, connection.attempts, connection.next_try_at, connection.blocked = None, 0, None, False
    connection.checked_at = at
    if usage is not None:
        connection.used, connection.allowed = usage.used, usage.allowed
    if connection.used is not None:
        connection.used += growth


def failed(connection_id: int, error: ProviderError, at: datetime) -> None:
    """The round ended early: remember why and when to try again, in the connection and in every waiting row."""
    log.warning("dns: round ended: %s", error.message)
    with transaction() as session:
        connection = session.get(Connection, connection_id)
        if connection is None:  # abandoned in the meantime
            return
        connection.attempts += 1
        wait = error.retry_after if isinstance(error, Outage) else None
        again = next_try(at, connection.attempts, random.random(), wait)  # noqa: S311
        connection.blocked = isinstance(error, Denied)
        connection.error, connection.next_try_at = error.message[:500], None if connection.blocked else again
        for row in _restless(session, connection_id).values():
            if row.next_try_at is not None or row.status is Status.PENDING:
                row.fail(error.message, connection.next_try_at, at)
