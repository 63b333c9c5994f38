"""What the tests of publishing share: a stand-in, settings that point at it, a publisher with a clock."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from tests.proxy.npm_world import EMAIL, PASSWORD
from webapp import vault
from webapp.db import reading, transaction
from webapp.dns import ledger
from webapp.dns.names import Fqdn
from webapp.proxy import service
from webapp.proxy.models import ProxyHost
from webapp.proxy.publish import Publisher
from webapp.proxy.service import ProxyWish

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CHECK_EVERY = timedelta(minutes=10)


def wish(name="app.example.com", **fields):
    values = {"forward_scheme": "http", "forward_host": "10.0.0.5", "forward_port": 8080}
    return ProxyWish(fqdn=Fqdn(name), **(values | fields))


class Panel:
    """Rows, a publisher, and a clock that only moves when told to. Needs an application context."""

    def __init__(self, npm, holder="here"):
        self.npm = npm
        self.now = START
        self.publisher = Publisher(holder, CHECK_EVERY, clock=lambda: self.now)

    def connect(self, password=PASSWORD):
        """Save address and account, as the settings do."""
        with transaction() as session:
            ledger.settings(session)
            row = service.npm_settings(session)
            moved = row.url != self.npm.url
            row.url, row.email, row.password_sealed = self.npm.url, EMAIL, vault.seal(password)
            row.error, row.next_try_at, row.read_at = None, None, None
            service.publish_again(session, moved=moved, at=self.now)
        return self

    def create(self, name="app.example.com", **fields):
        return service.create(wish(name, **fields), at=self.now).id

    def update(self, number, name="app.example.com", **fields):
        return service.update(number, wish(name, **fields), at=self.now)

    def run(self, passes=1, **later):
        """Let time pass, then have that many passes."""
        self.now += timedelta(**later)
        for _ in range(passes):
            self.publisher.run_due()
        return self

    def run_until_settled(self, passes=12):
        """Passes with all the time they want in between."""
        for _ in range(passes):
            self.run(minutes=20)
        return self

    def row(self, number=1):
        with reading() as session:
            return session.get(ProxyHost, number)

    def rows(self):
        with reading() as session:
            return list(session.scalars(select(ProxyHost).order_by(ProxyHost.id)))

    def settings(self):
        with reading() as session:
            return service.npm_settings(session)

    def ours(self):
        """Every host over there that carries a mark."""
        return [host for host in self.npm.hosts() if "tiny_forge" in host["meta"]]
