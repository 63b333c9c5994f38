"""The engine's stand-in behaves as an engine does where the contract cannot look: pulls cut off, ends, events."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.deploy.engine_world import INSTALL, OWNER, made, pulled, seen, spec, started
from tests.deploy.sandbox_world import REPOSITORY, SandboxWorld
from webapp.deploy.engine import Restart
from webapp.errors import EngineError


@pytest.fixture
def world():
    return SandboxWorld()


class Death(BaseException):
    """The process dies here."""


@pytest.fixture
def pass_time(world):
    """A clock that moves only when told to."""
    moment = [datetime(2026, 3, 1, tzinfo=UTC)]
    world.it.clock = lambda: moment[0]

    def pass_time(seconds):
        moment[0] += timedelta(seconds=seconds)

    return pass_time


@pytest.mark.parametrize(("when", "there"), [("before", False), ("after", True)])
def test_a_pull_that_is_cut_off_has_happened_or_not(world, when, there):
    def die(method, moment):
        if (method, moment) == ("pull", when):
            raise Death

    world.it.on_call = die
    with pytest.raises(Death):
        pulled(world, "good")
    assert (world.engine.image(world.reference("good")) is not None) is there


def test_a_pull_is_lost_when_the_engine_goes_down_meanwhile(world):
    def go_down(layer):
        world.it.down = True

    with pytest.raises(EngineError) as caught:
        world.engine.pull(world.reference("good"), None, go_down)
    assert caught.value.will_heal
    world.it.down = False
    assert world.engine.image(world.reference("good")) is None


def test_no_two_containers_have_the_same_address(world, pass_time):
    first, second = made(world, name="first"), started(world, name="second", network="forge")
    world.engine.remove(first)
    deaf = started(world, "deaf", name="third", network="forge")
    pass_time(10)
    addresses = [seen(world, number).addresses["forge"] for number in (second, deaf)]
    assert [world.it.probe.listens(address, 8080, 1) for address in addresses] == [True, False]


def test_a_port_published_to_where_nobody_listens_does_not_answer(world, pass_time):
    port = world.free_port()
    started(world, port=9999, publish=("127.0.0.1", port))
    pass_time(10)
    assert not world.it.probe.listens("127.0.0.1", port, 1)


def test_stopping_what_has_ended_by_itself_keeps_its_exit_code(world, pass_time):
    number = started(world, "crash", restart=Restart.NO)
    pass_time(10)
    world.engine.stop(number, 1)
    assert seen(world, number).exit_code == 3


@pytest.mark.parametrize(("kind", "code"), [("good", 143), ("stubborn", 137)])
def test_a_stopped_one_says_whether_it_ended_when_asked(world, kind, code):
    number = started(world, kind)
    world.engine.stop(number, 1)
    assert seen(world, number).exit_code == code


def test_a_stopped_one_writes_no_more(world, pass_time):
    number = started(world, "stubborn")
    pass_time(3)
    world.engine.stop(number, 1)
    lines = world.engine.logs(number, 100)
    pass_time(60)
    assert world.engine.logs(number, 100) == lines


def test_a_crash_loop_keeps_its_count_through_a_restart_of_the_engine(world, pass_time):
    number = started(world, "crash", restart=Restart.UNLESS_STOPPED)
    pass_time(9.1)
    world.it.restart_engine()
    assert seen(world, number).restarts == 9


def test_events_end_when_the_engine_was_away_only_for_a_moment(world):
    events = world.engine.events(lambda: False)
    world.it.restart_engine()
    assert list(events) == []


def test_the_end_of_a_foreign_container_is_not_told(world):
    foreign = world.by_hand("theirs")
    events = world.engine.events(lambda: False)
    world.remove_by_hand(foreign)
    number = made(world)
    assert next(events).container == number


def test_one_that_ends_by_itself_is_told(world, pass_time):
    number = started(world, "crash", restart=Restart.NO)
    events = world.engine.events(lambda: False)
    pass_time(1)
    event = next(events)
    assert (event.container, event.action) == (number, "die")


def test_a_container_with_the_mark_of_another_installation_is_not_made(world):
    wanted = replace(spec(world), owner=replace(OWNER, install="install-2"))
    with pytest.raises(EngineError):
        world.engine.create(wanted)
    assert world.it.containers == {}


def test_a_tag_that_is_pushed_again_is_another_image_each_time(world):
    images = {pulled(world, "good")}
    for _ in range(2):
        world.it.put_image(f"{REPOSITORY}/good", "v1")
        images.add(pulled(world, "good"))
    assert len(images) == 3


def test_a_panel_that_starts_anew_finds_its_containers(world):
    number = started(world)
    assert [found.id for found in world.it.bound(INSTALL).containers()] == [number]


def test_many_deploys_at_once_do_not_disturb_each_other(world):
    wanted = spec(world)

    def live(number):
        container = world.engine.create(replace(wanted, name=f"forge-{number}"))
        world.engine.start(container, Restart.NO)
        world.it.probe.listens("172.30.0.2", 8080, 1)
        world.it.restart_engine()
        world.engine.containers()
        world.engine.remove(container)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(live, range(200)))
    assert world.it.containers == {}
