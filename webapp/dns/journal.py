"""Writes down every change at a provider: before it is asked for, and again when it is known what came of it."""

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, String, delete, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from webapp.db import Base, Choice, in_chunks, reading, table, transaction
from webapp.dns.changes import Change, Create, Delete, Update
from webapp.dns.models import ConsumerType
from webapp.dns.providers.base import Outcome
from webapp.dns.records import LiveRecord, Record, normal_content
from webapp.errors import ProviderError

KEPT_FOR = timedelta(days=365)
Facts = dict[str, Any]


class Kind(StrEnum):
    """What was done to a record."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Result(StrEnum):
    """What came of it. Under way, too, is what nobody knows yet because the answer was lost."""

    UNDER_WAY = "under way"
    DONE = "done"
    REFUSED = "refused"


class RecordChange(Base):
    """One change of one record at a provider. `by` is empty for what the panel did by itself.

    `connection_id` tells one zone from another only together with `zone`: databases give out ids again.
    `before` and `after` are type, content, TTL and proxied.
    """

    __tablename__ = "dns_changes"
    __table_args__ = (
        Index("uq_dns_changes_round", "round", "number", unique=True),
        Index("ix_dns_changes_result", "connection_id", "result"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    round: Mapped[str] = mapped_column(String(16))
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    connection_id: Mapped[int]
    zone: Mapped[str] = mapped_column(String(255))
    fqdn: Mapped[str] = mapped_column(String(255), index=True)
    type: Mapped[str] = mapped_column(String(16))
    kind: Mapped[Kind] = mapped_column(Choice(Kind))
    record_id: Mapped[str | None] = mapped_column(String(128))
    before: Mapped[Facts | None] = mapped_column(JSON)
    after: Mapped[Facts | None] = mapped_column(JSON)
    why: Mapped[str] = mapped_column(String(200))
    by: Mapped[str] = mapped_column(String(100))
    consumer_type: Mapped[ConsumerType | None] = mapped_column(Choice(ConsumerType))
    consumer_id: Mapped[int | None]
    result: Mapped[Result] = mapped_column(Choice(Result))
    error: Mapped[str | None] = mapped_column(String(500))


@dataclass(frozen=True)
class Cause:
    """Who is behind a row's wish, and for which consumer."""

    consumer_type: ConsumerType
    consumer_id: int
    asked_by: str
    asked_for: str


@dataclass(frozen=True)
class Entries:
    """The entries of one round, by the change each is about."""

    zone: str
    round: str
    numbers: Mapping[int, int]

    def end(self, session: Session, done: Iterable[Outcome], at: datetime) -> None:
        """Write down what came of these changes; thousands may be refused together, as by a zone that is full."""
        fine: list[int] = []
        refused: list[Change] = []
        said = defaultdict[str, list[int]](list)
        for outcome in done:
            number = self.numbers[id(outcome.change)]
            if outcome.error is not None:
                refused.append(outcome.change)
                said[outcome.error.message[:500]].append(number)
                continue
            fine.append(number)
            asked, live = _record(outcome.change), outcome.live
            if live is not None and isinstance(asked, Record) and not live.is_like(asked):
                self._set(session, [number], after=facts(live))
        self._set(session, fine, result=Result.DONE, ended_at=at)
        self._forget(session, refused)
        for error, numbers in said.items():
            self._set(session, numbers, result=Result.REFUSED, ended_at=at, error=error)

    def _forget(self, session: Session, refused: Iterable[Change]) -> None:
        """The latest refusal stands for those of the same before it: what is refused is tried again and again."""
        alike = defaultdict[tuple[Kind, str], list[str]](list)
        for change in refused:
            record = _record(change)
            alike[_kind(change), str(record.type)].append(record.name)
        for (kind, type_), names in alike.items():
            earlier = (RecordChange.zone == self.zone) & (RecordChange.result == Result.REFUSED)
            earlier &= (RecordChange.kind == kind) & (RecordChange.type == type_)
            for some in in_chunks(names):
                session.execute(delete(RecordChange).where(earlier, RecordChange.fqdn.in_(some)))

    def _set(self, session: Session, numbers: Sequence[int], **values: Any) -> None:
        for some in in_chunks(numbers):
            entries = (RecordChange.round == self.round) & RecordChange.number.in_(some)
            session.execute(update(RecordChange).where(entries).values(**values))


@contextmanager
def writing(
    connection_id: int,
    zone: str,
    changes: Sequence[Change],
    causes: Mapping[int, Cause],
    by: str,
    clock: Callable[[], datetime],
) -> Iterator[Entries]:
    """Write down what the block is about to ask for; `by` has approved it as a whole.

    Where the block ends early, what has no answer yet says why it is not known.
    """
    numbers = {id(change): number for number, change in enumerate(changes)}
    entries = Entries(zone, secrets.token_hex(8), numbers)
    at = clock()
    common = {"round": entries.round, "at": at, "connection_id": connection_id, "zone": zone}
    values = [
        {**common, "number": number, "result": Result.UNDER_WAY}
        | _entry(change, causes.get(change.row or 0), by)
        for number, change in enumerate(changes)
    ]
    with transaction() as session:
        session.execute(delete(RecordChange).where(RecordChange.at < at - KEPT_FOR))
        session.connection().execute(insert(table(RecordChange)), values)
    try:
        yield entries
    except ProviderError as error:
        waiting = (RecordChange.round == entries.round) & (RecordChange.result == Result.UNDER_WAY)
        with transaction() as session:
            session.execute(update(RecordChange).where(waiting).values(error=error.message[:500]))
        raise


def _entry(change: Change, cause: Cause | None, by: str) -> Facts:
    record = _record(change)
    old = None if isinstance(change, Create) else change.live
    why = [cause.asked_for] if cause and cause.asked_for else []
    if isinstance(change, Update):
        why.append(", ".join(change.why))
    elif isinstance(change, Delete) and not why:
        why.append(change.why)
    return {
        "fqdn": record.name,
        "type": str(record.type),
        "kind": _kind(change),
        "record_id": old.id if old else None,
        "before": facts(old) if old else None,
        "after": None if isinstance(change, Delete) else facts(change.record),
        "why": ": ".join(why)[:200],
        "by": by or (cause.asked_by if cause else ""),
        "consumer_type": cause.consumer_type if cause else None,
        "consumer_id": cause.consumer_id if cause else None,
    }


def _record(change: Change) -> Record | LiveRecord:
    """What the change is about: the record that will be, or was."""
    return change.live if isinstance(change, Delete) else change.record


def _kind(change: Change) -> Kind:
    return {Create: Kind.CREATE, Update: Kind.UPDATE, Delete: Kind.DELETE}[type(change)]


def facts(record: Record | LiveRecord) -> Facts:
    """What a record says, as plain data."""
    return {
        "type": str(record.type),
        "content": record.content,
        "ttl": record.ttl,
        "proxied": record.proxied,
    }


def confirm(connection_id: int, zone: str, live: Sequence[LiveRecord], owner: str, at: datetime) -> None:
    """Find out from a complete listing what became of changes whose answer was lost.

    What was not made is not history, and is forgotten; it is asked for again where it is still wanted.
    """
    here = (RecordChange.connection_id == connection_id) & (RecordChange.zone == zone)
    waiting = here & (RecordChange.result == Result.UNDER_WAY)
    with reading() as session:
        if session.scalar(select(RecordChange.id).where(waiting).limit(1)) is None:
            return
    ours = {record.id: record for record in live if record.mark == owner}
    there = {(r.name, str(r.type), normal_content(r.type, r.content)) for r in ours.values()}
    every = {record.id for record in live}

    def is_made(entry: RecordChange) -> bool:
        if entry.kind is Kind.DELETE:
            return entry.record_id not in every
        if entry.kind is Kind.CREATE:
            return (entry.fqdn, entry.type, (entry.after or {})["content"]) in there
        known = ours.get(entry.record_id or "")
        return known is not None and facts(known) == entry.after

    with transaction() as session:
        for entry in session.scalars(select(RecordChange).where(waiting)):
            if is_made(entry):
                entry.result, entry.ended_at, entry.error = Result.DONE, at, None
            else:
                session.delete(entry)
