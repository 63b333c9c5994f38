"""kill -9 of the whole process while a request is under way: another one finishes the work all the same."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dns import fault_scenarios
from tests.dns.fault_world import FaultWorld
from tests.dns.logged_cloudflare import LoggedCloudflare
from webapp.config import Config
from webapp.sandbox.server import Reply, Request

pytestmark = pytest.mark.matrix

ROOT = Path(__file__).parents[2]
KILLED = -9


class Deadly(LoggedCloudflare):
    """Kills its client at the `at`-th request, before or after it did what was asked."""

    child: subprocess.Popen[bytes] | None = None
    at, after = 0, False

    def handle(self, request: Request) -> Reply:
        self.at -= self.child is not None
        if self.child is None or self.at != 0:
            return super().handle(request)
        reply = super().handle(request) if self.after else Reply(500)
        self.child.kill()
        self.child.wait(10)
        return reply


@pytest.fixture
def standin() -> Iterator[Deadly]:
    with Deadly() as standin:
        yield standin


@pytest.fixture
def world(standin: Deadly, context: None, monkeypatch: pytest.MonkeyPatch) -> FaultWorld:
    return FaultWorld(standin, monkeypatch)


@pytest.mark.parametrize(
    ("scenario", "number", "after"),
    [
        (fault_scenarios.first_sync, 0, False),
        (fault_scenarios.first_sync, 0, True),
        (fault_scenarios.first_sync, 1, True),
        (fault_scenarios.address_to_name, 1, True),
        (fault_scenarios.other_zone, 1, True),
        (fault_scenarios.other_account, 2, False),
        (fault_scenarios.to_wildcard, 0, True),
        (fault_scenarios.adopt, 0, True),
        (fault_scenarios.put_back, 0, True),
        (fault_scenarios.put_back, 0, False),
    ],
)
def test_a_killed_process_is_as_good_as_a_restarted_one(
    world: FaultWorld, standin: Deadly, config: Config, tally: Any,
    scenario: Callable[[FaultWorld], None], number: int, after: bool,
) -> None:  # fmt: skip
    """It dies at its `number`-th changing request."""
    scenario(world)
    world.keep()
    world.restore()
    changing = [at for at, request in enumerate(world.requests, 1) if request.method != "GET"]
    standin.at, standin.after = changing[number], after
    words = [str(config.data_dir), config.database_url, standin.url, world.panel.at.isoformat()]
    with standin.lock:
        standin.child = subprocess.Popen([sys.executable, "-m", "tests.dns.mortal", *words], cwd=ROOT)
    assert standin.child.wait(60) == KILLED
    standin.child = None
    assert bool(standin.accepted) or not after
    world.heal()
    wrong = world.wrong()
    tally("Killed processes (Cloudflare)", 1, not wrong)
    assert wrong == []
