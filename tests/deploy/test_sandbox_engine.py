"""The engine's stand-in keeps the contract of every engine, and can be made to fail."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.deploy.engine_contract import EngineContract
from tests.deploy.engine_world import INSTALL, made, seen, spec, started
from webapp.deploy.engine import Gone, Login, Restart, State
from webapp.errors import EngineError
from webapp.sandbox.engine import Behaviour, EngineStandIn

REPOSITORY = "registry.example/acme"


class SandboxWorld:
    """See EngineWorld."""

    login = Login("ada", "right-password")

    def __init__(self):
        self.it = EngineStandIn()
        for kind in ("good", "crash", "stubborn"):
            self.it.put_image(f"{REPOSITORY}/{kind}", "v1", behaviour=Behaviour(kind))
        self.it.put_image(f"{REPOSITORY}/healthy", "v1", has_health_check=True)
        self.it.put_image(f"{REPOSITORY}/sick", "v1", behaviour=Behaviour.SICK, has_health_check=True)
        self.it.put_image(f"{REPOSITORY}/locked", "v1", login=self.login)
        self.engine = self.it.bound(INSTALL)
        self._port = 21000

    def reference(self, kind):
        return f"{REPOSITORY}/{kind}:v1"

    def nowhere(self):
        return "nowhere.example/acme/web:v1"

    def forget(self, reference):
        self.it.images.clear()

    def by_hand(self, name, *, install=""):
        return self.it.put_by_hand(name, install=install)

    def stop_by_hand(self, container):
        self.it.stop_by_hand(container)

    def remove_by_hand(self, container):
        self.it.remove_by_hand(container)

    def volume_by_hand(self, name):
        self.it.volumes[name] = ""

    def has_volume(self, name):
        return name in self.it.volumes

    def free_port(self):
        self._port += 1
        return self._port

    @contextmanager
    def occupied(self, port):
        self.it.occupied.add(port)
        yield
        self.it.occupied.discard(port)

    def stop_engine(self):
        self.it.down = True

    def start_engine(self):
        self.it.down = False


@pytest.fixture
def world():
    return SandboxWorld()


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
    assert sum(slept) == pytest.approx(2.7)
    assert max(layer.total for layer in layers) == 31_500_000


def test_a_container_needs_an_image_the_engine_has(world):
    wanted = spec(world)
    world.forget(wanted.image)
    with pytest.raises(Gone):
        world.engine.create(wanted)
