"""One installation in a random history: its panel, what it was asked for, and what has to come of that."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from copy import deepcopy
from typing import Any

from flask import Flask
from sqlalchemy import delete

from tests.dns.history_guard import Crash, Facts, Guard, said
from tests.dns.panel_world import Panel
from webapp.config import Config
from webapp.db import db, transaction
from webapp.dns import ledger, service, undo
from webapp.dns.changes import Answer
from webapp.dns.connections import Connection
from webapp.dns.desired import Mode, Overrides
from webapp.dns.models import ConsumerType, DnsRecord, Status
from webapp.dns.names import is_within
from webapp.dns.records import LiveRecord, Zone
from webapp.errors import ForgeError
from webapp.lease import LENGTH, Lease

Claims = dict[int, tuple[frozenset[str], Overrides]]


class Install:
    """A panel with a database of its own. `claims` is what consumers asked for, and were not refused."""

    def __init__(self, app: Flask, config: Config, guard: Guard, places: list[tuple[str, Zone]]) -> None:
        self.app, self.guard, self.places = app, guard, places
        self.file = config.data_dir / "tiny-forge.sqlite3"
        self.claims: Claims = {}
        self.connected: set[str] = set()
        self.backup: tuple[sqlite3.Connection, Any, dict[tuple[str, str], Facts]] | None = None
        self.starts = 0
        with self.here():
            with transaction() as session:
                for table in reversed(db.metadata.sorted_tables):
                    session.execute(delete(table))
                self.install_id = ledger.settings(session).install_id
            self.panel = Panel(managed=False)
        self.restart()

    @contextmanager
    def here(self) -> Iterator[None]:
        """Inside this installation's process."""
        with self.app.app_context():
            yield

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
        """One pass of the worker, which may die in it."""
        with self.here():
            self.guard.needed = self.needed()
            try:
                self.panel.round()
            except Crash:
                self._died()

    def needed(self) -> dict[str, set[str]]:
        """Names that are to have records now, with the types of those."""
        found: dict[str, set[str]] = {}
        for row in self.panel.rows():
            if row.wanted and row.connection_id and not row.is_absent:
                found.setdefault(row.fqdn, set()).add(str(row.type))
        return found

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
        self.restart()

    def conflicts(self) -> list[DnsRecord]:
        """Rows that wait for an answer."""
        return [row for row in self.panel.rows() if row.status is Status.CONFLICT]

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

    def press_buttons(self) -> None:
        """What a person does where the panel waits for one: check, approve the plan, or try again."""
        with self.here():
            for connection in self.panel.connections():
                if connection.active and connection.blocked:
                    service.request_check(at=self.panel.at)
                elif connection.active and connection.review_state in {"ready", "reckless", "moved"}:
                    service.request_apply((connection.review or {})["hash"])
            for row in self.panel.rows():
                if row.status is Status.FAILED and row.connection_id and row.next_try_at is None:
                    service.retry(row.id, at=self.panel.at)

    def is_quiet(self) -> bool:
        """Whether nothing waits for time, or for a person; names outside the zone wait for ever."""
        rows = [row for row in self.panel.rows() if row.connection_id]
        settled = all(row.wanted and row.status in {Status.SYNCED, Status.ABSENT} for row in rows)
        connections = self.panel.connections()
        return settled and all(c.active and not c.blocked and not c.review_state for c in connections)

    def wished(self) -> set[tuple[Facts, int, bool]]:
        """The records that have to be there: what was asked for, and what was put back since."""
        wish, pins = self.panel.wish, {(r.fqdn, r.type): r for r in self.panel.rows() if r.wanted}
        if wish.mode is Mode.WILDCARD or wish.zone is None:
            return set()
        records = [
            row.record(wish.defaults) if (row := pins.get((name, kind))) and row.pin else
            wish.defaults.record(name, kind, overrides)
            for names, overrides in self.claims.values()
            for name in names if is_within(name, wish.zone.name)
            for kind in wish.defaults.types
            if not ((row := pins.get((name, kind))) and row.is_absent)
        ]  # fmt: skip
        records += [r.record(wish.defaults) for r in pins.values() if r.consumer_type is ConsumerType.PERSON]
        return {(said(record), record.ttl, record.proxied) for record in records}

    def claimed(self) -> tuple[set[tuple[int, str]], set[tuple[int, str]]]:
        """Who claims what: as it was asked for, and as the rows say."""
        rows = [r for r in self.panel.rows() if r.wanted and r.consumer_type is not ConsumerType.PERSON]
        asked = {(consumer, name) for consumer, (names, _) in self.claims.items() for name in names}
        return asked, {(row.consumer_id, row.fqdn) for row in rows}

    def retiring(self) -> list[Connection]:
        """Zones that are being left."""
        return [c for c in self.panel.connections() if not c.active]
