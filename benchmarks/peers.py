"""Other tools on the same simulator, each in the same four steps."""

import json
import subprocess
from pathlib import Path

from benchmarks.simulator import TOKEN, simulator
from benchmarks.sync import BATCH, ZONE, steps
from benchmarks.tables import Table

TOOLS = {
    "octodns": "octoDNS", "lexicon": "dns-lexicon", "sdk": "Cloudflare's SDK, batches by hand",
    "bare": "requests, batches by hand",
}  # fmt: skip
HERE = Path(__file__).parent


def measure(python: str, names: int, latency: float, plan: str) -> Table:
    """Seconds and requests of each tool and step; ours go through claims, database, plan and history as always."""
    table = Table(
        "tool", "names", "latency", *(f"{s}" for s in ("first sync", "no-op", "new target", "delete all"))
    )
    for tool, title in TOOLS.items():
        found = _peer(python, tool, names, latency, plan)
        table.add(title, names, f"{latency * 1000:.0f} ms", *(f"{s:.2f} s, {n}" for s, n in found))
    ours = [(r.seconds, r.requests) for r in steps(names, latency, plan)]
    table.add("Tiny Forge", names, f"{latency * 1000:.0f} ms", *(f"{s:.2f} s, {n}" for s, n in ours))
    return table


def _peer(python: str, tool: str, names: int, latency: float, plan: str) -> list[tuple[float, int]]:
    """Seconds and requests of each step."""
    found = []
    with simulator(ZONE, plan, names + 10) as sim:
        command = [
            python, str(HERE / "peer_tools.py"), tool, sim.url, TOKEN, sim.zone_id, ZONE, str(names),
            str(BATCH[plan]),
        ]  # fmt: skip
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert process.stdin
        assert process.stdout
        for _ in range(4):
            sim.ask(latency=latency, reset=True)
            process.stdin.write("\n")
            process.stdin.flush()
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"{tool} failed")
            found.append((json.loads(line)["seconds"], sim.ask()["requests"]))
        process.wait(30)
    return found
