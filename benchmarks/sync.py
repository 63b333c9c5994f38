"""How long a sync takes and how many requests it needs: first sync, no-op, new target, delete all."""

import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from flask import Flask

from benchmarks.simulator import TOKEN, Simulator, simulator
from benchmarks.tables import Table
from webapp import create_app, migrations
from webapp.config import Config, sqlite_url
from webapp.db import db, now, reading, transaction
from webapp.dns import claims, ledger, switch
from webapp.dns.desired import Mode, Overrides, Policy
from webapp.dns.ledger import Consumer
from webapp.dns.models import ConsumerType
from webapp.dns.names import Fqdn
from webapp.dns.records import Target, Zone
from webapp.dns.rounds import Rounds
from webapp.dns.switch import Wanted

ZONE = "example.com"
PAGE, BATCH = 5000, {"free": 200, "pro": 3500}


@dataclass(frozen=True)
class Result:
    """One measured step. `bound` is the largest number of requests that is allowed, `limit` of seconds."""

    names: int
    latency: float
    step: str
    requests: int
    bound: int
    seconds: float
    theirs: float
    cpu: float

    @property
    def ours(self) -> float:
        """Seconds without those that the simulator needed for itself."""
        return self.seconds - self.theirs

    @property
    def limit(self) -> float:
        """1.5 times what the requests have to wait, and a second for each 10 000 names."""
        return 1.5 * self.requests * self.latency + max(1.0, self.names / 10_000)


class Panel:
    """A panel with so many names, and a worker's rounds."""

    def __init__(self, app: Flask, sim: Simulator, plan: str) -> None:
        self.app, self.sim = app, sim
        self.rounds = Rounds("benchmark", sim.url, timedelta(hours=1))
        self.wish = Wanted(
            mode=Mode.MANAGED, policy=Policy.FULL, base_domain=ZONE, target=Target(ipv4="203.0.113.10"), ttl=1,
            proxied=False, provider="cloudflare", credentials={"token": TOKEN},
            zone=Zone(sim.zone_id, ZONE, plan=plan),
        )  # fmt: skip

    def connect(self, **changes: object) -> None:
        """Save the settings."""
        self.wish = Wanted(**{**self.wish.__dict__, **changes})
        with reading() as session:
            known = ledger.settings_or_none(session)
        switch.commit(self.wish, version=known.version if known else 1, at=now())

    def claim(self, count: int) -> float:
        """Claim that many names; returns the seconds for one claim."""
        begun = time.perf_counter()
        with transaction():
            for number in range(count):
                consumer = Consumer(ConsumerType.STANDALONE, number + 1)
                claims.claim(consumer, [Fqdn(f"app{number}.{ZONE}")], Overrides(), at=now())
        return (time.perf_counter() - begun) / count

    def release(self, count: int) -> None:
        """Give all of them up, as the operator has confirmed."""
        with transaction() as session:
            for row in ledger.wanted(session):
                row.release(now(), approved=True)

    def measure(self, step: str, names: int, latency: float, bound: int) -> Result:
        """One round; afterwards everything must be settled."""
        self.sim.ask(latency=latency, reset=True)
        with reading() as session:
            (connection,) = ledger.connections(session)
        begun, worked = time.perf_counter(), time.process_time()
        report = self.rounds.sync(connection.id)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - worked
        told = self.sim.ask(latency=0)
        with reading() as session:
            left = ledger.unsettled(session)
        if report.error or left:
            raise SystemExit(f"{step} of {names}: {report.error or f'{left} rows are not settled'}")
        return Result(names, latency, step, told["requests"], bound, seconds, told["busy"], cpu)


def steps(names: int, latency: float, plan: str) -> Iterator[Result]:
    """The four steps, on a zone and a panel of their own."""
    pages, batches = math.ceil(names / PAGE), math.ceil(names / BATCH[plan])
    with simulator(ZONE, plan, max(names + 10, 200)) as sim, fresh_app(sim) as app:
        panel = Panel(app, sim, plan)
        panel.connect()
        panel.sim.ask(latency=latency)
        panel.rounds.sync(1)  # the list of zones is read once a day, and not part of what is measured
        panel.claim(names)
        yield panel.measure("first sync", names, latency, 1 + batches + 1)
        yield panel.measure("no-op", names, latency, pages + 1)
        panel.connect(target=Target(ipv4="203.0.113.20"))
        yield panel.measure("new target", names, latency, pages + batches + 1)
        panel.release(names)
        yield panel.measure("delete all", names, latency, pages + batches + 1)


@contextmanager
def fresh_app(sim: Simulator) -> Iterator[Flask]:
    """A panel on an empty database."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        config = Config(
            data_dir=data, secret_key="k" * 40, database_url=sqlite_url(data), cloudflare_api_url=sim.url
        )
        app = create_app(config)
        migrations.upgrade(app)
        with app.app_context():
            yield app
            db.session.remove()
            db.engine.dispose()


def measure(sizes: Sequence[int], latencies: Sequence[float], plan: str) -> tuple[Table, bool]:
    """The table, and whether every step kept within its number of requests."""
    table = Table("names", "latency", "step", "requests", "at most", "seconds", "at most", "CPU", "simulator")
    fine = True
    for size in sizes:
        for latency in latencies:
            for r in steps(size, latency, plan):
                fine &= r.requests <= r.bound
                table.add(
                    r.names, f"{r.latency * 1000:.0f} ms", r.step, r.requests, r.bound,
                    f"{r.ours:.2f}", f"{r.limit:.2f}", f"{r.cpu:.2f}", f"{r.theirs:.2f}",
                )  # fmt: skip
    return table, fine
