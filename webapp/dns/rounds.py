"""Runs rounds: decides which connection is due, holds its lease, and answers requests for a look or an apply."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from webapp import vault
from webapp.db import now, reading, transaction
from webapp.dns import ledger, providers, reconcile, settle
from webapp.dns.connections import Connection
from webapp.dns.pace import Pace
from webapp.dns.providers.base import Provider
from webapp.dns.reconcile import Approval, Report, never
from webapp.dns.summary import describe
from webapp.dns.wishes import Reading
from webapp.dns.wishes import read as read_wishes
from webapp.errors import Busy, Denied, InvalidInput, KeyLost, NotFound, Outage
from webapp.lease import leased

log = logging.getLogger(__name__)

ZONES_LAST = timedelta(days=1)


@dataclass
class Rounds:
    """Everything a process needs to run rounds; it keeps provider connections open between them.

    Where `stopping` turns true, a round ends before its next change, and what is left stays due.
    """

    holder: str
    api_url: str
    check_every: timedelta
    clock: Callable[[], datetime] = now
    stopping: Callable[[], bool] = lambda: False
    _providers: dict[str, Provider] = field(default_factory=dict)

    def run_due(self) -> None:
        """One pass over all connections: run what is due, and let go of what is finished."""
        for connection_id in self._due():
            if self.stopping():
                return
            try:
                self._attend(connection_id)
            except (Busy, NotFound) as error:  # somebody else is at it, or has let go of it
                log.debug("dns: %s", error.message)
        self.let_go()

    def _due(self) -> list[int]:
        with reading() as session:
            return [c.id for c in ledger.connections(session) if self._is_due(c)]

    def _is_due(self, connection: Connection) -> bool:
        at = self.clock()
        if connection.review_state in {"requested", "apply"}:
            return True
        if connection.next_try_at and connection.next_try_at > at:
            return False
        if connection.next_try_at and not connection.active:
            return True
        with reading() as session:
            if ledger.due(session, connection.id, at):
                return True
        last, regular = connection.checked_at, connection.active and not connection.blocked
        return regular and (last is None or last + self.check_every <= at)

    def _attend(self, connection_id: int) -> None:
        """A look, an approved plan, or the ordinary round."""
        with reading() as session:
            connection = ledger.connection(session, connection_id)
            state, wanted, by = connection.review_state, connection.approved_hash, connection.approved_by
        if state == "requested":
            self.look(connection_id)
        elif state == "apply":
            report = self.sync(connection_id, approve=lambda plan: plan.hash == wanted, expect=wanted, by=by)
            self._reviewed(connection_id, report)
        else:
            self.sync(connection_id)

    def look(self, connection_id: int, *, keep: bool = True) -> tuple[Report, dict[str, object] | None]:
        """List and plan without changing anything; `keep` stores the plan for the page."""
        report, read = self._in_lease(connection_id, lambda reading, provider, _renew: reconcile.look(
            reading, provider, self.clock
        ))  # fmt: skip
        described = describe(report.plan, read.zone, read.wishes) if report.plan and read else None
        if keep:
            with transaction() as session:
                connection = ledger.connection(session, connection_id)
                connection.review_state = "ready" if described else None
                connection.review = described
        return report, described

    def sync(
        self, connection_id: int, *, approve: Approval = never, expect: str | None = None, by: str = ""
    ) -> Report:
        """One whole round now; `by` is who asked for it."""
        report, _ = self._in_lease(connection_id, lambda reading, provider, renew: reconcile.run(
            reading, provider, self.clock, renew=renew, approve=approve, expect=expect, by=by
        ))  # fmt: skip
        return report

    def _reviewed(self, connection_id: int, report: Report) -> None:
        """An approved plan has had its round; a refusal has put a new plan in its place already."""
        with transaction() as session:
            connection = ledger.connection(session, connection_id)
            connection.approved_hash = None
            if connection.review_state == "apply":
                connection.review_state = connection.review = None
                log.info("dns: approved plan: %s", "done" if report.applied else "stopped")

    def _in_lease(
        self, connection_id: int, work: Callable[[Reading, Provider, Callable[[], None]], Report]
    ) -> tuple[Report, Reading | None]:
        with leased(f"dns connection {connection_id}", self.holder, self.clock) as renew:
            go_on = self._while_wanted(renew)
            try:
                provider = self._provider(connection_id)
                self._refresh_zones(connection_id, provider)
                go_on()
                read = read_wishes(connection_id)
                return work(read, provider, go_on), read
            except (KeyLost, InvalidInput, Outage, Denied) as error:
                known = error if isinstance(error, Outage | Denied) else Denied(error.message)
                settle.failed(connection_id, known, self.clock())
                return Report(None, error=known), None

    def _while_wanted(self, renew: Callable[[], None]) -> Callable[[], None]:
        """Renews the lease, unless the process is about to stop: then it raises Busy."""

        def go_on() -> None:
            if self.stopping():
                raise Busy("The panel is being stopped; the rest is done after its next start.")
            renew()

        return go_on

    def _provider(self, connection_id: int) -> Provider:
        with reading() as session:
            connection = ledger.connection(session, connection_id)
            owner = ledger.settings(session).install_id
            kind, sealed = connection.provider, connection.credentials_sealed
        if sealed not in self._providers:
            credentials = json.loads(vault.unseal(sealed))
            budget = Pace.of(credentials.get("token", ""), self.clock)
            self._providers = {
                sealed: providers.make(kind, credentials, owner, api_url=self.api_url, budget=budget)
            }
        return self._providers[sealed]

    def _refresh_zones(self, connection_id: int, provider: Provider) -> None:
        """Which zones there are decides where a name belongs; a token that may not list them still works."""
        at = self.clock()
        with reading() as session:
            read_at = ledger.connection(session, connection_id).zones_read_at
        if read_at is not None and read_at + ZONES_LAST > at:
            return
        try:
            zones = provider.list_zones()
        except Denied:
            zones = []
        with transaction() as session:
            connection = ledger.connection(session, connection_id)
            connection.zones_read_at = at
            connection.zones = sorted(zone.name for zone in zones)
            mine = next((zone for zone in zones if zone.id == connection.zone_id), None)
            if mine is not None and mine.plan != connection.zone_plan:
                connection.zone_plan = mine.plan
                connection.used = connection.allowed = None  # its room is another, too

    def let_go(self) -> None:
        """A retiring connection without rows has done its work; its credentials go with it."""
        with reading() as session:
            if not ledger.finished(session):
                return
        with transaction() as session:
            for connection in ledger.finished(session):
                log.info("dns: %s: nothing of ours is left there", connection.zone_name)
                session.delete(connection)
