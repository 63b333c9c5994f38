"""Standalone proxies: create, change, remove. Writes wishes; `publish` makes them true."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.db import only_row, transaction, wake_worker_on_commit
from webapp.dns import claims, ledger
from webapp.dns.models import ConsumerType
from webapp.dns.names import Fqdn, readable
from webapp.errors import Busy, NotFound, Stale
from webapp.proxy.facts import held
from webapp.proxy.models import HostStatus, NpmSettings, ProxyHost

MOST_ID = 2**31 - 1
"""A larger number in an address cannot even be looked up."""

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""What is said to have been read then is read again, and still counts as read before."""

Then = Callable[[ProxyHost], None]  # what else belongs to a change


class HeldOutside(Busy):
    """A host that was made by hand has the name, as far as the list that was last read tells."""


@dataclass(frozen=True)
class ProxyWish:
    """A standalone proxy as somebody wants it, already validated. `dns_ttl` in seconds; None: the defaults."""

    fqdn: Fqdn
    forward_scheme: str
    forward_host: str
    forward_port: int
    certificate_id: int = 0
    ssl_forced: bool = False
    http2_support: bool = False
    hsts_enabled: bool = False
    hsts_subdomains: bool = False
    allow_websocket_upgrade: bool = True
    block_exploits: bool = True
    enabled: bool = True
    use_dns: bool = True
    dns_proxied: bool | None = None
    dns_ttl: int | None = None


def npm_settings(session: Session) -> NpmSettings:
    """The one settings row; made empty where there is none yet."""
    return only_row(session, NpmSettings)


def npm_settings_or_none(session: Session) -> NpmSettings | None:
    """The settings row, if there is one: for looks that must not write."""
    return session.get(NpmSettings, 1)


def create(wish: ProxyWish, *, then: Then = lambda _host: None, at: datetime) -> ProxyHost:
    """Wish for a new proxy and claim its name, all or nothing. Raises Busy for a name in use."""
    with _change() as session:
        check_free(session, wish.fqdn, None)
        host = ProxyHost(consumer_type=ConsumerType.STANDALONE, created_at=at, updated_at=at, **asdict(wish))
        host.ask(at)
        session.add(host)
        flush(session, wish.fqdn)
        claim_names(host, at)
        then(host)
        wake_worker_on_commit()
        return host


def update(
    proxy_id: int,
    wish: ProxyWish,
    *,
    version: int | None = None,
    then: Then = lambda _host: None,
    at: datetime,
) -> ProxyHost:
    """Change a proxy; a new name moves host and record. A wish that changes nothing causes no outside call,
    unless somebody changed the host over there.

    Raises NotFound, and Busy for a name in use or a page that is out of date.
    """
    with _change() as session:
        host = get(session, proxy_id)
        if version is not None and host.version != version:
            raise Stale(
                "This proxy was changed in the meantime. Reload the page and enter your changes again."
            )
        same = asdict(wish) == {name: getattr(host, name) for name in asdict(wish)}
        if same and not host.is_astray:
            then(host)
            return host
        check_free(session, wish.fqdn, host)
        for name, value in asdict(wish).items():
            setattr(host, name, value)
        host.ask(at)
        flush(session, wish.fqdn)
        claim_names(host, at)
        then(host)
        wake_worker_on_commit()
        return host


def switch(proxy_id: int, *, enabled: bool, at: datetime) -> ProxyHost:
    """Turn a proxy on or off; its name stays."""
    with transaction() as session:
        host = get(session, proxy_id)
        if host.enabled != enabled:
            host.enabled = enabled
            host.ask(at)
            wake_worker_on_commit()
        return host


def remove(proxy_id: int, *, at: datetime) -> ProxyHost:
    """Give up host and name; the row goes when Nginx Proxy Manager has let go of the host."""
    with transaction() as session:
        host = get(session, proxy_id)
        host.removing = True
        host.ask(at)
        claims.release(host.consumer, at=at)
        wake_worker_on_commit()
        return host


def retry(proxy_id: int, *, at: datetime) -> ProxyHost:
    """Try again now."""
    with transaction() as session:
        host = _any(session, proxy_id)
        host.ask(at)
        npm_settings(session).next_try_at = None
        wake_worker_on_commit()
        return host


def publish_again(session: Session, *, moved: bool, at: datetime) -> None:
    """The way to Nginx Proxy Manager changed: try what waits, and everything where it moved.

    Hosts at the old address cannot be reached any more and stay there.
    """
    for host in session.scalars(select(ProxyHost).where(ProxyHost.status != HostStatus.RESERVED)):
        if moved:
            host.npm_host_id = None
        if moved or host.status is HostStatus.FAILED or host.next_try_at is not None:
            host.ask(at)


def get(session: Session, proxy_id: int) -> ProxyHost:
    """The standalone proxy with that id. Raises NotFound, also for one that is being removed."""
    host = _any(session, proxy_id)
    if host.removing:
        raise NotFound("This proxy is being removed.")
    return host


def _any(session: Session, proxy_id: int) -> ProxyHost:
    host = session.get(ProxyHost, proxy_id) if proxy_id <= MOST_ID else None
    if host is None or host.consumer_type is not ConsumerType.STANDALONE:
        raise NotFound("There is no such proxy. It may have been removed.")
    return host


def by_name(session: Session, name: str) -> ProxyHost:
    """The standalone proxy with that name. Raises NotFound."""
    query = select(ProxyHost).where(ProxyHost.fqdn == name, ~ProxyHost.removing)
    host = session.scalar(query)
    if host is None:
        raise NotFound(f"There is no proxy called {name}.")
    return get(session, host.id)


def unsettled(session: Session) -> int:
    """How many hosts are not as wished yet."""
    query = select(func.count()).select_from(ProxyHost)
    fine = (
        ProxyHost.status.in_([HostStatus.ONLINE, HostStatus.OFF, HostStatus.RESERVED]) & ~ProxyHost.removing
    )
    return session.scalar(query.where(~fine)) or 0


@contextmanager
def _change() -> Iterator[Session]:
    """A transaction; when it fails on a list of hosts that may be old, that list is read again for the next try."""
    try:
        with transaction() as session:
            yield session
    except HeldOutside:
        with transaction() as session:
            settings = npm_settings(session)
            settings.read_at = settings.read_at and LONG_AGO
            wake_worker_on_commit()
        raise


def claim_names(host: ProxyHost, at: datetime) -> None:
    """Claim the host's name for its consumer, or no name where it is not to have a record."""
    names = [Fqdn(host.fqdn)] if host.use_dns else []
    claims.claim(host.consumer, names, host.overrides, at=at)


def check_free(session: Session, name: str, host: ProxyHost | None, *, but: int | None = None) -> None:
    """Refuse a name that another proxy of ours, or a host made by hand, has; `but` is the host to be taken over."""
    mine = host.id if host else None
    query = select(ProxyHost).where(ProxyHost.fqdn == name, ~ProxyHost.removing)
    for other in session.scalars(query):
        if other.id != mine:
            raise Busy(
                f"{readable(name)} is in use by {ledger.holder(other.consumer_type)}. Choose another name."
            )
    for seen in npm_settings(session).hosts:
        if name in seen["domains"] and seen["id"] != but and not _is_ours(seen, session):
            raise HeldOutside(held(seen, name))


def _is_ours(seen: dict[str, Any], session: Session) -> bool:
    return bool(seen["install"] == ledger.settings(session).install_id)


def flush(session: Session, name: str) -> None:
    """Let the database have its word. Raises Busy when somebody else took the name in the same moment."""
    try:
        session.flush()
    except IntegrityError as error:
        raise Busy(f"{name} was taken by another proxy a moment ago. Choose another name.") from error
