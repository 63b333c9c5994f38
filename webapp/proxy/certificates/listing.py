"""What the certificates page shows: what NPM has, for whom, how long it lasts, and the requests under way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.proxy.certificates import expiry, service
from webapp.proxy.certificates.expiry import Urgency
from webapp.proxy.certificates.models import TRIES, CertificateRequest, Phase
from webapp.proxy.models import ProxyHost

STEPS: Sequence[tuple[Phase, str]] = (
    (Phase.WAITING, "Record"),
    (Phase.REQUESTING, "Certificate"),
    (Phase.ATTACHING, "Host"),
)


@dataclass(frozen=True)
class Line:
    """One certificate of NPM."""

    id: int
    name: str
    domains: Sequence[str]
    automatic: bool
    expires: datetime | None
    urgency: Urgency
    warning: str
    users: Sequence[str]

    def facts(self) -> dict[str, Any]:
        """Plain data, for the command line."""
        return {
            "id": self.id,
            "name": self.name,
            "domains": list(self.domains),
            "provider": "letsencrypt" if self.automatic else "other",
            "expires_on": self.expires,
            "state": str(self.urgency),
            "warning": self.warning,
            "used_by": list(self.users),
        }


def lines(session: Session, at: datetime) -> list[Line]:
    """Every certificate as last read, the one that runs out first on top; two queries."""
    users = _users(session)
    found = [line_of(facts, users.get(facts["id"], []), at) for facts in service.certificates(session)]
    return sorted(found, key=lambda line: (line.expires or at, line.id))


def line_of(facts: Mapping[str, Any], users: Sequence[str], at: datetime) -> Line:
    """One of them."""
    return Line(
        id=facts["id"],
        name=facts["name"],
        domains=facts["domains"],
        automatic=expiry.is_automatic(facts),
        expires=expiry.expires(facts),
        urgency=expiry.urgency(facts, at),
        warning=expiry.warning(facts, at),
        users=users,
    )


def by_id(session: Session, at: datetime) -> dict[int, Line]:
    """The same without their users, for pages about those."""
    return {facts["id"]: line_of(facts, (), at) for facts in service.certificates(session)}


def _users(session: Session) -> dict[int, list[str]]:
    query = select(ProxyHost.certificate_id, ProxyHost.fqdn).where(
        ProxyHost.certificate_id > 0, ~ProxyHost.removing
    )
    found: dict[int, list[str]] = {}
    for number, name in session.execute(query.order_by(ProxyHost.fqdn)):
        found.setdefault(number, []).append(name)
    return found


def request_facts(row: CertificateRequest) -> dict[str, Any]:
    """A request in plain data, for the command line."""
    return {
        "id": row.id,
        "names": row.names,
        "challenge": str(row.challenge),
        "renews": row.renews,
        "for": None if row.holder_id is None else f"{row.holder} {row.holder_id}",
        "phase": str(row.phase),
        "certificate_id": row.certificate_id,
        "tries": row.attempts,
        "error": row.error,
        "detail": row.detail,
        "next_try_at": row.next_try_at,
    }


def steps(row: CertificateRequest) -> list[tuple[str, str]]:
    """The way of a request, with what is «done», what is going on «now», and what is «open»."""
    phases = [phase for phase, _ in STEPS]
    here = phases.index(row.phase) if row.phase in phases else 0
    return [
        (label, "done" if number < here else "now" if number == here else "open")
        for number, (_, label) in enumerate(STEPS)
    ]


def progress(row: CertificateRequest) -> str:
    """How far a request is, in one sentence."""
    match row.phase:
        case Phase.WAITING if row.attempts:
            return f"Try {row.attempts} of {TRIES} failed."
        case Phase.WAITING:
            return "Waiting until the record can be seen."
        case Phase.REQUESTING:
            return "Nginx Proxy Manager asks Let's Encrypt. This takes from some seconds to some minutes."
        case Phase.ATTACHING:
            return "The certificate is there, and is put to use."
        case Phase.DONE:
            return "The certificate is there."
    if not row.attempts:
        return "It cannot be asked for as things are."
    return f"Given up after {row.attempts} {'try' if row.attempts == 1 else 'tries'}."
