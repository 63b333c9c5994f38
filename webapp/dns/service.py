"""What people do on the DNS page: check, apply, retry, answer a conflict, abandon an old zone."""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete

from webapp import vault
from webapp.actor import actor
from webapp.db import reading, transaction, wake_worker_on_commit
from webapp.dns import ledger, providers
from webapp.dns.changes import Answer
from webapp.dns.models import DnsRecord, Status
from webapp.dns.providers.base import Finding
from webapp.dns.records import Zone
from webapp.errors import Busy, InvalidInput, NotFound


def request_check(*, at: datetime) -> None:
    """Have the worker list the provider and make a plan to look at. Raises NotFound in wildcard mode."""
    with transaction() as session:
        connection = ledger.active_connection(session)
        if connection is None:
            raise NotFound("The wildcard is in use, so there is no provider to check.")
        connection.review_state, connection.review, connection.approved_hash = "requested", None, None
        connection.blocked, connection.next_try_at = False, None
        wake_worker_on_commit()


def request_apply(plan_hash: str) -> None:
    """Have the worker carry out the plan that is shown. Raises Busy when another plan is shown by now."""
    with transaction() as session:
        connection = ledger.active_connection(session)
        plan = connection.review if connection else None
        if connection is None or plan is None or plan["hash"] != plan_hash:
            raise Busy("This plan is no longer the current one. Check again, then apply the new plan.")
        connection.review_state, connection.approved_hash = "apply", plan_hash
        connection.approved_by = actor()
        wake_worker_on_commit()


def dismiss_review() -> None:
    """Put the shown plan away without applying it."""
    with transaction() as session:
        connection = ledger.active_connection(session)
        if connection is not None and connection.review_state not in {"requested", "apply"}:
            connection.review_state = connection.review = None


def retry(record_id: int, *, at: datetime) -> DnsRecord:
    """Try this row again now. Raises NotFound."""
    with transaction() as session:
        row = ledger.record(session, record_id)
        if row.connection is not None:
            row.ask(at, approved=row.approved, why="tried again")
            row.connection.next_try_at = None
            wake_worker_on_commit()
        return row


def answer(record_id: int, decision: Answer, seen: str, *, at: datetime) -> DnsRecord:
    """Decide a conflict as it was shown (`seen` is its fingerprint). Raises Busy when it looks different now."""
    with transaction() as session:
        row = ledger.record(session, record_id)
        if row.status is not Status.CONFLICT or row.answered != seen:
            raise Busy("This conflict looks different now. Look at it again, then decide.")
        if decision is not Answer.LEAVE:
            _check_can_go(row, decision)
        row.answer = decision
        if decision is not Answer.LEAVE:
            row.ask(at, approved=True, why=f"conflict: {decision}")
            wake_worker_on_commit()
        return row


def _check_can_go(row: DnsRecord, decision: Answer) -> None:
    """Raise InvalidInput where nothing but «leave» is possible."""
    there = row.seen or []
    if any(live["read_only"] for live in there):
        raise InvalidInput("The provider keeps this record itself, so it can only be left as it is.")
    if decision is Answer.ADOPT and not row.is_adoptable:
        raise InvalidInput(
            f"Only a single {row.type} record could be adopted here. Replace what is there, or leave it."
        )


def abandon(connection_id: int) -> str:
    """Forget an old zone: its records stay where they are, its credentials are deleted. Returns its name."""
    with transaction() as session:
        connection = ledger.connection(session, connection_id)
        if connection.active:
            raise Busy("This zone is in use. Choose another zone, or the wildcard, in the settings first.")
        session.execute(delete(DnsRecord).where(DnsRecord.connection_id == connection_id))
        session.delete(connection)
        return connection.zone_name


def saved_credentials(provider: str) -> Mapping[str, str] | None:
    """The credentials in use for a provider; None when none are saved. Raises KeyLost."""
    with reading() as session:
        connection = ledger.saved_connection(session, provider)
        if connection is None:
            return None
        credentials: Mapping[str, str] = json.loads(vault.unseal(connection.credentials_sealed))
        return credentials


def list_zones(provider: str, credentials: Mapping[str, str], *, api_url: str) -> list[Zone]:
    """Zones for the selector. Raises ProviderError with what is wrong."""
    return providers.make(provider, credentials, _owner(), api_url=api_url).list_zones()


def test(provider: str, credentials: Mapping[str, str], zone: Zone | None, *, api_url: str) -> list[Finding]:
    """Prove each permission needed, changing nothing."""
    return providers.make(provider, credentials, _owner(), api_url=api_url).probe(zone)


def _owner() -> str:
    with reading() as session:
        settings = ledger.settings_or_none(session)
        return settings.install_id if settings else ""
