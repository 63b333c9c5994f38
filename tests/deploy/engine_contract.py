"""The contract of every engine: subclass it in a test module that has a fixture `world` (an EngineWorld)."""

import threading

import pytest

from tests.deploy.contract_containers import ContainerContract
from tests.deploy.contract_images import ImageContract, ignored
from tests.deploy.contract_looks import LookContract
from tests.deploy.engine_world import INSTALL, UNKNOWN, made, seen, spec
from webapp.deploy.engine import Mount, MountKind, Restart, State
from webapp.errors import EngineError


class ForeignContract:
    """What does not carry our mark survives everything."""

    @pytest.fixture(params=["", "install-2"], ids=["no mark", "mark of another installation"])
    def foreign(self, world, request):
        return world.by_hand("theirs", install=request.param)

    @pytest.mark.parametrize(
        "act",
        [
            lambda engine, number: engine.start(number, Restart.NO),
            lambda engine, number: engine.stop(number, 1),
            lambda engine, number: engine.remove(number),
        ],
        ids=["start", "stop", "remove"],
    )
    def test_a_foreign_container_is_never_touched(self, world, foreign, act):
        with pytest.raises(EngineError) as caught:
            act(world.engine, foreign)
        assert not caught.value.will_heal
        assert seen(world, foreign).state is State.RUNNING

    def test_a_foreign_container_is_not_listed_and_can_be_looked_at(self, world, foreign):
        assert world.engine.containers() == []
        owner = seen(world, foreign).owner
        assert owner is None or owner.install != INSTALL

    def test_a_foreign_volume_is_not_removed(self, world):
        world.volume_by_hand("theirs-data")
        with pytest.raises(EngineError):
            world.engine.remove_volume("theirs-data")
        assert world.has_volume("theirs-data")

    def test_a_foreign_volume_that_a_container_of_ours_used_is_not_removed(self, world):
        world.volume_by_hand("theirs-data")
        world.engine.remove(made(world, mounts=(Mount(MountKind.VOLUME, "theirs-data", "/data"),)))
        with pytest.raises(EngineError):
            world.engine.remove_volume("theirs-data")
        assert world.has_volume("theirs-data")


CALLS = {
    "info": lambda engine, image: engine.info(),
    "pull": lambda engine, image: engine.pull(image, None, ignored),
    "image": lambda engine, image: engine.image(image),
    "start": lambda engine, image: engine.start(UNKNOWN, Restart.NO),
    "stop": lambda engine, image: engine.stop(UNKNOWN, 1),
    "remove": lambda engine, image: engine.remove(UNKNOWN),
    "remove_volume": lambda engine, image: engine.remove_volume("blog-data"),
    "container": lambda engine, image: engine.container(UNKNOWN),
    "containers": lambda engine, image: engine.containers(),
    "logs": lambda engine, image: engine.logs(UNKNOWN, 10),
    "usage": lambda engine, image: engine.usage(UNKNOWN),
    "events": lambda engine, image: list(engine.events(lambda: False)),
}


class OutageContract:
    """An engine that does not answer: never taken for one that has nothing."""

    def test_every_call_says_that_waiting_may_help_and_works_again_afterwards(self, world):
        wanted = spec(world)
        calls = {**CALLS, "create": lambda engine, image: engine.create(wanted)}
        world.stop_engine()
        healing = {}
        try:
            for name, call in calls.items():
                with pytest.raises(EngineError) as caught:
                    call(world.engine, world.reference("good"))
                healing[name] = caught.value.will_heal
        finally:
            world.start_engine()
        assert healing == dict.fromkeys(calls, True)
        assert world.engine.containers() == []

    def test_events_end_when_the_engine_does(self, world):
        events, ended = world.engine.events(lambda: False), []

        def listen():
            ended.append(list(events))

        listener = threading.Thread(target=listen)
        listener.start()
        world.stop_engine()
        try:
            listener.join(10)
        finally:
            world.start_engine()
        assert ended == [[]]


class EngineContract(ImageContract, ContainerContract, ForeignContract, LookContract, OutageContract):
    """All of it."""
