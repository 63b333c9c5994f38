"""The Cloudflare stand-in in a process of its own, so that its work is not counted as ours."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

TOKEN = "a-token-for-the-simulator-that-opens-nothing"


@dataclass
class Simulator:
    """A running stand-in with one zone."""

    url: str
    zone_id: str
    control: str

    def ask(self, **command: Any) -> dict[str, Any]:
        """Tell it something, see `main`."""
        request = urllib.request.Request(self.control, json.dumps(command).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: dict[str, Any] = json.loads(answer.read())
        return found


@contextmanager
def simulator(zone: str, plan: str, quota: int) -> Iterator[Simulator]:
    """One for as long as the block lasts."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.simulator", zone, plan, str(quota)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Simulator(**json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(10)


def main(zone: str, plan: str, quota: int) -> None:
    """Serve until terminated; prints where. Commands: {"latency": seconds}, {"reset": true}, {"made": name}."""
    from webapp.sandbox.cloudflare import CloudflareStandIn
    from webapp.sandbox.server import Reply, Request, StandIn

    busy = [0.0]
    made: dict[str, float] = {}

    class Timed(CloudflareStandIn):
        """Adds up the time it needs itself: that is neither ours nor the network's."""

        def handle(self, request: Request) -> Reply:
            """Answer, with a stopwatch."""
            begun = time.perf_counter()
            reply = super().handle(request)
            reply = replace(reply, body=reply.encoded()[1])
            if request.method == "POST":
                for record in request.json().get("posts", [request.json()]):
                    made.setdefault(record.get("name"), time.time())
            busy[0] += time.perf_counter() - begun
            return reply

    standin = Timed().start()
    standin.page_cap = 5000
    standin.add_token(TOKEN)
    zone_id = standin.add_zone(zone, plan=plan, quota=quota)

    class Control(StandIn):
        """Answers commands."""

        def handle(self, request: Request) -> Reply:
            """Carry a command out; the answer tells what was asked so far."""
            command = request.json()
            answer = {"requests": len(standin.log), "busy": busy[0], "made": made.get(command.get("made"))}
            standin.latency = command.get("latency", standin.latency)
            if command.get("reset"):
                standin.log.clear()
                busy[0] = 0.0
            return Reply(200, answer)

    control = Control().start()
    print(json.dumps({"url": standin.url, "zone_id": zone_id, "control": control.address}), flush=True)
    try:
        while True:
            time.sleep(60)
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
