"""kill -9 of the whole process at every request: another one finishes the work all the same."""

from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

import pytest

from tests.dns import fault_scenarios, mortal
from tests.dns.fault_world import PASSES, PAUSE, FaultWorld
from tests.dns.logged_cloudflare import LoggedCloudflare
from webapp.config import Config
from webapp.sandbox.server import Reply, Request

pytestmark = pytest.mark.matrix

KILLED = -9
WITH_MEMORY = {fault_scenarios.from_cloudflare, fault_scenarios.to_cloudflare}
"""Their other provider lives in the memory of one process, so that a second one cannot see it."""


class Deadly(LoggedCloudflare):
    """Kills its client at the `at`-th request, before or after it did what was asked."""

    child: BaseProcess | None = None
    at, after = 0, False

    def handle(self, request: Request) -> Reply:
        self.at -= self.child is not None
        if self.child is None or self.at != 0:
            return super().handle(request)
        reply = super().handle(request) if self.after else Reply(500)
        self.child.kill()
        wait([self.child.sentinel], 10)
        return reply


@pytest.fixture
def standin() -> Iterator[Deadly]:
    with Deadly() as standin:
        yield standin


@pytest.fixture
def world(standin: Deadly, context: None, monkeypatch: pytest.MonkeyPatch) -> FaultWorld:
    return FaultWorld(standin, monkeypatch)


def moments(world: FaultWorld) -> Iterator[tuple[int, bool]]:
    """Each request, before it is answered, and where it changes something also right after the change."""
    for at, request in enumerate(world.requests, 1):
        yield at, False
        if request.method != "GET":
            yield at, True


def kill(world: FaultWorld, standin: Deadly, config: Config, at: int, after: bool) -> None:
    """Have a process work until it dies at that request."""
    standin.at, standin.after = at, after
    with standin.lock:
        standin.child = mortal.start(
            config.data_dir, config.database_url, standin.url, world.panel.at, PAUSE, PASSES
        )
    standin.child.join(60)
    assert standin.child.exitcode == KILLED
    standin.child = None
    world.panel.wait(PAUSE * PASSES)


@pytest.mark.parametrize(
    "scenario", [s for s in fault_scenarios.SCENARIOS if s not in WITH_MEMORY], ids=lambda s: s.__name__
)
def test_a_killed_process_is_as_good_as_a_restarted_one(
    world: FaultWorld, standin: Deadly, config: Config, tally: Any, scenario: Callable[[FaultWorld], None]
) -> None:
    scenario(world)
    world.keep()
    cases, failures = 0, []
    for at, after in moments(world):
        cases += 1
        world.restore()
        kill(world, standin, config, at, after)
        world.heal()
        wrong = world.wrong()
        failures += [(at, after, wrong)] if wrong else []
    tally("Killed processes (Cloudflare)", cases, cases - len(failures))
    assert failures == []
