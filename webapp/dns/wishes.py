"""Reads from the database what a round needs to know: the wishes of one zone, and who is behind them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from webapp.db import reading
from webapp.dns import ledger
from webapp.dns.changes import Wish
from webapp.dns.claimed import ClaimRow
from webapp.dns.connections import Connection
from webapp.dns.desired import Policy
from webapp.dns.journal import Cause
from webapp.dns.records import Usage, Zone


@dataclass(frozen=True)
class Reading:
    """What a round needs to know from the database.

    `delete`: the policy allows to delete what nothing uses. `leaving`: the zone is being left, which somebody
    has confirmed. `misplaced` rows are not part of the round: their names belong into another zone. `usage` is
    how full the zone was when that was looked at last.
    """

    connection_id: int
    zone: Zone
    owner: str
    wishes: tuple[Wish, ...]
    delete: bool
    leaving: bool
    misplaced: Mapping[int, str]
    usage: Usage | None
    causes: Mapping[int, Cause]


def read(connection_id: int) -> Reading:
    """The wishes of a connection. Raises NotFound when it was abandoned."""
    with reading() as session:
        connection = ledger.connection(session, connection_id)
        settings = ledger.settings(session)
        defaults = settings.defaults
        waiting = ledger.unsettled_names(session, connection_id)
        rows = ledger.claims(session, connection_id)
        misplaced = _misplaced(connection, rows)
        return Reading(
            connection_id,
            connection.zone,
            settings.install_id,
            wishes=tuple(
                row.wish(defaults, held=not row.wanted and row.fqdn in waiting)
                for row in rows
                if row.id not in misplaced
            ),
            delete=settings.policy is Policy.FULL,
            leaving=not connection.active,
            misplaced=misplaced,
            usage=None if connection.used is None else Usage(connection.used, connection.allowed),
            causes={row.id: _cause(row) for row in rows},
        )


def _cause(row: ClaimRow) -> Cause:
    return Cause(row.consumer_type, row.consumer_id, row.asked_by, row.asked_for)


def _misplaced(connection: Connection, rows: Iterable[ClaimRow]) -> dict[int, str]:
    """Rows without a record yet whose name the zone cannot hold: a longer zone may have come into sight."""
    news = (row for row in rows if row.wanted and row.provider_record_id is None)
    return {row.id: problem for row in news if (problem := ledger.outside(connection, row.fqdn))}
