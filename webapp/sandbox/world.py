"""A small world to try the panel in: stand-ins with some history, and a panel connected to them."""

import secrets
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from flask import Flask

from webapp import migrations
from webapp.auth import service as accounts
from webapp.config import Config, kept_secret_key, sqlite_url
from webapp.db import now, reading, transaction
from webapp.deploy import apps, connection, rows
from webapp.deploy import service as deploys
from webapp.deploy.actions import Phase
from webapp.deploy.apps import AppWish
from webapp.deploy.recipe import Recipe
from webapp.dns import ledger
from webapp.dns.desired import Mode, Policy
from webapp.dns.names import Fqdn, is_within
from webapp.dns.records import Target, Zone
from webapp.dns.switch import Wanted
from webapp.errors import ForgeError
from webapp.proxy import service as proxies
from webapp.proxy.service import ProxyWish
from webapp.sandbox import npm_certbot
from webapp.sandbox.cloudflare import CloudflareStandIn
from webapp.sandbox.engine import Behaviour, EngineStandIn
from webapp.sandbox.nameserver import NameServerStandIn
from webapp.sandbox.npm import NpmStandIn
from webapp.sandbox.public import PublicStandIn
from webapp.settings import service as settings
from webapp.settings.service import NpmWish, SettingsWish
from webapp.worker import Worker

ZONE = "example.com"
SERVER = "203.0.113.10"
NPM_ACCOUNT, NPM_PASSWORD = "forge@example.com", "sandbox-password"
TOKEN = "sandbox-token-that-opens-nothing-but-this-stand-in"  # noqa: S105
IMAGE = "registry.example.com/acme/shop"
OPTIONS = {
    "certificate_id": 0, "ssl_forced": False, "http2_support": False, "hsts_enabled": False,
    "hsts_subdomains": False, "allow_websocket_upgrade": True, "block_exploits": True, "use_dns": True,
    "dns_proxied": None, "dns_ttl": None,
}  # fmt: skip


class World:
    """Stand-ins for Cloudflare, Nginx Proxy Manager and Docker, and a panel with a throw-away data directory."""

    def __init__(self) -> None:
        self.cloudflare = CloudflareStandIn()
        self.npm = NpmStandIn()
        self.engine = EngineStandIn()
        self.name_server = NameServerStandIn(self.cloudflare)
        self.public = PublicStandIn(self.cloudflare, self.npm)
        self._directory = tempfile.TemporaryDirectory(prefix="tiny-forge-sandbox-")
        self.app: Flask

    def __enter__(self) -> Self:
        self.cloudflare.start()
        self.npm.start()
        self.name_server.start()
        self.public.start()
        self._furnish()
        self.app = self._panel()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.cloudflare.stop()
        self.npm.stop()
        self.name_server.stop()
        self.public.stop()
        self._directory.cleanup()

    def _furnish(self) -> None:
        """What was there before the panel came: it must stay as it is."""
        self.zone_id = self.cloudflare.add_zone(ZONE)
        self.cloudflare.add_token(TOKEN)
        self.cloudflare.put_by_hand(ZONE, "MX", "mail.example.net", priority=10)
        self.cloudflare.put_by_hand(f"www.{ZONE}", "A", "198.51.100.7", comment="the old website")
        self.npm.add_user(NPM_ACCOUNT, NPM_PASSWORD)
        self.npm.host_by_hand(f"www.{ZONE}", forward_host="198.51.100.7", forward_port=80)
        for tag in ("v1", "v2"):
            self.engine.put_image(IMAGE, tag, behaviour=Behaviour.GOOD, has_health_check=True)
        self.engine.put_image(IMAGE, "v3-broken", behaviour=Behaviour.SICK, has_health_check=True)
        self.engine.put_by_hand("somebody-elses-database")
        self.npm.add_certificate(f"*.{ZONE}", [f"*.{ZONE}"], now() + timedelta(days=60))
        self.npm.add_certificate("www, bought", [f"www.{ZONE}"], now() + timedelta(days=200), "other")
        self.npm.certbot.reaches = lambda name: SERVER in self.resolve(name, "A")
        self.npm.certbot.complains = self._complains

    def _panel(self) -> Flask:
        from webapp import create_app

        data_dir = Path(self._directory.name)
        config = Config(
            data_dir=data_dir,
            secret_key=kept_secret_key(data_dir),
            database_url=sqlite_url(data_dir),
            cloudflare_api_url=self.cloudflare.url,
            name_servers=(self.name_server.address,),
            public_side=("127.0.0.1", self.public.port),
            address_sources=(
                f"{self.cloudflare.address}/cdn-cgi/trace",
                f"{self.public.address}/cdn-cgi/trace",
            ),
            sandbox=True,
        )
        app = create_app(config)
        connection.use(app, self.engine.bound)
        migrations.upgrade(app)
        return app

    def prepare(self, say: Callable[[str], object]) -> str:
        """Make the account, connect everything, and do the main job once. Returns the password."""
        password = secrets.token_urlsafe(12)
        with self.app.app_context():
            accounts.create_account("admin", password, now(), only_as_first=True)
            self.connect()
            self.add_proxy(f"app.{ZONE}", "192.168.1.20", 8080)
            self.deploy(self.add_app("shop"), "v1")
        self.settle()
        say(
            f"Sandbox: Nginx Proxy Manager's stand-in is at {self.npm.url}, Cloudflare's at {self.cloudflare.url}."
        )
        for record in self.cloudflare.find(f"app.{ZONE}"):
            say(f"  at Cloudflare: {record['type']} {record['name']} -> {record['content']}")
        if host := self.npm.host_for(f"app.{ZONE}"):
            forward = f"{host['forward_scheme']}://{host['forward_host']}:{host['forward_port']}"
            say(f"  at Nginx Proxy Manager: host {host['id']}, {f'app.{ZONE}'} -> {forward}")
        say(f"  at the engine's stand-in: shop is deployed at shop.{ZONE}; v2 and v3-broken wait to be tried")
        say(f"Sign in as admin with the password {password}")
        self.engine.pull_seconds = 2.0  # from here on somebody may be looking
        self.npm.certbot.seconds = 3.0
        return password

    def connect(self, mode: Mode = Mode.MANAGED) -> None:
        """Save settings that point at the stand-ins."""
        wish = SettingsWish(
            dns=Wanted(
                mode=mode,
                policy=Policy.FULL,
                base_domain=ZONE,
                target=Target(ipv4=SERVER),
                ttl=1,
                proxied=False,
                zone=Zone(self.zone_id, ZONE, plan="free") if mode is Mode.MANAGED else None,
                credentials={"token": TOKEN},
            ),
            npm=NpmWish(self.npm.url, NPM_ACCOUNT, NPM_PASSWORD, verify_tls=True),
        )
        settings.save(wish, version=settings.current().version, at=now())

    def add_proxy(self, name: str, host: str, port: int) -> int:
        """A standalone proxy, as the form makes it."""
        wish = ProxyWish(fqdn=Fqdn(name), forward_scheme="http", forward_host=host, forward_port=port)
        return proxies.create(wish, at=now()).id

    def add_app(self, slug: str) -> int:
        """An app, as the form makes it; returns the id of its first instance."""
        recipe = Recipe(image=IMAGE, tag="v1", port=8080, drain=0)
        wish = AppWish(slug, slug, recipe, (), 5, "", None, OPTIONS)
        made = apps.add_app(wish, Fqdn(f"{slug}.{ZONE}"), at=now())
        with reading() as session:
            return rows.app(session, made.id).instances[0].id

    def deploy(self, instance: int, tag: str) -> int:
        """Wish for a deploy; returns its id."""
        return deploys.deploy(instance, tag, at=now()).id

    def ended(self, action_id: int) -> Phase:
        """How an action ended. Raises ForgeError while it has not."""
        with reading() as session:
            action = rows.action(session, action_id)
            if not action.is_over:
                raise ForgeError(f"{action.title} is not finished.")
            return action.phase

    def _complains(self, token: str, name: str) -> str:
        """What Cloudflare has against a token that certbot brings along."""
        if not self.cloudflare.knows(token):
            return npm_certbot.CREDENTIALS_REFUSED
        return "" if is_within(name, ZONE) else npm_certbot.UNKNOWN_ZONE.format(name=name)

    def check_now(self) -> None:
        """Have the next round come now."""
        with transaction() as session:
            for connection in ledger.connections(session):
                connection.checked_at = None

    def settle(self) -> bool:
        """Let the worker work until nothing is pending; False when it cannot get there."""
        worker = Worker(self.app, ask=self.resolve, probe=self.engine.probe)
        for _ in range(10):
            worker.pass_once()
            with self.app.app_context(), reading() as session:
                open_ = ledger.unsettled(session) or proxies.unsettled(session)
                if not open_ and not rows.open_actions(session):
                    return True
        return False

    def resolve(self, name: str, kind: str) -> frozenset[str]:
        """DNS as the stand-in's records say, so that nothing leaves the machine."""
        found = self.cloudflare.find(name) or self.cloudflare.find(f"*.{name.partition('.')[2]}")
        return frozenset(record["content"] for record in found if record["type"] == kind)
