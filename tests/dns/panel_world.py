"""A panel that keeps records at the in-memory provider, with a clock to turn: the world of the round's tests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import func, select

from webapp.db import reading
from webapp.dns import claims, ledger, switch
from webapp.dns.connections import Connection
from webapp.dns.desired import Mode, Overrides, Policy
from webapp.dns.ledger import Consumer
from webapp.dns.livecheck import LiveCheck
from webapp.dns.models import ConsumerType, DnsRecord, DnsSettings
from webapp.dns.names import Fqdn
from webapp.dns.providers.memory import ACCOUNTS, Account
from webapp.dns.records import LiveRecord, Target, Zone
from webapp.dns.rounds import Rounds
from webapp.dns.seen import SeenRecord
from webapp.dns.switch import Preview, Wanted

HERE, THERE, HERE6 = "192.0.2.1", "192.0.2.99", "2001:db8::1"
ELSEWHERE = "198.51.100.7"


class Panel:
    """One installation in managed mode with the zone example.com; needs an application context."""

    api_url = "http://127.0.0.1:9/"

    def __init__(self, *, managed: bool = True) -> None:
        self.at = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.token = token_hex(8)
        self.account = ACCOUNTS[self.token] = Account()
        self.zone = self.account.add_zone("example.com")
        self.rounds = self.new_rounds()
        self.wish = Wanted(
            mode=Mode.WILDCARD, policy=Policy.FULL, base_domain="example.com", target=Target(ipv4=HERE),
            ttl=1, proxied=False, provider="memory", credentials={"token": self.token},
        )  # fmt: skip
        if managed:
            self.save(mode=Mode.MANAGED, zone=self.zone)

    def new_rounds(self, holder: str = "test", every: int = 600) -> Rounds:
        """The rounds of a process that has just started."""
        return Rounds(holder, self.api_url, timedelta(seconds=every), lambda: self.at)

    def live_check(self, outside: Any, holder: str = "test", **more: Any) -> LiveCheck:
        """What finds out how names look from there (see outside_world)."""
        return LiveCheck(holder, timedelta(minutes=10), outside, outside.visit, lambda: self.at, **more)

    def see(self, outside: Any, holder: str = "test") -> None:
        """What the worker does to find that out, in one pass."""
        self.live_check(outside, holder).run_due()

    def wait(self, seconds: float) -> None:
        """Turn the clock."""
        self.at += timedelta(seconds=seconds)

    def wanted(self, **changes: Any) -> Wanted:
        """The settings as saved last, with changes."""
        return Wanted(**{**self.wish.__dict__, **changes})

    def preview(self, **changes: Any) -> Preview:
        """What saving these settings would do."""
        return switch.preview(self.wanted(**changes))

    def save(self, **changes: Any) -> None:
        """Save settings, as the page does it."""
        self.wish = self.wanted(**changes)
        switch.commit(self.wish, version=self.settings().version, at=self.at)

    def claim(self, *names: str, proxy: int = 1, **overrides: Any) -> None:
        """A standalone proxy wants exactly these names."""
        claims.claim(standalone(proxy), [Fqdn(n) for n in names], Overrides(**overrides), at=self.at)

    def release(self, proxy: int = 1) -> None:
        """A standalone proxy goes."""
        claims.release(standalone(proxy), at=self.at)

    def round(self, times: int = 1) -> None:
        """What the worker does in one pass."""
        for _ in range(times):
            self.rounds.run_due()

    def check(self) -> None:
        """A pass when the next regular look is due."""
        self.wait(601)
        self.round()

    def settings(self) -> DnsSettings:
        with reading() as session:
            return ledger.settings(session)

    def rows(self, name: str | None = None) -> list[DnsRecord]:
        """All rows, released ones too, in the order they were made."""
        with reading() as session:
            found = session.scalars(select(DnsRecord).order_by(DnsRecord.id))
            return [row for row in found if name in (None, row.fqdn)]

    def row(self, name: str = "app.example.com") -> DnsRecord:
        """The only row of a name."""
        (row,) = self.rows(name)
        return row

    def statuses(self) -> dict[str, str]:
        """Status by name, of names with one row."""
        return {row.fqdn: str(row.status) for row in self.rows()}

    def connections(self) -> list[Connection]:
        """The active one first."""
        with reading() as session:
            return list(ledger.connections(session))

    @property
    def connection(self) -> Connection:
        """The active connection, or the one that is left."""
        return self.connections()[0]

    def seen(self) -> set[tuple[str, str]]:
        """Names that no claim accounts for, with their status."""
        with reading() as session:
            return {(str(s.status), s.fqdn) for s in session.scalars(select(SeenRecord))}

    def unsettled(self) -> int:
        with reading() as session:
            return ledger.unsettled(session)

    def live(self, zone: Zone | None = None) -> dict[str, str]:
        """Content by name and type, as the provider has it."""
        return {f"{r.name} {r.type}": r.content for r in self.records(zone)}

    def records(self, zone: Zone | None = None) -> list[LiveRecord]:
        """The provider's records."""
        return list(self.account.records[(zone or self.zone).id].values())

    def record(self, name: str = "app.example.com") -> LiveRecord:
        """The only record of a name."""
        (found,) = [record for record in self.records() if record.name == name]
        return found

    def by_hand(self, name: str, kind: str, content: str, **fields: object) -> LiveRecord:
        """Somebody else makes a record."""
        return self.account.put_by_hand(self.zone, name, kind, content, **fields)

    def edit(self, name: str = "app.example.com", **fields: object) -> None:
        """Somebody else changes a record."""
        self.account.edit_by_hand(self.zone, self.record(name).id, **fields)

    def lose(self, name: str = "app.example.com") -> None:
        """Somebody else deletes a record."""
        del self.account.records[self.zone.id][self.record(name).id]

    def writes_during(self, work: Callable[[], object]) -> int:
        """How many changes the provider accepted meanwhile."""
        before = self.account.writes
        work()
        return self.account.writes - before


def standalone(number: int) -> Consumer:
    return Consumer(ConsumerType.STANDALONE, number)


def count_rows() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(DnsRecord)) or 0
