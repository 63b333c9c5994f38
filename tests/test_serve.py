"""`tiny-forge serve` as a process of its own: starts, says what it needs, ends when told, forgets nothing."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from tests.support import make_config, make_user
from tests.test_worker import has_become
from webapp import create_app, migrations
from webapp.db import now, reading
from webapp.dns.names import Fqdn
from webapp.proxy import service
from webapp.proxy.service import ProxyWish

ROOT = Path(__file__).parent.parent
QUICK = {"timeout": 5}


def free_port():
    """A free port below those that outgoing connections take."""
    for port in range(20000 + os.getpid() % 5000, 32768):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("no free port")


class Panel:
    """A running `serve`, or one that ended at once."""

    def __init__(self, data_dir, *args, **env):
        self.port = free_port()
        self.log = data_dir.parent / f"{data_dir.name}.log"
        settings = {"TINY_FORGE_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1", **env}
        given = args or ("serve", "--port", str(self.port))
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "app.py"), *given], stdout=log, stderr=subprocess.STDOUT,
                env=os.environ | settings, cwd=data_dir.parent,
            )  # fmt: skip

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def text(self):
        return self.log.read_text()

    def is_up(self):
        try:
            return requests.get(f"{self.url}/healthz", timeout=2).status_code == 200
        except (requests.ConnectionError, requests.Timeout):
            return False

    def end(self, how=signal.SIGTERM):
        """Send the signal and give the exit code."""
        self.process.send_signal(how)
        return self.process.wait(10)


@pytest.fixture
def start(tmp_path):
    """Start panels that are ended whatever happens."""
    running = []

    def start(*args, data_dir=tmp_path / "data", **env):
        running.append(Panel(data_dir, *args, **env))
        return running[-1]

    yield start
    for panel in running:
        panel.process.kill()
        panel.process.wait()


@pytest.fixture
def panel(start):
    panel = start()
    assert has_become(panel.is_up, 30), panel.text()
    return panel


def test_it_starts_tells_the_code_and_answers(panel):
    assert re.search(r"Open /setup in a browser and enter this code: (\w{5}-){3}\w{5}", panel.text())
    assert f"Tiny Forge is at {panel.url}" in panel.text()
    first = requests.get(panel.url, allow_redirects=False, **QUICK)
    assert (first.status_code, first.headers["Location"]) == (303, "/setup")
    assert "waitress" not in first.headers.get("Server", "")


@pytest.mark.matrix
def test_it_listens_on_loopback_only(panel):
    listening = Path("/proc/net/tcp").read_text()
    assert f"0100007F:{panel.port:04X}" in listening
    assert f"00000000:{panel.port:04X}" not in listening


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_when_told(panel, how):
    assert panel.end(how) == 0
    assert "Traceback" not in panel.text()
    assert "worker: stopped" in panel.text()


@pytest.mark.matrix
def test_it_ends_in_order_under_visitors(panel):
    leaving = threading.Event()

    def visit():
        while not leaving.is_set():
            panel.is_up()

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    time.sleep(0.5)
    assert panel.end(signal.SIGTERM) == 0
    leaving.set()
    for visitor in visitors:
        visitor.join()
    assert "Traceback" not in panel.text()


@pytest.mark.matrix
def test_a_port_in_use_is_told(panel, start):
    second = start("serve", "--port", str(panel.port))
    assert second.process.wait(20) == 1
    assert f"Cannot listen on 127.0.0.1 port {panel.port}: Address already in use." in second.text()
    assert "Traceback" not in second.text()
    assert panel.is_up()


@pytest.mark.matrix
@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours_is_told(start, host):
    panel = start("serve", "--host", host)
    assert panel.process.wait(20) == 1
    assert f"Cannot listen on {host} port 8000" in panel.text()


@pytest.mark.matrix
def test_a_data_directory_that_cannot_be_written_is_told(start, tmp_path):
    (tmp_path / "file").write_text("in the way")
    panel = start(TINY_FORGE_DATA_DIR=str(tmp_path / "file" / "data"))
    assert panel.process.wait(20) == 2
    assert "cannot be written (Not a directory)" in panel.text()
    assert "Traceback" not in panel.text()


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("env", "code", "message"),
    [
        ({"TINY_FORGE_CHECK_EVERY": "soon"}, 2, "TINY_FORGE_CHECK_EVERY must be a whole number"),
        ({"TINY_FORGE_ADMIN_USER": "ada"}, 2, "Set both"),
        ({"DATABASE_URL": "sqlite:////no/such/place.sqlite3"}, 1, "The database cannot be used"),
    ],
)
def test_an_environment_it_cannot_work_in_is_told(start, env, code, message):
    panel = start(**env)
    assert panel.process.wait(20) == code
    assert message in panel.text()
    assert "Traceback" not in panel.text()


@pytest.mark.matrix
def test_an_administrator_from_the_environment_needs_no_code(start):
    panel = start(TINY_FORGE_ADMIN_USER="ada", TINY_FORGE_ADMIN_PASSWORD="blue-lantern-42-harbour")
    assert has_become(panel.is_up, 30)
    assert "/setup" not in panel.text()
    assert "harbour" not in panel.text()
    assert requests.get(f"{panel.url}/setup", allow_redirects=False, **QUICK).status_code == 404


@pytest.mark.matrix
def test_a_kill_loses_no_wish(panel, start, tmp_path):
    app = create_app(make_config(tmp_path / "data", secret_key="another, which does not matter here"))
    with app.app_context():
        service.create(ProxyWish(Fqdn("app.example.com"), "http", "10.0.0.5", 80), at=now())

    def message():
        with app.app_context(), reading() as session:
            return service.get(session, 1).error

    assert has_become(lambda: "not set up" in (message() or ""), 10)
    assert panel.end(signal.SIGKILL) == -signal.SIGKILL
    again = start()
    assert has_become(again.is_up, 30), again.text()
    assert "not set up" in message()


@pytest.mark.matrix
def test_a_worker_by_itself_is_enough_for_the_wishes(start, tmp_path):
    app = create_app(make_config(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    migrations.upgrade(app)
    make_user(app)
    with app.app_context():
        service.create(ProxyWish(Fqdn("app.example.com"), "http", "10.0.0.5", 80), at=now())
    worker = start("worker")

    def tried():
        with app.app_context(), reading() as session:
            return service.get(session, 1).attempts == 1

    assert has_become(tried, 20), worker.text()
    assert worker.end() == 0
    assert "worker: stopped" in worker.text()
