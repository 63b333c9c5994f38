"""What the tests of deploys share: a panel whose engine, proxy manager and DNS are stand-ins, and a runner."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from tests.proxy.npm_world import EMAIL, PASSWORD
from webapp import vault
from webapp.db import reading, transaction
from webapp.deploy import apps, connection, dashboard, rows, service
from webapp.deploy.actions import Action, ActionLine
from webapp.deploy.apps import AppWish
from webapp.deploy.models import Instance, Version
from webapp.deploy.recipe import Recipe
from webapp.deploy.runner import Runner
from webapp.deploy.watch import Watch
from webapp.dns import ledger
from webapp.dns.models import DnsRecord
from webapp.dns.names import Fqdn
from webapp.proxy import service as proxies
from webapp.proxy.models import ProxyHost
from webapp.proxy.publish import Publisher

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
IMAGE = "registry.example/acme/web"
NAME = "blog.example.com"
OPTIONS = {
    "certificate_id": 0, "ssl_forced": False, "http2_support": False, "hsts_enabled": False,
    "hsts_subdomains": False, "allow_websocket_upgrade": True, "block_exploits": True, "use_dns": True,
    "dns_proxied": None, "dns_ttl": None,
}  # fmt: skip


def wish(slug="blog", *, tag="v1", kept=5, options=None, secrets=(), user="", password=None, **recipe):
    """An app of the good image."""
    values = {"image": IMAGE, "tag": tag, "port": 8080} | recipe
    return AppWish(
        slug, slug, Recipe(**values), tuple(secrets), kept, user, password, OPTIONS | (options or {})
    )


class Panel:
    """Rows, a runner and a publisher, and a clock that moves only while something waits."""

    def __init__(self, app, npm, engine, holder="here"):
        self.app, self.npm, self.engine = app, npm, engine
        self.now = START
        engine.clock = lambda: self.now
        connection.use(app, engine.bound)
        self.start_anew(holder)

    def start_anew(self, holder="again"):
        """A new process on the same database; the leases of the old one have run out."""
        self.now += timedelta(seconds=60)
        self.publisher = Publisher(holder, timedelta(minutes=10), clock=lambda: self.now)
        self.runner = Runner(
            self.app, holder, self.engine.probe,
            between=self.publisher.run_due, clock=lambda: self.now, sleep=self.pass_time,
        )  # fmt: skip
        self.watch = Watch(self.app, clock=lambda: self.now)
        return self

    def pass_time(self, seconds):
        """What waiting does here: short naps are a second long, so that nobody has to take thousands of them."""
        self.now += timedelta(seconds=max(seconds, 1))

    def connect(self):
        """Save address and account of the proxy manager, as the settings do."""
        with transaction() as session:
            ledger.settings(session).base_domain = "example.com"
            row = proxies.npm_settings(session)
            row.url, row.email, row.password_sealed = self.npm.url, EMAIL, vault.seal(PASSWORD)
        return self

    def add(self, slug="blog", name=None, **fields):
        """An app; returns its first instance's id."""
        app = apps.add_app(wish(slug, **fields), Fqdn(name or f"{slug}.example.com"), at=self.now)
        with reading() as session:
            return session.scalars(select(Instance.id).where(Instance.app_id == app.id)).one()

    def change(self, instance=1, **fields):
        """Change the app of an instance."""
        with reading() as session:
            app = rows.instance(session, instance).app
        apps.change_app(app.id, replace(wish(app.slug, **fields)), at=self.now)

    def deploy(self, tag="", instance=1):
        """Ask for a deploy and carry it out; returns the action."""
        action = service.deploy(instance, tag, at=self.now)
        return self.finish(action.id)

    def roll_back(self, number, instance=1):
        action = service.roll_back(instance, self.version(number, instance).id, at=self.now)
        return self.finish(action.id)

    def operate(self, kind, instance=1):
        return self.finish(service.operate(instance, kind, at=self.now).id)

    def remove(self, instance=1, *, volumes=False):
        return self.finish(service.remove(instance, volumes=volumes, at=self.now).id)

    def run(self):
        """One pass of the runner and the publisher."""
        self.runner.run_due()
        self.publisher.run_due()

    def finish(self, action_id, passes=40):
        """Run until the action is over, with all the time it wants; returns it."""
        for _ in range(passes):
            self.run()
            action = self.action(action_id)
            if action.is_over:
                break
            self.pass_time(60)
        return self.action(action_id)

    def settle(self, passes=60):
        """Run until nothing is open any more."""
        for _ in range(passes):
            self.run()
            with reading() as session:
                if not rows.open_actions(session) and not proxies.unsettled(session):
                    return True
            self.pass_time(60)
        return False

    def look(self):
        """Look at the engine."""
        self.pass_time(30)
        self.watch.run_due()

    def action(self, action_id):
        with reading() as session:
            return rows.action(session, action_id)

    def actions(self):
        with reading() as session:
            return list(session.scalars(select(Action).order_by(Action.id)))

    def log(self, action_id):
        """The texts of an action's log."""
        with reading() as session:
            query = select(ActionLine).where(ActionLine.action_id == action_id).order_by(ActionLine.id)
            return [line.text for line in session.scalars(query)]

    def instance(self, number=1):
        with reading() as session:
            return session.get(Instance, number)

    def versions(self, instance=1):
        """Number and state of each version, by number."""
        with reading() as session:
            query = select(Version).where(Version.instance_id == instance).order_by(Version.number)
            return [(version.number, str(version.state)) for version in session.scalars(query)]

    def version(self, number, instance=1):
        with reading() as session:
            query = select(Version).where(Version.instance_id == instance, Version.number == number)
            return session.scalars(query).one()

    def claims(self):
        """Every wanted name, with its consumer."""
        with reading() as session:
            found = session.scalars(select(DnsRecord).where(DnsRecord.wanted))
            return sorted((row.fqdn, str(row.consumer_type), row.consumer_id) for row in found)

    def hosts(self):
        with reading() as session:
            return list(session.scalars(select(ProxyHost).order_by(ProxyHost.id)))

    def leads_to(self, name=NAME):
        """Host and port that nginx serves the name from, None when it does not."""
        host = self.npm.host_for(name)
        if host is None or name not in self.npm.served():
            return None
        return host["forward_host"], host["forward_port"]

    def running(self):
        """Names of our containers that run."""
        return sorted(c.name for c in self.ours() if c.state == "running")

    def ours(self):
        with reading() as session:
            install = ledger.settings(session).install_id
        return self.engine.bound(install).containers()

    def line(self, instance=1):
        """What the pages tell about an instance."""
        with reading() as session:
            for app in dashboard.everything(session):
                for line in app.instances:
                    if line.instance.id == instance:
                        return line
        return None
