"""One installation in a random history: its panel, what it was asked for, and what people do there."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from copy import deepcopy
from typing import Any

from flask import Flask
from sqlalchemy import select

from tests.dns.history_guard import Crash, Entry, Facts, Guard
from tests.dns.panel_world import Panel
from webapp.config import Config
from webapp.db import db, only_row, reading, transaction
from webapp.dns import ledger, service, undo
from webapp.dns.changes import Answer
from webapp.dns.connections import Connection
from webapp.dns.desired import Mode, Overrides, Policy
from webapp.dns.journal import Kind, RecordChange, Result
from webapp.dns.models import ConsumerType, DnsRecord, DnsSettings, Status
from webapp.dns.records import LiveRecord, Zone
from webapp.errors import ForgeError
from webapp.lease import LENGTH, Lease

Claims = dict[int, tuple[frozenset[str], Overrides]]
Look = tuple[list[DnsRecord], list[Connection]]


class Install:
    """A panel with a database of its own. `claims` is what consumers asked for, and were not refused.

    `connected`: the zones where nothing of ours may be left, but for what a policy has `spared`.
    """

    def __init__(
        self, install_id: str, app: Flask, config: Config, guard: Guard, places: list[tuple[str, Zone]]
    ) -> None:
        self.install_id, self.app, self.guard, self.places = install_id, app, guard, places
        self.file = config.data_dir / "tiny-forge.sqlite3"
        self.claims: Claims = {}
        self.connected: set[str] = set()
        self.spared: set[str] = set()
        self.seen: Look | None = None
        self.journal: Counter[Entry] = Counter()
        self.backup: tuple[sqlite3.Connection, Any, dict[tuple[str, str], tuple[Facts, ...]]] | None = None
        self.starts = 0
        with closing(sqlite3.connect(self.file)) as database, database:
            for table in db.metadata.tables:
                database.execute(f"DELETE FROM {table}")
        with self.here():
            with transaction() as session:
                only_row(session, DnsSettings, install_id=install_id)
            self.panel = Panel(managed=False)
        self.restart()

    @contextmanager
    def here(self) -> Iterator[None]:
        """Inside this installation's process, to do something."""
        with self.app.app_context():
            yield
        self.seen = None

    def restart(self) -> None:
        """A new process."""
        self.starts += 1
        self.panel.rounds = self.panel.new_rounds(f"{self.install_id} {self.starts}")

    def claim(self, consumer: int, names: frozenset[str], overrides: Overrides) -> None:
        """Somebody makes, changes or deletes a proxy."""
        kinds = {"proxied": overrides.proxied, "ttl": overrides.ttl}
        with self.here():
            try:
                self.panel.claim(*sorted(names), proxy=consumer, **kinds)
            except ForgeError:
                return
        self.claims[consumer] = names, overrides

    def save(self, place: int | None = None, **changes: Any) -> None:
        """Somebody saves the settings; place 0 is the wildcard, the others are zones."""
        if place is not None:
            changes |= {"mode": Mode.WILDCARD if place == 0 else Mode.MANAGED, "zone": None}
        if place:
            token, zone = self.places[place - 1]
            changes |= {"zone": zone, "credentials": {"token": token}}
        before = self.panel.wish
        with self.here():
            try:
                self.panel.save(**changes)
            except ForgeError:
                self.panel.wish = before
            else:
                self.connected |= {zone.id} if (zone := self.panel.wish.zone) else set()

    def round(self) -> None:
        """One pass of the worker, which may die in it; what it writes is in the journal."""
        rows, _ = self.look()
        self.guard.begins(needed(rows), self._protected(rows))
        with self.here():
            try:
                self.panel.round()
            except Crash:
                self._died()
            if self.guard.done:
                before, self.journal = self.journal, self.written()
                missing = self.guard.done - (self.journal - before)
                assert self.guard.struck or not missing, f"not in the journal: {missing}"

    def look(self) -> Look:
        """All rows, and all connections, the active one first; nothing changes between two looks but by `here`."""
        if self.seen is None:
            with self.app.app_context(), reading():
                self.seen = self.panel.rows(), self.panel.connections()
        return self.seen

    def written(self) -> Counter[Entry]:
        """What the journal says was done."""
        columns = RecordChange.kind, RecordChange.fqdn, RecordChange.type
        with reading() as session:
            entries = session.execute(select(*columns).where(RecordChange.result == Result.DONE))
            return Counter(
                ("delete" if k is Kind.DELETE else "make", name, type) for k, name, type in entries
            )

    def _protected(self, rows: list[DnsRecord]) -> set[str]:
        """What may not be deleted now: what nothing uses any more, when the settings say to keep that.

        Where a zone is left, what its rows know goes all the same: that has been confirmed.
        """
        if self.panel.wish.policy is not Policy.KEEP:
            return set()
        here = self.panel.wish.zone.id if self.panel.wish.mode is Mode.MANAGED else ""
        names = needed(rows)
        known = {row.provider_record_id for row in rows} | {(row.fqdn, str(row.type)) for row in rows}
        idle = {record.id for record in self.ours(here) if record.name not in names}
        left = [record for _, zone in self.places if zone.id != here for record in self.ours(zone.id)]
        self.spared |= {record.id for record in left if record.id not in known}
        return idle | {r.id for r in left if known.isdisjoint({r.id, (r.name, r.type)})}

    def ours(self, zone_id: str) -> list[LiveRecord]:
        """What has our mark there."""
        return [record for record in self.guard.records(zone_id) if record.mark == self.install_id]

    def _died(self) -> None:
        """Nobody gave back the leases."""
        with transaction() as session:
            for connection in ledger.connections(session):
                name = f"dns connection {connection.id}"
                session.merge(Lease(name=name, holder="dead", until=self.panel.at + LENGTH))
        self.restart()

    def keep_backup(self) -> None:
        """A copy of the database, and of what had been asked for by then."""
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        with closing(sqlite3.connect(self.file)) as source:
            source.backup(copy)
        known = {key: said for key, said in self.guard.known.items() if key[0] == self.install_id}
        self.backup = copy, deepcopy((self.claims, self.panel.wish)), known

    def restore_backup(self) -> None:
        """The database is what it was; so are the wishes, but not the records."""
        if self.backup is None:
            return
        copy, model, known = self.backup
        self.guard.known |= known
        with self.here():
            db.engine.dispose()
            with closing(sqlite3.connect(self.file)) as target:
                copy.backup(target)
            self.claims, self.panel.wish = deepcopy(model)
            self.connected = {c.zone_id for c in self.panel.connections()}
            self.journal = self.written()
        self.restart()

    def answer(self, row: DnsRecord, decision: Answer) -> None:
        """Somebody answers a conflict as it is shown."""
        try:
            service.answer(row.id, decision, row.answered, at=self.panel.at)
        except ForgeError:
            return
        given = [LiveRecord(**live) for live in row.seen or []]
        self.guard.granted[self.install_id, row.fqdn, row.type] = (
            given if decision is not Answer.LEAVE else []
        )

    def let_go(self, row: DnsRecord) -> None:
        """Whoever holds the name goes."""
        if row.consumer_type is ConsumerType.PERSON:
            undo.unpin(row.id, at=self.panel.at)
            return
        self.claim(row.consumer_id, frozenset(), Overrides())

    def abandon(self, connection: Connection) -> None:
        """Somebody gives up an old zone, with what is left in it."""
        service.abandon(connection.id)
        self.connected.discard(connection.zone_id)

    def press_buttons(self) -> None:
        """What a person does where the panel waits for one: check, approve the plan, or try again."""
        rows, connections = self.look()
        with self.here():
            for connection in connections:
                if connection.active and connection.blocked:
                    service.request_check(at=self.panel.at)
                elif connection.active and connection.review_state in {"ready", "reckless", "moved"}:
                    service.request_apply((connection.review or {})["hash"])
            for row in rows:
                if row.status is Status.FAILED and row.connection_id and row.next_try_at is None:
                    service.retry(row.id, at=self.panel.at)


def needed(rows: list[DnsRecord]) -> dict[str, set[str]]:
    """Names that are to have records now, with the types of those."""
    found: dict[str, set[str]] = {}
    for row in rows:
        if row.wanted and row.connection_id and not row.is_absent:
            found.setdefault(row.fqdn, set()).add(str(row.type))
    return found


def conflicts(rows: list[DnsRecord]) -> list[DnsRecord]:
    """Rows that wait for an answer."""
    return [row for row in rows if row.status is Status.CONFLICT]


def put_back(rows: list[DnsRecord]) -> list[DnsRecord]:
    """Rows that follow what somebody wanted, and not the settings."""
    return [row for row in rows if row.pin or row.consumer_type is ConsumerType.PERSON]
