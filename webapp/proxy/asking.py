"""What publishing has to know of certificates that Nginx Proxy Manager is asking for at the moment."""

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from webapp.proxy.certificates.models import CertificateRequest


@dataclass(frozen=True)
class Asking:
    """`requests` may still need their covers; of hosts with these `names` NPM has a memory, and writes them back."""

    requests: frozenset[int]
    names: frozenset[str]


def asking(session: Session) -> Asking:
    """As it is now."""
    flying = or_(CertificateRequest.asked_at.is_not(None), CertificateRequest.disturbed)
    rows = list(session.scalars(select(CertificateRequest).where(flying)))
    asked = [row for row in rows if row.asked_at is not None and row.renews is None]
    return Asking(
        requests=frozenset(row.id for row in rows),
        names=frozenset(name for row in asked for name in row.names),
    )
