"""`tiny-forge demo`: the main story on the terminal, told with the real panel and the stand-ins."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace

import click
from sqlalchemy import select

from webapp.db import now, reading
from webapp.deploy import rows
from webapp.deploy import service as deploys
from webapp.dns.desired import Mode
from webapp.dns.names import Fqdn
from webapp.errors import ForgeError
from webapp.proxy import service as proxies
from webapp.proxy.models import ProxyHost
from webapp.proxy.service import ProxyWish
from webapp.sandbox.world import ZONE, World


@click.command()
def demo() -> None:
    """Tell the main story on the terminal; nothing leaves the machine."""
    with World() as world, quietly():
        click.echo(
            "Tiny Forge demo: a throw-away panel, and stand-ins for Cloudflare, Nginx Proxy Manager and Docker."
        )
        Story(world).tell()


@contextmanager
def quietly() -> Iterator[None]:
    """Without warnings: a deploy that fails belongs to the story."""
    logger = logging.getLogger("webapp")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


class Story:
    """One step after the other; after each it prints what changed at Cloudflare and at Nginx Proxy Manager."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.before = self.look()

    def tell(self) -> None:
        """The whole story. Raises ForgeError when a step does not come true."""
        with self.world.app.app_context():
            self.step("Connect the panel to both services", self.world.connect)
            self.step("Create the proxy app.example.com", lambda: self.add("app", 8080))
            self.step("Create the proxy blog.example.com", lambda: self.add("blog", 2368))
            self.step("Rename blog to journal: host and record move", lambda: self.rename("blog", "journal"))
            self.step("Somebody changes the record of app by hand", self.break_record, settle=False)
            self.step("The next round puts it back", self.look_again)
            self.step("Switch to the wildcard: our records go", lambda: self.world.connect(Mode.WILDCARD))
            self.step("Switch back: each name gets its record again", self.world.connect)
            self.step("Delete app", lambda: self.delete("app"))
            self.step("Delete journal", lambda: self.delete("journal"))
            self.tell_deploys()
        click.echo("\nWhat was there before the panel came is as it was:")
        for line in sorted(self.look()):
            click.echo(f"    {line}")

    def tell_deploys(self) -> None:
        """The second half: a container with its host and its name."""
        shop = self.world.add_app("shop")
        self.step("Deploy shop v1: container, host and record", lambda: self.deploy(shop, "v1"))
        self.step("Deploy v2 beside it, then switch: no DNS call", lambda: self.deploy(shop, "v2"))
        self.step("Deploy v3-broken: it never gets healthy", lambda: self.deploy(shop, "v3-broken"))
        self.step("Go back to v1", lambda: self.roll_back(shop))
        self.step("Remove shop", lambda: deploys.remove(shop, at=now()))

    def step(self, title: str, act: Callable[[], object], *, settle: bool = True) -> None:
        """Do something as a person would, let the worker work, and print the difference."""
        click.echo(f"\n> {title}")
        act()
        if settle and not self.world.settle():
            raise ForgeError(f"This did not come true: {title}.")
        after = self.look()
        for line in sorted(self.before - after):
            click.echo(f"  - {line}")
        for line in sorted(after - self.before):
            click.echo(f"  + {line}")
        if after == self.before:
            click.echo("    nothing changed outside")
        self.before = after

    def look(self) -> set[str]:
        """Everything that stands at both services, a line each."""
        lines = {
            f"Cloudflare           {r['type']} {r['name']} -> {r['content']}"
            for r in self.world.cloudflare.records(ZONE)
        }
        for host in self.world.npm.hosts():
            target = f"{host['forward_scheme']}://{host['forward_host']}:{host['forward_port']}"
            lines.add(f"Nginx Proxy Manager  {', '.join(host['domain_names'])} -> {target}")
        running = self.world.engine.running()
        for container in self.world.engine.containers.values():
            lines.add(
                f"Docker               {container.name} {'runs' if container.id in running else 'is stopped'}"
            )
        return lines

    def add(self, label: str, port: int) -> None:
        """A new proxy."""
        self.world.add_proxy(f"{label}.{ZONE}", "192.168.1.20", port)

    def deploy(self, instance: int, tag: str) -> None:
        """A new version."""
        self.world.deploy(instance, tag)

    def roll_back(self, instance: int) -> None:
        """The oldest version that is kept."""
        with reading() as session:
            kept = rows.versions(session, [instance])[-1].id
        deploys.roll_back(instance, kept, at=now())

    def rename(self, old: str, new: str) -> None:
        """Only the name changes; everything else stays as it is."""
        with reading() as session:
            host = proxies.by_name(session, f"{old}.{ZONE}")
            wish = ProxyWish(**{field.name: getattr(host, field.name) for field in fields(ProxyWish)})
        proxies.update(host.id, replace(wish, fqdn=Fqdn(f"{new}.{ZONE}")), at=now())

    def delete(self, label: str) -> None:
        """Host and record go."""
        with reading() as session:
            query = select(ProxyHost.id).where(ProxyHost.fqdn == f"{label}.{ZONE}")
            proxy_id = session.scalars(query).one()
        proxies.remove(proxy_id, at=now())

    def break_record(self) -> None:
        """As somebody would in Cloudflare's dashboard."""
        record = self.world.cloudflare.find(f"app.{ZONE}")[0]
        self.world.cloudflare.edit_by_hand(record["id"], content="198.51.100.99")

    def look_again(self) -> None:
        """Have the provider read now instead of at the next regular time."""
        self.world.check_now()
