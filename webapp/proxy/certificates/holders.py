"""What certificates are put to use at: the names it has, what it had before, and whether nginx took the new one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from webapp.db import wake_worker_on_commit
from webapp.proxy.models import HostStatus, ProxyHost

FLAGS = ("ssl_forced", "http2_support", "hsts_enabled", "hsts_subdomains")
"""What is chosen along with a certificate."""


class Keeper(Protocol):
    """Knows one kind of holder, by its id."""

    def names(self, session: Session, holder_id: int) -> Sequence[str] | None:
        """The names that it answers to; None when it is gone, or about to go."""

    def encryption(self, session: Session, holder_id: int) -> dict[str, Any]:
        """Its certificate and flags as they are."""

    def encrypt(self, session: Session, holder_id: int, encryption: Mapping[str, Any], at: datetime) -> None:
        """Give it this certificate and these flags."""

    def hosts(self, session: Session, holder_id: int) -> Sequence[ProxyHost]:
        """Its hosts, whose status says what became of that."""


class Proxies:
    """Standalone proxies."""

    def names(self, session: Session, holder_id: int) -> Sequence[str] | None:
        """Its one name."""
        host = session.get(ProxyHost, holder_id)
        return None if host is None or host.removing else (host.fqdn,)

    def encryption(self, session: Session, holder_id: int) -> dict[str, Any]:
        """As in its row."""
        return encryption_of(session.get_one(ProxyHost, holder_id))

    def encrypt(self, session: Session, holder_id: int, encryption: Mapping[str, Any], at: datetime) -> None:
        """A changed wish, which the publisher makes true."""
        host = session.get_one(ProxyHost, holder_id)
        if encryption_of(host) != dict(encryption):
            for name, value in encryption.items():
                setattr(host, name, value)
            host.ask(at)
            wake_worker_on_commit()

    def hosts(self, session: Session, holder_id: int) -> Sequence[ProxyHost]:
        """Itself."""
        return (session.get_one(ProxyHost, holder_id),)


def encryption_of(chosen: Any) -> dict[str, Any]:
    """Certificate and flags of a host or an app."""
    return {"certificate_id": chosen.certificate_id} | {name: getattr(chosen, name) for name in FLAGS}


def verdict(hosts: Sequence[ProxyHost]) -> str | None:
    """What nginx says of the hosts: None while that is not known yet, empty when all is well, else its reason."""
    if any(host.status is HostStatus.PENDING for host in hosts):
        return None
    refused = (host.error or "nginx refuses it." for host in hosts if host.status is HostStatus.REJECTED)
    return next(refused, "")
