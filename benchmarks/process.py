"""Start-up time and memory of the real processes."""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.tables import Table

ROOT = Path(__file__).parents[1]
SYNC = """
import resource
from webapp.cli import collect_seldom
from benchmarks.sync import steps
collect_seldom()
for result in steps({names}, 0.0, "pro"):
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def measure(names: int) -> Table:
    """A first start on an empty directory, a later one, a command, and the memory of an idle and a busy panel."""
    table = Table("what", "measured")
    with tempfile.TemporaryDirectory() as folder:
        first, _ = start(folder)
        again, resident = start(folder)
        command = _command(folder)
    table.add("start of `serve` on an empty data directory", f"{first:.2f} s")
    table.add("start of `serve` afterwards", f"{again:.2f} s")
    table.add("`tiny-forge dns list`", f"{command:.2f} s")
    table.add("memory of an idle panel", f"{resident:.0f} MiB")
    peak = subprocess.run(
        [sys.executable, "-c", SYNC.format(names=names)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    table.add(f"peak memory while {names} names are synced", f"{int(peak.stdout.split()[-1]) / 1024:.0f} MiB")
    return table


def start(folder: str) -> tuple[float, float]:
    """Seconds until it serves, and the memory in MiB it has then."""
    port = str(18000 + os.getpid() % 1000)
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py", "serve", "--port", port],
        cwd=ROOT, env=os.environ | {"TINY_FORGE_DATA_DIR": folder, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if "Tiny Forge is at" in line:
            break
    seconds = time.perf_counter() - begun
    time.sleep(3)
    resident = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
    process.terminate()
    process.wait(30)
    return seconds, int(resident[1]) / 1024 if resident else 0.0


def _command(folder: str) -> float:
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "app.py", "dns", "list"],
        cwd=ROOT, env=os.environ | {"TINY_FORGE_DATA_DIR": folder}, capture_output=True, check=True,
    )  # fmt: skip
    return time.perf_counter() - begun
