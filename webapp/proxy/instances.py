"""Proxy hosts of instances: reserved with the name, published by a deploy, taken away with the instance."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from webapp.db import transaction, wake_worker_on_commit
from webapp.dns.models import ConsumerType
from webapp.dns.names import Fqdn
from webapp.proxy.models import OPTIONS, HostOptions, HostStatus, ProxyHost
from webapp.proxy.service import check_free, claim_names, flush


@dataclass(frozen=True)
class Forward:
    """Where a host leads."""

    scheme: str
    host: str
    port: int


def host_of(session: Session, instance_id: int) -> ProxyHost | None:
    """The host of an instance, unless it is being removed."""
    return session.scalar(_hosts().where(ProxyHost.consumer_id == instance_id))


def hosts_of(session: Session, instance_ids: Collection[int]) -> dict[int, ProxyHost]:
    """The hosts of many instances, in one query."""
    found = session.scalars(_hosts().where(ProxyHost.consumer_id.in_(list(instance_ids))))
    return {host.consumer_id or 0: host for host in found}


def reserve(instance_id: int, name: Fqdn, options: HostOptions, *, at: datetime) -> ProxyHost:
    """Keep a name for an instance; one that is published moves there, with its record. Raises Busy."""
    with transaction() as session:
        host = host_of(session, instance_id)
        check_free(session, name, host)
        names = () if host else OPTIONS
        if host is None:
            host = ProxyHost(
                consumer_type=ConsumerType.INSTANCE, consumer_id=instance_id, fqdn=name, created_at=at,
                published=False, forward_host="", forward_port=0,
            )  # fmt: skip
            host.settle(HostStatus.RESERVED, at)
            session.add(host)
        moved = host.fqdn != name
        host.fqdn = name
        flush(session, name)
        apply_options(host, options, names, moved=moved, at=at)
        return host


def apply_options(
    host: ProxyHost, options: HostOptions, names: Iterable[str], *, moved: bool = False, at: datetime
) -> None:
    """Give a host these options of its app; what changes nothing causes no outside call.

    The others may be another choice, accepted for this host alone.
    """
    changed = [name for name in names if getattr(host, name) != getattr(options, name)]
    for name in changed:
        setattr(host, name, getattr(options, name))
    if host.published and (moved or changed):
        host.ask(at)
        claim_names(host, at)
        wake_worker_on_commit()


def point(instance_id: int, forward: Forward, *, at: datetime) -> int:
    """Have the name lead there, published if it was not, and whatever somebody did to the host meanwhile.

    Returns the version of the wish to wait for.
    """
    with transaction() as session:
        host = _get(session, instance_id)
        wish = (True, forward.scheme, forward.host, forward.port)
        before = (host.published, host.forward_scheme, host.forward_host, host.forward_port)
        if before != wish or host.is_astray:
            host.published, host.forward_scheme, host.forward_host, host.forward_port = wish
            host.ask(at)
            wake_worker_on_commit()
        return host.version


def unpublish(instance_id: int, *, at: datetime) -> int:
    """Take the host away and keep the name reserved. Returns the version of the wish to wait for."""
    with transaction() as session:
        host = _get(session, instance_id)
        if host.published:
            host.published, host.forward_host, host.forward_port = False, "", 0
            host.ask(at)
            wake_worker_on_commit()
        return host.version


def withdraw(instance_id: int, *, at: datetime) -> int | None:
    """Give up host and name. Returns the id of the row, which goes when the host is gone; None: it is gone."""
    with transaction() as session:
        query = select(ProxyHost).where(ProxyHost.consumer_type == ConsumerType.INSTANCE)
        query = query.where(ProxyHost.consumer_id == instance_id).order_by(
            ProxyHost.removing, ProxyHost.id.desc()
        )
        host = session.scalars(query).first()
        if host is None:
            return None
        if host.npm_host_id is None and host.status is HostStatus.RESERVED:
            session.delete(host)
            return None
        if not host.removing:
            host.removing = True
            host.ask(at)
            wake_worker_on_commit()
        return host.id


def _get(session: Session, instance_id: int) -> ProxyHost:
    return session.scalars(_hosts().where(ProxyHost.consumer_id == instance_id)).one()


def _hosts() -> Select[ProxyHost]:
    return select(ProxyHost).where(ProxyHost.consumer_type == ConsumerType.INSTANCE, ~ProxyHost.removing)
