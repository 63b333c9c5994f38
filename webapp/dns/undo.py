"""Puts a change of the history back: makes the reverse wish, which the next round plans and carries out."""

from datetime import datetime

from sqlalchemy.orm import Session

from webapp.db import reading, transaction, wake_worker_on_commit
from webapp.dns import ledger
from webapp.dns.claimed import NO_RECORD
from webapp.dns.claims import one_holder
from webapp.dns.connections import Connection
from webapp.dns.desired import Policy
from webapp.dns.journal import Facts, Kind, RecordChange, Result, facts
from webapp.dns.models import ConsumerType, DnsRecord
from webapp.dns.names import readable
from webapp.dns.records import RecordType, excludes
from webapp.errors import Busy, ForgeError, InvalidInput, NotFound


def entry(change_id: int) -> RecordChange:
    """The entry with that id. Raises NotFound."""
    with reading() as session:
        return _entry(session, change_id)


def problem(change_id: int) -> str | None:
    """Why the change cannot be put back; None when it can."""
    with reading() as session:
        change = _entry(session, change_id)
        try:
            _check(session, change)
        except ForgeError as error:
            return error.message
    return None


def present(change_id: int) -> Facts | None:
    """What the record is now, as far as is known: other changes may have followed. None where there is none."""
    with reading() as session:
        change = _entry(session, change_id)
        rows = [row for row in _in_force(session, change.fqdn) if row.type == change.type]
        return next((facts(row.written) for row in rows if row.written), None)


def undo(change_id: int, *, at: datetime) -> RecordChange:
    """Have the record be again what it was before this change. Raises Busy or InvalidInput where it cannot be.

    ======== ============================= ===========================================
    change   claim on the name now         wish
    ======== ============================= ===========================================
    create   of a person                   released
    create   of a proxy or an instance     the claim stays, without a record
    update   the same                      pinned to what it was before
    delete   none                          a claim of a person, pinned to what it was
    delete   the same, without a record    the record again
    ======== ============================= ===========================================

    A pin counts until the settings or the consumer wish for something else.
    """
    with transaction() as session:
        change = _entry(session, change_id)
        connection, row = _check(session, change)
        why = f"undo of change {change.id}"
        row = row or _claim_again(session, change, connection, at)
        if change.kind is Kind.CREATE and row.consumer_type is ConsumerType.PERSON:
            row.release(at, approved=True, why=why)
        else:
            row.pin = NO_RECORD if change.kind is Kind.CREATE else _pin(session, row, change)
            row.ask(at, approved=True, why=why)
        connection.next_try_at = None
        wake_worker_on_commit()
        return change


def unpin(record_id: int, *, shown: str | None = None, at: datetime) -> DnsRecord:
    """Have a record follow the settings again. Raises NotFound.

    `shown` is the name that a page had for it: databases give out ids again, and another record stays as it is.
    """
    with transaction() as session:
        row = ledger.record(session, record_id)
        if shown is not None and row.fqdn != shown:
            raise NotFound(ledger.NOT_LISTED)
        if row.consumer_type is ConsumerType.PERSON and row.wanted:
            row.release(at, approved=True)
        elif row.pin is not None:
            row.pin = None
            row.ask(at, approved=True, why="follows the settings again")
        wake_worker_on_commit()
        return row


def _entry(session: Session, change_id: int) -> RecordChange:
    found = session.get(RecordChange, change_id)
    if found is None:
        raise NotFound("This change is not in the history any more.")
    return found


def _check(session: Session, change: RecordChange) -> tuple[Connection, DnsRecord | None]:
    """The zone and the claim that the change is about. Raises where it cannot be put back."""
    connection = ledger.active_connection(session)
    if change.result is not Result.DONE:
        raise InvalidInput("Only what was done at the provider can be put back.")
    if connection is None or connection.zone_name != change.zone:
        raise Busy(f"Records are not kept in {change.zone} any more, so nothing can be put back there.")
    rows = _in_force(session, change.fqdn)
    row = next((r for r in rows if r.type == change.type and r.connection is connection), None)
    {Kind.CREATE: _check_create, Kind.UPDATE: _check_update, Kind.DELETE: _check_delete}[change.kind](
        session, change, row
    )
    return connection, row


def _check_create(session: Session, change: RecordChange, row: DnsRecord | None) -> None:
    if row is None or row.is_absent:
        raise Busy(f"The record of {change.fqdn} is gone already.")
    if ledger.settings(session).policy is Policy.KEEP:
        raise InvalidInput("The settings say that records are never deleted, so this one stays.")


def _check_update(_session: Session, change: RecordChange, row: DnsRecord | None) -> None:
    before = change.before or {}
    if row is None:
        raise Busy(f"Nothing uses {change.fqdn} any more, so its record cannot be changed back.")
    if before.get("type") != change.type:
        raise InvalidInput(
            "The record was of another type before. Change what records point at in the settings."
        )
    if before == change.after:
        raise InvalidInput("Only our mark was put back; the record itself was not changed.")


def _check_delete(session: Session, change: RecordChange, row: DnsRecord | None) -> None:
    if change.type not in set(RecordType):
        raise InvalidInput(f"Tiny Forge does not make {change.type} records. Make it at the provider.")
    if row is not None and not row.is_absent:
        raise Busy(f"{change.fqdn} has a record again.")
    if row is None:
        _check_room(session, change)


def _check_room(session: Session, change: RecordChange) -> None:
    """Raise Busy where the name is somebody else's, or has another record that this one cannot stand beside."""
    for row in _in_force(session, change.fqdn):
        if row.consumer_type is not ConsumerType.PERSON:
            raise Busy(f"{readable(change.fqdn)} is in use by {ledger.holder(row.consumer_type)}.")
        if excludes(row.type, change.type):
            raise Busy(
                f"{readable(change.fqdn)} has a {row.type} record that was put back by hand, and one of type "
                f"{change.type} cannot stand beside it. Let go of it on the DNS page first."
            )


def _in_force(session: Session, name: str) -> list[DnsRecord]:
    return [row for row in ledger.by_fqdn(session, [name]) if row.wanted]


def _claim_again(session: Session, change: RecordChange, connection: Connection, at: datetime) -> DnsRecord:
    """A claim by whoever undoes the deletion: the consumer that had the name may be gone.

    A name has one consumer, so whoever keeps a record of another type there keeps this one, too.
    """
    keeper = next((row.consumer_id for row in _in_force(session, change.fqdn)), change.id)
    row = DnsRecord(
        fqdn=change.fqdn, type=RecordType(change.type), connection=connection, created_at=at, updated_at=at,
        consumer_type=ConsumerType.PERSON, consumer_id=keeper, wanted=True,
    )  # fmt: skip
    with one_holder(session):
        session.add(row)
    return row


def _pin(session: Session, row: DnsRecord, change: RecordChange) -> dict[str, object] | None:
    """What the record was before; nothing where that is what the settings say."""
    before = change.before or {}
    follows = row.consumer_type is not ConsumerType.PERSON
    settings = ledger.settings(session).defaults
    if follows and facts(settings.record(row.fqdn, row.type, row.overrides)) == before:
        return None
    return {key: before[key] for key in ("content", "ttl", "proxied")}
