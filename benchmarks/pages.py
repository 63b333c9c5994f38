"""Server time and queries of the pages that grow: the DNS records with their filters, the history, the apps."""

import statistics
import time
from collections.abc import Iterator

from benchmarks.simulator import simulator
from benchmarks.sync import ZONE, Panel, fresh_app
from benchmarks.tables import Table
from tests.deploy.pages_world import deployed
from tests.dns.table_world import queries
from tests.support import Browser, make_user
from webapp.db import transaction
from webapp.dns.models import DnsRecord, Status

TIMES = 21
LIMIT = 50.0
DNS = (
    "/dns", "/dns?page=100", "/dns?q=app77", "/dns?status=failed", "/dns?status=synced&sort=-content",
    "/dns?consumer=standalone&type=A", "/dns?size=250", "/dns?live=none", "/dns/history", "/dns/history?q=app77",
)  # fmt: skip
APPS = ("/", "/apps")


def measure(names: int, apps: int) -> Table:
    """Every page at its full size, with the number of queries there and in a panel that is nearly empty."""
    table = Table("page", "rows", "median", "at most", "slowest", "queries", "queries when nearly empty")
    few = {path: sent for path, _, _, sent in visits(DNS + APPS, names=3, apps=3)}
    for path, median, slowest, sent in visits(DNS + APPS, names=names, apps=apps):
        rows = apps if path in APPS else names
        table.add(
            f"`{path}`", rows, f"{median:.1f} ms", f"{LIMIT:.0f} ms", f"{slowest:.1f} ms", sent, few[path]
        )
    return table


def visits(paths: tuple[str, ...], *, names: int, apps: int) -> Iterator[tuple[str, float, float, int]]:
    """Median and longest time in milliseconds, and queries, of each page."""
    with simulator(ZONE, "pro", names + 10) as sim, fresh_app(sim) as app:
        panel = Panel(app, sim, "pro")
        panel.connect()
        panel.claim(names)
        panel.rounds.sync(1)
        spoil(names)
        for number in range(1, apps + 1):
            deployed(f"a{number}")
        make_user(app)
        client = Browser(app).sign_in()
        for path in paths:
            yield path, *visit(client, path)


def visit(client: Browser, path: str) -> tuple[float, float, int]:
    """One page, often enough for a median."""
    client.get(path)
    seconds = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        answer = client.get(path)
        seconds.append((time.perf_counter() - begun) * 1000)
        assert answer.status_code == 200, (path, answer.status_code)
    with queries() as sent:
        client.get(path)
    return statistics.median(seconds), max(seconds), len(sent)


def spoil(names: int) -> None:
    """Some rows that are not fine, so that filters have something to find."""
    with transaction() as session:
        for row in session.query(DnsRecord).limit(max(1, names // 50)):
            row.status, row.error = Status.FAILED, "The zone is full."
