"""Two real workers on one database: when one is killed in the middle of a round, the other finishes it in time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from tests.dns.panel_world import HERE, standalone
from webapp import create_app, migrations
from webapp.config import Config
from webapp.db import db, now, reading, transaction
from webapp.dns import claims, ledger, switch
from webapp.dns.desired import Mode, Policy
from webapp.dns.names import Fqdn
from webapp.dns.records import Target, Zone
from webapp.lease import Lease
from webapp.sandbox.cloudflare import CloudflareStandIn

pytestmark = pytest.mark.matrix

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-for-the-stand-in-that-opens-nothing"
NAMES = [f"n{n}.example.com" for n in range(5)]
WITHIN = 30.0


@pytest.fixture
def cloudflare() -> Iterator[CloudflareStandIn]:
    with CloudflareStandIn() as standin:
        standin.add_token(TOKEN)
        yield standin


@pytest.fixture
def panel(config: Config, cloudflare: CloudflareStandIn) -> Iterator[Flask]:
    """Settings with that zone, and names that are claimed and have no record yet."""
    app = create_app(replace(config, cloudflare_api_url=cloudflare.url))
    zone = Zone(cloudflare.add_zone("example.com"), "example.com")
    with app.app_context():
        db.drop_all()
        migrations.upgrade(app)
        wish = switch.Wanted(
            mode=Mode.MANAGED, policy=Policy.FULL, base_domain="example.com", target=Target(ipv4=HERE),
            ttl=1, proxied=False, credentials={"token": TOKEN}, zone=zone,
        )  # fmt: skip
        switch.commit(wish, version=1, at=now())
        for number, name in enumerate(NAMES, 1):
            claims.claim(standalone(number), [Fqdn(name)], at=now())
        db.session.remove()
        yield app
        db.engine.dispose()


@pytest.fixture
def worker(config: Config, cloudflare: CloudflareStandIn) -> Iterator[object]:
    """Starts `tiny-forge worker` as a process of its own."""
    running: list[subprocess.Popen[bytes]] = []
    settings = {
        "TINY_FORGE_DATA_DIR": str(config.data_dir),
        "TINY_FORGE_SECRET_KEY": config.secret_key,
        "DATABASE_URL": config.database_url,
        "CLOUDFLARE_API_URL": cloudflare.url,
    }

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, str(ROOT / "app.py"), "worker"]
        running.append(subprocess.Popen(command, env=os.environ | settings, cwd=config.data_dir))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait(10)


def becomes(true: object, seconds: float) -> float:
    """Wait until it is so; returns how long that took."""
    begun = time.monotonic()
    while time.monotonic() < begun + seconds:
        if true():  # type: ignore[operator]
            return time.monotonic() - begun
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} seconds")


def test_another_worker_takes_over_within_half_a_minute(
    panel: Flask, worker: object, cloudflare: CloudflareStandIn
) -> None:
    cloudflare.latency = 5.0
    first = worker()  # type: ignore[operator]
    becomes(lambda: any(name.startswith("dns connection") for name in leases()), 30)
    worker()  # type: ignore[operator]
    becomes(lambda: cloudflare.log, 30)
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    cloudflare.latency = 0.0
    assert becomes(lambda: unsettled() == 0, WITHIN) < WITHIN
    found = [record["name"] for record in cloudflare.records("example.com")]
    assert sorted(found) == NAMES


def leases() -> list[str]:
    with transaction() as session:
        return [lease.name for lease in session.query(Lease)]


def unsettled() -> int:
    with reading() as session:
        return ledger.unsettled(session)
