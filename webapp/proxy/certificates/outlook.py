"""What a request waits for, and what Nginx Proxy Manager's lists say about it. Pure."""

from collections.abc import Sequence
from datetime import datetime

from webapp.proxy.certificates.client import is_automatic
from webapp.proxy.certificates.models import CertificateRequest, Phase
from webapp.proxy.npm_certificate import Certificate
from webapp.proxy.npm_wire import Host


def is_due(row: CertificateRequest, at: datetime) -> bool:
    """Whether there is something to do about it now; hosts that are out of service wait for nothing."""
    if row.disturbed and row.asked_at is None:
        return True
    return row.next_try_at is not None and row.next_try_at <= at


def needs_npm(row: CertificateRequest) -> bool:
    """Whether the next thing to do is done at NPM."""
    return row.in_flight or (row.phase is Phase.REQUESTING and not row.dropped)


def touching(hosts: Sequence[Host], names: Sequence[str]) -> list[Host]:
    """The hosts that NPM takes out of service to ask for these names: those that have exactly one of them."""
    return [host for host in hosts if set(host.domains) & set(names)]


def renewed(row: CertificateRequest, certificates: Sequence[Certificate]) -> Certificate | None:
    """The certificate, if it lasts longer than before."""
    text = (row.before or {}).get("expires_on")
    before = datetime.fromisoformat(text) if text else None
    mine = (c for c in certificates if c.id == row.renews and is_automatic(c))
    return next((c for c in mine if c.expires_on and (before is None or c.expires_on > before)), None)


def foreign(host: Host) -> str:
    """Why a host that was made by hand stands in the way."""
    return (
        f"{host.domains[0]} is served by host {host.id} in Nginx Proxy Manager, which was not made here. To ask for "
        "a certificate, Nginx Proxy Manager would take that host out of service and forget its password until "
        "somebody saves it again. Ask there, or for a wildcard certificate."
    )
