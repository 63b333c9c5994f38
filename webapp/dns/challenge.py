"""What a DNS challenge needs: the zone that holds the names, and the token that may change it."""

import json
from collections.abc import Iterable

from sqlalchemy.orm import Session

from webapp import vault
from webapp.db import reading
from webapp.dns import ledger
from webapp.dns.connections import Connection
from webapp.dns.models import DnsRecord, Status
from webapp.errors import InvalidInput

PROVIDER = "cloudflare"


def connected(session: Session, names: Iterable[str]) -> Connection:
    """The zone in use, when a DNS challenge can be made there for these names. Raises InvalidInput with why not."""
    connection = ledger.active_connection(session)
    if connection is None or connection.provider != PROVIDER:
        raise InvalidInput(
            "The DNS challenge needs records kept at Cloudflare. Connect a zone in the settings first."
        )
    for name in names:
        if problem := ledger.outside(connection, name.removeprefix("*.")):
            raise InvalidInput(problem)
    return connection


def zone_name(session: Session) -> str:
    """The zone in which DNS challenges can be made; empty without one."""
    connection = ledger.active_connection(session)
    return connection.zone_name if connection is not None and connection.provider == PROVIDER else ""


def token(names: Iterable[str]) -> str:
    """The saved Cloudflare token, which may change the zone of these names.

    Raises InvalidInput where there is none, and KeyLost.
    """
    with reading() as session:
        sealed = connected(session, names).credentials_sealed
    return str(json.loads(vault.unseal(sealed)).get("token", ""))


def unready(session: Session, names: Iterable[str]) -> str | None:
    """Why our own records of these names cannot be seen yet; None where they are there, or are not ours to make."""
    for row in ledger.by_fqdn(session, names):
        if row.wanted and row.status not in (Status.SYNCED, Status.COVERED):
            return f"The record of {row.fqdn} is not there yet: {_state(row)}"
    return None


def _state(row: DnsRecord) -> str:
    return row.error or f"{row.status}."
