"""Every fault at every request of everything that is done at Cloudflare: it comes out as wished."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.dns.fault_scenarios import SCENARIOS
from tests.dns.fault_world import FaultWorld
from tests.dns.logged_cloudflare import LoggedCloudflare
from tests.dns.wire_faults import ANSWERS, DEATHS, LOST, Fault, is_second_page

pytestmark = pytest.mark.matrix


@pytest.fixture
def standin() -> Iterator[LoggedCloudflare]:
    with LoggedCloudflare() as standin:
        yield standin


@pytest.fixture
def world(standin: LoggedCloudflare, context: None, monkeypatch: pytest.MonkeyPatch) -> FaultWorld:
    return FaultWorld(standin, monkeypatch)


@pytest.mark.parametrize("faults", [LOST, ANSWERS, DEATHS], ids=["lost", "answers", "deaths"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_any_fault_at_any_request_comes_out_as_wished(
    world: FaultWorld, tally: Any, scenario: Callable[[FaultWorld], None], faults: list[Fault]
) -> None:
    scenario(world)
    world.keep()
    world.heal()
    assert world.wrong() == []
    assert any(is_second_page(request) for request in world.requests)
    cases, failures = 0, []
    for fault, at in world.cases(faults):
        cases += 1
        world.restore()
        world.suffer(fault, at)
        wrong = [] if world.wire.fired else ["it never came"]
        world.heal()
        wrong += world.wrong()
        failures += [(fault.name, at, wrong)] if wrong else []
    tally("Fault matrix (Cloudflare)", cases, cases - len(failures))
    assert failures == []
    assert cases >= 2 * len(faults)
