"""A whole panel on the real engine: its database, a proxy manager in front of a real nginx, and its worker."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select

from tests.deploy.deploy_world import OPTIONS
from tests.engine.nginx import NginxServer, steadily
from tests.engine.real_nginx import attach
from tests.engine.rig import Rig
from tests.proxy.npm_world import EMAIL, PASSWORD, stand_in
from webapp import create_app, migrations, vault
from webapp.config import Config, sqlite_url
from webapp.db import db, now, reading, transaction
from webapp.deploy import apps, dashboard, rows, service
from webapp.deploy.apps import AppWish
from webapp.deploy.models import Instance, Version
from webapp.deploy.recipe import Recipe
from webapp.dns import ledger
from webapp.dns.names import Fqdn
from webapp.proxy import service as proxies
from webapp.serve import working

ROOT = Path(__file__).parents[2]
KEY = "a fixed key for tests only, long enough for everybody"
NGINX_PORT = 15080


class Forge:
    """One panel. `worker()` has it work in this process, `process()` in one of its own, which can be killed."""

    def __init__(self, rig: Rig, folder: Path, nginx: NginxServer, npm) -> None:
        self.rig, self.folder, self.nginx, self.npm = rig, folder, nginx, npm
        config = Config(
            data_dir=folder, secret_key=KEY, database_url=sqlite_url(folder), docker_host=rig.host
        )
        self.app = create_app(config)
        migrations.upgrade(self.app)
        with self.app.app_context(), transaction() as session:
            ledger.settings(session).base_domain = "example.com"
            row = proxies.npm_settings(session)
            row.url, row.email, row.password_sealed = npm.url, EMAIL, vault.seal(PASSWORD)

    @contextmanager
    def worker(self) -> Iterator[None]:
        """The worker, in threads of this process."""
        with working(self.app):
            yield

    def process(self, dies_at: str = "") -> subprocess.Popen[bytes]:
        """The worker in a process of its own; it kills itself when an action comes to the phase `dies_at`."""
        environ = os.environ | {
            "TINY_FORGE_DATA_DIR": str(self.folder), "TINY_FORGE_SECRET_KEY": KEY, "DOCKER_HOST": self.rig.host,
            "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        command = [sys.executable, "-m", "tests.engine.mortal", dies_at]
        log = (self.folder / "worker.log").open("ab")
        return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)

    def add(self, slug: str = "blog", image: str = "web", tag: str = "v1", **fields) -> int:
        """An app; returns the id of its first instance."""
        login = fields.pop("login", None)
        repository = fields.pop("repository", self.rig.reference(f"acme/{image}"))
        recipe = Recipe(image=repository, tag=tag, port=8080, **({"drain": 1} | fields))
        user, password = (login.user, login.password) if login else ("", None)
        wish = AppWish(slug, slug, recipe, (), 5, user, password, OPTIONS)
        with self.app.app_context():
            app = apps.add_app(wish, Fqdn(f"{slug}.example.com"), at=now())
            with reading() as session:
                return session.scalars(select(Instance.id).where(Instance.app_id == app.id)).one()

    def ask(self, wish, *args, **kwargs) -> int:
        """Ask one of the services for an action; returns its id."""
        with self.app.app_context():
            return wish(*args, at=now(), **kwargs).id

    def deploy(self, tag: str = "", instance: int = 1, seconds: float = 60):
        """Deploy and wait for the end; returns the action. Needs a worker."""
        return self.wait(self.ask(service.deploy, instance, tag), seconds)

    def wait(self, action_id: int, seconds: float = 60):
        """The action when it is over. Raises TimeoutError with its log."""
        end = time.monotonic() + seconds
        while not (action := self.action(action_id)).is_over:
            if time.monotonic() > end:
                raise TimeoutError(f"{action.phase}: {action.error}: {self.log(action_id)}")
            time.sleep(0.05)
        return action

    def until(self, holds, seconds: float = 20) -> bool:
        """Whether something is true before the time is up."""
        end = time.monotonic() + seconds
        while not holds() and time.monotonic() < end:
            time.sleep(0.05)
        return bool(holds())

    def action(self, action_id: int):
        with self.app.app_context(), reading() as session:
            return rows.action(session, action_id)

    def log(self, action_id: int) -> list[str]:
        with self.app.app_context(), reading() as session:
            return [line.text for line in rows.lines(session, action_id)]

    def version(self, number: int, instance: int = 1):
        with self.app.app_context(), reading() as session:
            query = select(Version).where(Version.instance_id == instance, Version.number == number)
            return session.scalars(query).one()

    def versions(self, instance: int = 1) -> list[tuple[int, str]]:
        with self.app.app_context(), reading() as session:
            return sorted((v.number, str(v.state)) for v in rows.versions(session, [instance]))

    def line(self, instance: int = 1):
        """What the pages tell about an instance."""
        with self.app.app_context(), reading() as session:
            lines = [line for app in dashboard.everything(session) for line in app.instances]
            return next((line for line in lines if line.instance.id == instance), None)

    def claims(self) -> list[str]:
        with self.app.app_context(), reading() as session:
            return sorted(row.fqdn for row in ledger.wanted(session))

    def containers(self, **filters) -> list[str]:
        """Names of all containers of the engine."""
        return sorted(c["Names"][0].strip("/") for c in self.rig.docker.api.containers(all=True, **filters))

    def running(self) -> list[str]:
        """Names of the containers that run."""
        return sorted(c["Names"][0].strip("/") for c in self.rig.docker.api.containers())

    def visit(self, name: str = "blog.example.com", path: str = "/version") -> str:
        """What a visitor gets through nginx. Raises OSError."""
        address = f"http://127.0.0.1:{self.nginx.port}{path}"
        request = urllib.request.Request(address, headers={"Host": name, "Connection": "close"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read().decode().strip()

    def serves(self, text: str, name: str = "blog.example.com", seconds: float = 20) -> bool:
        """Whether visitors get this before the time is up."""

        def is_it() -> bool:
            try:
                return self.visit(name) == text
            except OSError:
                return False

        return self.until(lambda: steadily(is_it), seconds)

    @contextmanager
    def visitors(self, name: str = "blog.example.com", path: str = "/version") -> Iterator["Visits"]:
        """Two visitors who come again and again, as long as the block lasts."""
        visits = Visits(self, name, path)
        threads = [threading.Thread(target=visits.go_on) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            yield visits
        finally:
            visits.stop.set()
            for thread in threads:
                thread.join()


class Visits:
    """What visitors saw: every answer, and everything that went wrong."""

    def __init__(self, forge: Forge, name: str, path: str) -> None:
        self.stop = threading.Event()
        self.answers: list[str] = []
        self.failures: list[str] = []
        self._forge, self._name, self._path = forge, name, path

    def go_on(self) -> None:
        while not self.stop.is_set():
            try:
                self.answers.append(self._forge.visit(self._name, self._path))
            except OSError as error:
                self.failures.append(str(error))
            time.sleep(0.002)


@contextmanager
def running_forge(rig: Rig, folder: Path) -> Iterator[Forge]:
    """A panel with its surroundings, for as long as the block lasts."""
    nginx = NginxServer(folder / "nginx", NGINX_PORT)
    nginx.start()
    try:
        with stand_in("2.15.1") as npm:
            attach(npm, nginx, lambda name: rig.address_of(name) if name.startswith("forge-") else name)
            data = folder / "data"
            data.mkdir()
            forge = Forge(rig, data, nginx, npm)
            yield forge
            with forge.app.app_context():
                db.engine.dispose()
    finally:
        nginx.stop()


def kill(process: subprocess.Popen[bytes]) -> None:
    """End it the hard way."""
    process.send_signal(signal.SIGKILL)
    process.wait(10)
