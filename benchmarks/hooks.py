"""What a claim costs the request that makes it, and how soon its record is at the provider."""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from benchmarks.simulator import simulator
from benchmarks.sync import ZONE, Panel, fresh_app
from benchmarks.tables import Table
from webapp.db import now, transaction
from webapp.dns import claims
from webapp.dns.desired import Overrides
from webapp.dns.ledger import Consumer
from webapp.dns.models import ConsumerType
from webapp.dns.names import Fqdn
from webapp.worker import Worker

TIMES = 50
FIRST = 1_000_000


def measure(names: int, latencies: list[float]) -> Table:
    """Among so many names: the claim by itself, and with a worker and a provider that is slow or hangs."""
    table = Table("names", "provider", "what", "median", "at most", "slowest")
    for latency in latencies:
        with simulator(ZONE, "pro", names + 3 * TIMES + 10) as sim, fresh_app(sim) as app:
            panel = Panel(app, sim, "pro")
            panel.connect()
            panel.claim(names)
            panel.rounds.sync(1)
            sim.ask(latency=latency)
            took = [claim(number) for number in range(TIMES)]
            panel.rounds.sync(1)
            said = f"answers in {latency * 1000:.0f} ms"
            table.add(names, said, "the claim", *_milliseconds(took, 5))
            with working(app):
                arrived = [_arrival(sim, TIMES + number) for number in range(5)]
            limit = 1000 + 2 * latency * 1000
            table.add(names, said, "from the commit to the record", *_milliseconds(arrived, limit))
    return table


def claim(number: int) -> float:
    """One claim in a transaction of its own, in seconds. What a proxy writes besides is not in it."""
    begun = time.perf_counter()
    with transaction():
        consumer = Consumer(ConsumerType.STANDALONE, FIRST + number)
        claims.claim(consumer, [Fqdn(f"late{number}.{ZONE}")], Overrides(), at=now())
    return time.perf_counter() - begun


def _arrival(sim: object, number: int) -> float:
    """Seconds from the commit of a claim to the moment when the provider has its record."""
    claim(number)
    committed = time.time()
    for _ in range(3000):
        if at := sim.ask(made=f"late{number}.{ZONE}")["made"]:  # type: ignore[attr-defined]
            return at - committed
        time.sleep(0.01)
    raise SystemExit("the record never came")


@contextmanager
def working(app: Flask) -> Iterator[None]:
    """A worker, as `serve` has it."""
    worker = Worker(app)
    thread = threading.Thread(target=worker.run)
    thread.start()
    time.sleep(2)
    try:
        yield
    finally:
        worker.stop()
        thread.join()


def _milliseconds(seconds: list[float], limit: float) -> tuple[str, str, str]:
    median = statistics.median(seconds) * 1000
    return f"{median:.1f} ms", f"{limit:.0f} ms", f"{max(seconds) * 1000:.1f} ms"
