"""Answers to hosts that somebody changed or deleted in Nginx Proxy Manager: restore ours, or accept theirs."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.db import transaction, wake_worker_on_commit
from webapp.dns.models import ConsumerType
from webapp.errors import Busy, InvalidInput, NotFound, Stale
from webapp.proxy import service
from webapp.proxy.facts import DECIDED_HERE, Facts, as_wish
from webapp.proxy.models import ASTRAY, HostStatus, ProxyHost

CHANGED_SINCE = "It was changed again since this was shown. Look at it as it is now, and decide again."


def stamp(seen: Facts | None) -> str:
    """What a form says it has shown, so that nothing else is agreed to."""
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:16]


def astray(session: Session) -> Sequence[ProxyHost]:
    """Every host that is not as it was left, those of instances too."""
    query = select(ProxyHost).where(ProxyHost.status.in_(ASTRAY), ~ProxyHost.removing)
    return session.scalars(query.order_by(ProxyHost.fqdn)).all()


def missing(session: Session) -> int:
    """How many hosts were deleted over there, those of instances too."""
    query = select(func.count()).select_from(ProxyHost)
    return session.scalar(query.where(ProxyHost.status == HostStatus.MISSING, ~ProxyHost.removing)) or 0


def by_name(session: Session, name: str) -> ProxyHost:
    """The host with that name, whoever it serves. Raises NotFound."""
    host = session.scalar(select(ProxyHost).where(ProxyHost.fqdn == name, ~ProxyHost.removing))
    if host is None:
        raise NotFound(f"There is no proxy called {name}.")
    return host


def restore(host_id: int, *, shown: str | None = None, at: datetime) -> ProxyHost:
    """Have ours written again. Raises NotFound, Busy where nothing is astray, Stale for a page out of date."""
    with transaction() as session:
        host = _astray(session, host_id, shown)
        _restore(host, at)
        return host


def restore_all(*, missing_only: bool = False, at: datetime) -> int:
    """Have ours written again everywhere, or only what was deleted; returns for how many hosts."""
    with transaction() as session:
        found = [host for host in astray(session) if host.seen is None or not missing_only]
        for host in found:
            _restore(host, at)
        return len(found)


def accept(host_id: int, *, shown: str | None = None, at: datetime) -> ProxyHost:
    """Take what stands there as what is wanted; where it was deleted, the proxy goes.

    Raises as `restore`, and Busy for what cannot be kept here or a name that somebody else has.
    """
    try:
        with transaction() as session:
            host = _astray(session, host_id, shown)
            refusal = why_not(host, certificate_ids(session))
            if refusal:
                raise Busy(refusal)
            if host.seen is None:
                return service.remove(host.id, at=at)
            _take_over(session, host, host.seen, at)
            return host
    except InvalidInput as error:
        raise Busy(error.message) from error


def _take_over(session: Session, host: ProxyHost, seen: Facts, at: datetime) -> None:
    """Have the row want what was seen; the claim moves along."""
    theirs, before = as_wish(seen), host.fqdn
    service.check_free(session, theirs["fqdn"], host, but=seen["id"])
    for name, value in theirs.items():
        setattr(host, name, value)
    host.agree(seen, at)
    service.flush(session, host.fqdn)
    if host.fqdn != before:
        service.claim_names(host, at)
    wake_worker_on_commit()


def why_not(host: ProxyHost, certificates: set[int]) -> str | None:
    """Why what stands there cannot be accepted, in a sentence; None where it can."""
    instance = host.consumer_type is ConsumerType.INSTANCE
    if host.seen is None:
        return "An instance needs its host: restore it, or remove the instance." if instance else None
    decided = [label for label, *_ in host.seen["differences"] if label in DECIDED_HERE]
    if instance and decided:
        return (
            f"What an instance is called, where it leads and that it is on is decided by its deploys, so this "
            f"cannot be accepted: {', '.join(decided)}. Restore it."
        )
    return unfit(host.seen, certificates)


def unfit(facts: Facts, certificates: set[int]) -> str | None:
    """Why the panel cannot keep such a host, in a sentence; None where it can."""
    try:
        wish = as_wish(facts)
    except InvalidInput as error:
        return error.message
    if wish["certificate_id"] and wish["certificate_id"] not in certificates:
        return (
            f"Its certificate {wish['certificate_id']} is not there any more. Choose another one there first."
        )
    return None


def certificate_ids(session: Session) -> set[int]:
    """The certificates that are there, as last read."""
    settings = service.npm_settings_or_none(session)
    return {one["id"] for one in settings.certificates} if settings else set()


def answers(session: Session, hosts: Sequence[ProxyHost]) -> dict[int, dict[str, Any]]:
    """For each host that is astray what its page needs: the stamp of what it shows, and why theirs cannot be had."""
    known = certificate_ids(session) if any(host.is_astray for host in hosts) else set()
    return {
        host.id: {
            "shown": stamp(host.seen),
            "differences": host.seen["differences"] if host.seen else [],
            "why_not": why_not(host, known),
        }
        for host in hosts
        if host.is_astray
    }


def _astray(session: Session, host_id: int, shown: str | None) -> ProxyHost:
    host = session.get(ProxyHost, host_id) if host_id <= service.MOST_ID else None
    if host is None or host.removing:
        raise NotFound("There is no such proxy. It may have been removed.")
    if not host.is_astray:
        raise Busy(f"{host.fqdn} is not waiting for such an answer (any more).")
    if shown is not None and shown != stamp(host.seen):
        raise Stale(CHANGED_SINCE)
    return host


def _restore(host: ProxyHost, at: datetime) -> None:
    if host.status is HostStatus.DRIFTED and host.seen is not None:
        host.agree(host.seen, at)
    else:
        host.ask(at)
    wake_worker_on_commit()
