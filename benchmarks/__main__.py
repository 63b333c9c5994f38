"""Measures everything and prints tables; with --write they become benchmarks/README.md.

python -m benchmarks [--sizes 100,1000,10000] [--latencies 0,40,200] [--plan pro] [--peers PYTHON] [--write]
"""

import argparse
import logging
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks import hooks, pages, peers, process, sync
from webapp.cli import collect_seldom

README = Path(__file__).parent / "README.md"
PACKAGES = ("flask", "sqlalchemy", "requests")
PEERS = ("octodns", "octodns-cloudflare", "dns-lexicon", "cloudflare", "requests")
PEER_LATENCY = 0.04
MOST_PEER_NAMES = 500
"""Some need a request for each record: with more names their part takes longer than all others together."""

TEXT = """\
# What it costs

Measured by `make bench BENCH=--write`, which writes this page. {machine}

## Syncing names

Against a simulator of Cloudflare's API in a process of its own, on the {plan} plan. «Seconds» is the wall time of a
whole round without the simulator's own; «at most» 1.5 times what its requests wait, and a second of own work.

{sync}

## Other tools in the same steps

Seconds and requests, the simulator's own time included. {peers_versions}

{peers}

## What a claim costs, and how soon its record is there

{hooks}

## Pages

Server time of whole pages, with queries.

{pages}

## The process

{process}
"""


def main() -> None:
    """Exit code 1 when a bound on requests is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="100,1000,10000")
    parser.add_argument("--latencies", default="0,40,200", help="milliseconds")
    parser.add_argument("--plan", default="pro", choices=sorted(sync.BATCH))
    parser.add_argument("--peers", help="the interpreter that has the other tools")
    parser.add_argument("--write", action="store_true", help="write benchmarks/README.md")
    asked = parser.parse_args()
    collect_seldom()
    logging.basicConfig(level=logging.INFO, filename=os.devnull)  # `serve` says as much
    sizes = [int(text) for text in asked.sizes.split(",")]
    latencies = [int(text) / 1000 for text in asked.latencies.split(",")]
    few, many = min(max(sizes), MOST_PEER_NAMES), max(sizes)
    synced, fine = sync.measure(sizes, latencies, asked.plan)
    found = {
        "machine": _machine(), "plan": asked.plan, "sync": synced, "peers_versions": "", "peers": "Not measured.",
        "hooks": hooks.measure(many, latencies), "pages": pages.measure(many, max(3, many // 20)),
        "process": process.measure(many),
    }  # fmt: skip
    if asked.peers:
        found["peers_versions"] = _versions(asked.peers)
        found["peers"] = peers.measure(
            asked.peers, few, PEER_LATENCY if few >= MOST_PEER_NAMES else 0.0, asked.plan
        )
    if asked.write:
        README.write_text(TEXT.format(**found))
    sys.exit(0 if fine else 1)


def _machine() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{platform.machine()} with {os.cpu_count()} cores, Python {platform.python_version()}, {packages}."
    )


def _versions(python: str) -> str:
    code = (
        f"from importlib.metadata import version; print(*(n + ' ' + version(n) for n in {PEERS!r}), sep=', ')"
    )
    said = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout
    return said.strip() + "."


if __name__ == "__main__":
    main()
