"""The engine's stand-in keeps the contract of every engine, and can be made to fail."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.deploy.engine_contract import EngineContract
from tests.deploy.engine_world import made, seen, spec, started
from tests.deploy.sandbox_world import SandboxWorld
from webapp.deploy.engine import Gone, Restart, State
from webapp.errors import EngineError


@pytest.fixture
def world():
    return SandboxWorld()


@pytest.mark.matrix
class TestSandboxEngine(EngineContract):
    """The contract."""


def test_a_fault_before_the_change_leaves_it_unmade(world):
    number = made(world)
    world.it.fail("start", before=True)
    with pytest.raises(EngineError) as caught:
        world.engine.start(number, Restart.NO)
    assert caught.value.will_heal
    assert seen(world, number).state is State.CREATED


def test_a_fault_after_the_change_leaves_it_made(world):
    number = made(world)
    world.it.fail("start", before=False, error=Gone("lost"))
    with pytest.raises(Gone):
        world.engine.start(number, Restart.NO)
    assert seen(world, number).state is State.RUNNING


def test_a_fault_strikes_so_many_times_after_so_many_calls(world):
    world.it.fail("info", before=True, times=2, skip=1)
    outcomes = []
    for _ in range(4):
        try:
            world.engine.info()
            outcomes.append(True)
        except EngineError:
            outcomes.append(False)
    assert outcomes == [True, False, False, True]


def test_whoever_listens_to_calls_hears_each_twice_and_may_end_it(world):
    heard = []
    world.it.on_call = lambda method, when: heard.append((method, when))
    world.engine.info()
    assert heard == [("info", "before"), ("info", "after")]


def test_life_follows_the_clock(world):
    now = datetime(2026, 3, 1, tzinfo=UTC)
    world.it.clock = lambda: now
    number = started(world, "crash", restart=Restart.UNLESS_STOPPED)
    assert seen(world, number).restarts == 0
    now += timedelta(seconds=5)
    assert seen(world, number).restarts == 5


def test_a_port_answers_as_the_container_behind_it_would(world):
    port = world.free_port()
    number = started(world, publish=("127.0.0.1", port))
    probe = world.it.probe
    assert not probe.listens("127.0.0.1", port, 1)
    later = datetime.now(UTC) + timedelta(seconds=2)
    world.it.clock = lambda: later
    assert probe.listens("127.0.0.1", port, 1)
    assert probe.status(f"http://127.0.0.1:{port}/healthz", 1) == 200
    assert probe.status(f"http://127.0.0.1:{port}/missing", 1) == 404
    world.engine.stop(number, 1)
    assert not probe.listens("127.0.0.1", port, 1)
    assert probe.status(f"http://127.0.0.1:{port}/", 1) is None


def test_a_restart_of_the_engine_brings_back_what_is_to_come_back(world):
    kept = started(world, restart=Restart.UNLESS_STOPPED)
    ended = started(world, name="other", restart=Restart.NO)
    world.it.restart_engine()
    assert (seen(world, kept).state, seen(world, ended).state) == (State.RUNNING, State.EXITED)


def test_a_slow_pull_tells_how_far_it_is(world):
    slept, layers = [], []
    world.it.sleep, world.it.pull_seconds = slept.append, 2.4
    world.engine.pull(world.reference("good"), None, layers.append)
    assert sum(slept) == pytest.approx(2.4)
    assert max(layer.total for layer in layers) == 31_500_000


def test_a_container_needs_an_image_the_engine_has(world):
    wanted = spec(world)
    world.forget(wanted.image)
    with pytest.raises(Gone):
        world.engine.create(wanted)
