"""Records what a round found and did: short transactions, one per answer of the provider."""

import logging
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from webapp.db import in_chunks, table, transaction
from webapp.dns import ledger
from webapp.dns.changes import Create, Delete, Plan, Update, Wish
from webapp.dns.connections import Connection
from webapp.dns.desired import Defaults
from webapp.dns.models import DnsRecord, Status, settled
from webapp.dns.providers.base import Outcome, name_of
from webapp.dns.records import LiveRecord, Record, Usage
from webapp.dns.retry import next_try
from webapp.errors import Denied, Outage, ProviderError

log = logging.getLogger(__name__)

HELD_FOR = timedelta(seconds=10)
"""The least pause of a deletion that waits for something else; it grows like that of any other try."""
ROWS = table(DnsRecord)


def rows_of(session: Session, ids: Iterable[int]) -> dict[int, DnsRecord]:
    """The rows with these ids that still exist, in few queries."""
    rows: dict[int, DnsRecord] = {}
    for some in in_chunks(sorted(ids)):
        query = select(DnsRecord).where(DnsRecord.id.in_(some))
        rows |= {row.id: row for row in session.scalars(query)}
    return rows


def outcomes(session: Session, done: Sequence[Outcome], wishes: Mapping[int, Wish], at: datetime) -> None:
    """Settle the rows that the provider has just answered for.

    Most got what they wished and wish it still: those are written together, the others one by one.
    """
    for outcome in done:
        _log(outcome)
    plain, others = _sorted(session, {o.change.row: o for o in done if o.change.row is not None}, wishes)
    _write(session, {row: o.live for row, o in plain.items() if o.live is not None}, at)
    _forget(session, [row for row, o in plain.items() if o.live is None])
    defaults, rows = ledger.settings(session).defaults, rows_of(session, others)
    for row_id, row in rows.items():
        _outcome(session, row, others[row_id], defaults, at)


def _sorted(
    session: Session, done: Mapping[int, Outcome], wishes: Mapping[int, Wish]
) -> tuple[dict[int, Outcome], dict[int, Outcome]]:
    """Outcomes that are as their rows wish, whose wish has not changed since, and all others."""
    plain: dict[int, Outcome] = {}
    for some in in_chunks(sorted(done)):
        query = select(DnsRecord.id, DnsRecord.version, DnsRecord.wanted).where(DnsRecord.id.in_(some))
        query = query.with_for_update()
        for row, version, wanted in session.execute(query):
            if wishes[row].version == version and _is_plain(done[row], wanted):
                plain[row] = done[row]
    return plain, {row: outcome for row, outcome in done.items() if row not in plain}


def _is_plain(outcome: Outcome, wanted: bool) -> bool:
    if outcome.error is not None:
        return False
    if isinstance(outcome.change, Delete) or outcome.live is None:
        return not wanted
    return wanted and outcome.live.is_like(outcome.change.record)


def _write(session: Session, lives: Mapping[int, LiveRecord], at: datetime) -> None:
    """By the table itself: thousands of rows at once, none of which is loaded here."""
    if lives:
        statement = update(ROWS).where(ROWS.c.id == bindparam("row"))
        values = [{"row": row, **settled(live, at)} for row, live in lives.items()]
        session.connection().execute(statement, values)


def _forget(session: Session, ids: Sequence[int]) -> None:
    for some in in_chunks(ids):
        session.execute(delete(DnsRecord).where(DnsRecord.id.in_(some)))


def _outcome(session: Session, row: DnsRecord, outcome: Outcome, defaults: Defaults, at: datetime) -> None:
    if outcome.error is not None:
        _failed(row, outcome.error.message, at)
    elif isinstance(outcome.change, Delete) or outcome.live is None:
        _removed(session, row, at)
    else:
        _written(row, outcome.change.record, outcome.live, defaults, at)


def _failed(row: DnsRecord, message: str, at: datetime) -> None:
    row.fail(message, next_try(at, row.attempts + 1, random.random()), at)  # noqa: S311


def _written(row: DnsRecord, asked: Record, live: LiveRecord, defaults: Defaults, at: datetime) -> None:
    """The record is there; but the wish may have changed while the call was under way."""
    wish, wanted = row.record(defaults), row.wanted and not row.is_absent
    if wanted and live.is_like(wish):
        row.settle(live, at)
        return
    row.hold(live)
    if wanted and wish == asked:
        proxied = ", proxied" if live.proxied else ""
        _failed(row, f"The provider made it {live.type} {live.content}, TTL {live.ttl}{proxied}.", at)
    else:
        row.ask_again(at)


def _removed(session: Session, row: DnsRecord, at: datetime) -> None:
    """The record is gone; so is the row, unless it was claimed again while the call was under way."""
    if row.is_absent:
        row.rest(at)
    elif row.wanted:
        row.provider_record_id = row.written_content = None
        row.ask_again(at)
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
        case gone:
            log.info("dns: %s: deleted %s %s, %s", name, gone.live.type, gone.live.content, gone.why)


def remainder(connection_id: int, plan: Plan, wishes: Iterable[Wish], at: datetime) -> None:
    """After the changes: settle what was right already, forget what is gone, show conflicts, hold the rest.

    A row that asks for something else by now is left for the next round, here and in `looked`.
    """
    with transaction() as session:
        rows = _unchanged(session, connection_id, wishes, {c.row for c in plan.conflicts})
        _confirm(rows, plan, at)
        gone = set(plan.gone)
        for row_id, row in rows.items():
            if row_id in gone:
                _removed(session, row, at)
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
