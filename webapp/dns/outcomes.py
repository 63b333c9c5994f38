"""Settles the rows that the provider has just answered for: thousands together, where they got what they wished."""

import logging
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from webapp.db import in_chunks, table
from webapp.dns import ledger
from webapp.dns.changes import Create, Delete, Update, Wish
from webapp.dns.desired import Defaults
from webapp.dns.models import DnsRecord, settled
from webapp.dns.providers.base import Outcome, name_of
from webapp.dns.records import LiveRecord, Record
from webapp.dns.retry import next_try
from webapp.dns.settle import removed, rows_of

log = logging.getLogger(__name__)

MOST_LOGGED = 20
ROWS = table(DnsRecord)


def settle(session: Session, done: Sequence[Outcome], wishes: Mapping[int, Wish], at: datetime) -> None:
    """Settle the rows that the provider has just answered for.

    Most got what they wished and wish it still: those are written together, the others one by one.
    """
    _log(done)
    plain, others = _sorted(session, {o.change.row: o for o in done if o.change.row is not None}, wishes)
    _write(session, {row: o.live for row, o in plain.items() if o.live is not None}, wishes, at)
    _forget(session, [row for row, o in plain.items() if o.live is None])
    if others:
        defaults = ledger.settings(session).defaults
        for row_id, row in rows_of(session, others).items():
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


def _write(
    session: Session, lives: Mapping[int, LiveRecord], wishes: Mapping[int, Wish], at: datetime
) -> None:
    """By the table itself, and none is loaded: of thousands most say the same, but for the ids of new records."""
    alike = defaultdict[tuple[str, int, bool], list[int]](list)
    for row, live in lives.items():
        alike[live.content, live.ttl, live.proxied].append(row)
    for rows in alike.values():
        values = settled(lives[rows[0]], at)
        del values["provider_record_id"]
        for some in in_chunks(rows):
            session.execute(update(ROWS).where(ROWS.c.id.in_(some)).values(values))
    new = [{"row": row, "record": live.id} for row, live in lives.items() if live.id != wishes[row].live_id]
    if new:
        statement = update(ROWS).where(ROWS.c.id == bindparam("row"))
        session.connection().execute(statement.values(provider_record_id=bindparam("record")), new)


def _forget(session: Session, ids: Sequence[int]) -> None:
    for some in in_chunks(ids):
        session.execute(delete(DnsRecord).where(DnsRecord.id.in_(some)))


def _outcome(session: Session, row: DnsRecord, outcome: Outcome, defaults: Defaults, at: datetime) -> None:
    if outcome.error is not None:
        _failed(row, outcome.error.message, at)
    elif isinstance(outcome.change, Delete) or outcome.live is None:
        removed(session, row, at)
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


def _log(done: Sequence[Outcome]) -> None:
    """No more than somebody reads: the history has them all, and a full zone refuses thousands at each round."""
    fine = [outcome.change for outcome in done if outcome.error is None]
    refused = [(outcome.change, outcome.error) for outcome in done if outcome.error is not None]
    for change, error in refused[:MOST_LOGGED]:
        log.warning("dns: %s: refused: %s", name_of(change), error.message)
    if len(refused) > MOST_LOGGED:
        log.warning("dns: and %s more are refused, see the history", len(refused) - MOST_LOGGED)
    for change in fine[:MOST_LOGGED]:
        match change:
            case Create(record=record):
                log.info("dns: %s: created %s %s", record.name, record.type, record.content)
            case Update(record=record, why=why):
                what = ", ".join(why)
                log.info("dns: %s: changed %s to %s %s", record.name, what, record.type, record.content)
            case gone:
                live = gone.live
                log.info("dns: %s: deleted %s %s, %s", live.name, live.type, live.content, gone.why)
    if len(fine) > MOST_LOGGED:
        log.info("dns: and %s changes more, see the history", len(fine) - MOST_LOGGED)
