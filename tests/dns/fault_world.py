"""A panel at Cloudflare's stand-in that can be put back to where it was, as often as a fault is to be tried."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select

from tests.dns import fault_verdict
from tests.dns.logged_cloudflare import LoggedCloudflare
from tests.dns.panel_world import ELSEWHERE, HERE, Panel
from tests.dns.provider_world import TOKEN
from tests.dns.wire_faults import Crash, Fault, Wire
from webapp import outgoing
from webapp.db import db, reading, transaction
from webapp.dns import service
from webapp.dns.connections import Connection
from webapp.dns.journal import RecordChange
from webapp.dns.models import Status
from webapp.dns.providers import cloudflare_batches
from webapp.dns.records import Zone
from webapp.lease import LENGTH, Lease

SHOP = "shop.example.com"
NAMES = [f"n{number}.{SHOP}" for number in range(6)]
ORIGINAL = outgoing.session
MEMORY = "memory"
STEP = 20 * 60
"""Seconds; longer than any lease and any pause before a try."""
PASSES, PAUSE = 4, 11
"""What a process does until it has all that is due at first, with so many seconds between two passes."""


class FaultWorld:
    """One zone with records of others, whose listing has two pages; of our changes a batch holds three."""

    def __init__(self, standin: LoggedCloudflare, monkeypatch: pytest.MonkeyPatch) -> None:
        self.standin = standin
        self.wire = Wire(standin, ORIGINAL().get_adapter("http://"))  # type: ignore[arg-type]
        monkeypatch.setattr(outgoing, "session", self._session)
        monkeypatch.setattr(cloudflare_batches, "BATCH", 3)
        standin.page_cap = 8
        standin.add_token(TOKEN)
        self.zone = self.add_zone("example.com")
        self.panel = Panel(managed=False)
        self.panel.api_url = standin.url
        self.restarts = 0
        self.restart()
        self.wanted: dict[str, dict[str, str]] = {}
        self.claimed: set[str] = set()
        standin.elsewhere = lambda: {record.name for record in self.panel.records()}
        self._furnish()

    def _session(self, **options: Any) -> Any:
        session = ORIGINAL(**options)
        session.mount("http://", self.wire)
        return session

    def _furnish(self) -> None:
        """What is not ours, some of it at names of ours."""
        put = self.standin.put_by_hand
        for number in range(6):
            put(f"old{number}.example.com", "A", ELSEWHERE, comment="by hand")
        put("example.com", "MX", "mail.example.net", priority=10)
        put(NAMES[0], "TXT", "keep me")
        put(f"theirs.{SHOP}", "A", HERE, comment="tiny-forge:another")
        self.theirs = {record["id"]: record for record in self.standin.records("example.com")}

    def add_zone(self, name: str) -> Zone:
        """One more zone at Cloudflare."""
        return Zone(self.standin.add_zone(name), name, plan="free")

    def connect(self, zone: Zone | None = None, token: str = TOKEN, **changes: Any) -> None:
        """Save settings that keep the records in a zone at Cloudflare."""
        self.panel.save(
            provider="cloudflare", zone=zone or self.zone, credentials={"token": token}, mode="managed", **changes
        )  # fmt: skip

    def expect(self, place: str | None, *names: str, kind: str = "A", content: str = HERE) -> None:
        """What has to come of it: these names, else all, with one record each, there."""
        self.claimed = set(names or NAMES)
        self.wanted = {place: {f"{name} {kind}": content for name in self.claimed}} if place else {}

    def keep(self) -> None:
        """Remember how everything is, and which requests are made when all goes well."""
        with reading() as session:
            tables = db.metadata.sorted_tables
            self._rows = {t: [dict(r) for r in session.execute(select(t)).mappings()] for t in tables}
        self._zones, self._at = self.standin.kept(), self.panel.at
        self.memory = dict(self.panel.account.records[self.panel.zone.id])
        self.places = {
            c.id: c.zone_name if c.provider == "cloudflare" else MEMORY for c in self.panel.connections()
        }
        self.began_with = {place: fault_verdict.found(self, place) for place in {*self.places.values()}}
        needed = {key.split()[0] for there in self.wanted.values() for key in there}
        self.standin.watched = needed & self.standin.up()
        with reading() as session:
            self.first_entry = session.scalar(select(func.coalesce(func.max(RecordChange.id), 0))) or 0
        self.restore()
        self.suffer(None, 0)
        self.requests = list(self.wire.requests)

    def restore(self) -> None:
        """Put everything back, with a panel that has just started."""
        with transaction() as session:
            for table in reversed(db.metadata.sorted_tables):
                session.execute(delete(table))
            for table, rows in self._rows.items():
                if rows:
                    session.execute(insert(table), rows)
        self.standin.restore(self._zones)
        self.panel.account.records[self.panel.zone.id] = dict(self.memory)
        self.panel.account.writes = 0
        self.panel.at = self._at
        self.wire.arm(None)
        self.restart()

    def restart(self) -> None:
        """Another process goes on."""
        self.restarts += 1
        self.panel.rounds = self.panel.new_rounds(f"process {self.restarts}")

    def cases(self, faults: list[Fault]) -> Iterator[tuple[Fault, int]]:
        """Each fault at every request that is made when all goes well, where it makes a difference."""
        for at, request in enumerate(self.requests, 1):
            yield from ((fault, at) for fault in faults if fault.where(request))

    def suffer(self, fault: Fault | None, at: int) -> None:
        """Passes until the fault has come, or until there is nothing to do."""
        self.wire.arm(fault, at)
        self.blind = []
        for _ in range(PASSES):
            try:
                self.panel.round()
            except Crash:
                self.died()
            if self.wire.fired:
                self.blind = self.wire.blind_writes()
                return
            self.panel.wait(PAUSE)

    def died(self) -> None:
        """Nobody gave back the leases."""
        with transaction() as session:
            held = set(session.scalars(select(Lease.name)))
            for id in session.scalars(select(Connection.id)).all():
                if f"dns connection {id}" not in held:
                    lease = Lease(name=f"dns connection {id}", holder="dead", until=self.panel.at + LENGTH)
                    session.add(lease)
        self.restart()

    def heal(self) -> None:
        """The fault is over; passes with all the time they want, and a person who looks at what is blocked."""
        self.standin.faults.clear()
        self.wire.arm(None)
        for _ in range(8):
            self._press_retry()
            self.panel.wait(STEP)
            self.panel.round()
            if not self.panel.unsettled() and len(self.panel.connections()) < 2:
                break
        self.writes = len(self.standin.accepted) + self.panel.account.writes
        self.panel.wait(STEP)
        self.panel.round(2)

    def _press_retry(self) -> None:
        blocked = {c.id: c for c in self.panel.connections() if c.blocked}
        for row in self.panel.rows():
            if row.connection_id in blocked and row.status is Status.FAILED:
                service.retry(row.id, at=self.panel.at)
                blocked.pop(row.connection_id)
        if any(connection.active for connection in blocked.values()):
            service.request_check(at=self.panel.at)

    def wrong(self) -> list[str]:
        """What is not as it should be, in words; empty when all is."""
        panel, found = self.panel, []
        if len(self.standin.accepted) + panel.account.writes != self.writes:
            found.append("it wrote again although all was well")
        found += [f"{name} was down for a moment" for name in self.standin.down]
        found += [f"it wrote what it could not read: {path}" for path in self.blind]
        if panel.unsettled():
            found.append(f"not settled: {[(r.fqdn, str(r.status), r.error) for r in panel.rows()]}")
        if [(c.active, c.blocked, c.error) for c in panel.connections()] not in ([], [(True, False, None)]):
            found.append(f"connections: {[(c.zone_name, c.active, c.error) for c in panel.connections()]}")
        return found + fault_verdict.wrong(self)

    def ours(self, place: str) -> list[dict[str, Any]]:
        """Records with our mark at a zone of Cloudflare."""
        mark = f"tiny-forge:{self.panel.settings().install_id}"
        return [record for record in self.standin.records(place) if record["comment"] == mark]
