"""A real engine, or something in its place, that does not answer as it should."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.deploy.engine_world import seen, started
from tests.engine.rig import NOBODYS_PORT
from webapp.deploy.engine import State
from webapp.errors import EngineError


def test_proxies_of_the_environment_are_not_asked(world, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{NOBODYS_PORT}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{NOBODYS_PORT}")
    assert world.rig.engine().info().version


def test_a_frozen_engine_is_not_waited_for_longer_than_the_limit(world):
    engine = world.rig.engine(look=1, change=2, silence=2)
    number = started(world)
    engine.containers()
    world.rig.freeze()
    try:
        begun = time.monotonic()
        with pytest.raises(EngineError) as read:
            engine.containers()
        with pytest.raises(EngineError) as changed:
            engine.pull(world.reference("good"), None, lambda layer: None)
        with pytest.raises(EngineError) as listened:
            engine.events(lambda: False)
    finally:
        world.rig.thaw()
    assert time.monotonic() - begun < 8
    assert (read.value.will_heal, changed.value.will_heal, listened.value.will_heal) == (True, True, True)
    assert "could not list the containers" in read.value.message
    assert seen(world, number).state is State.RUNNING


def test_a_change_that_timed_out_is_not_confirmed(world):
    engine = world.rig.engine(look=60, change=1)
    number = started(world, "stubborn")
    with ThreadPoolExecutor(1) as pool:
        stopping = pool.submit(engine.stop, number, 2)
        time.sleep(0.7)
        world.rig.freeze()
        try:
            error = stopping.exception(15)
        finally:
            world.rig.thaw()
    assert "could not confirm" in error.message
    assert error.will_heal


def test_a_subscription_that_hears_nothing_still_ends_when_it_is_told_to(world):
    ends = time.monotonic() + 1.5
    assert list(world.rig.engine(look=1).events(lambda: time.monotonic() > ends)) == []
    assert time.monotonic() - ends < 1.5


def test_a_missing_socket_is_named_with_what_to_do(rig, tmp_path):
    engine = rig.engine(host=f"unix://{tmp_path}/none.sock")
    with pytest.raises(EngineError) as caught:
        engine.info()
    assert f"{tmp_path}/none.sock" in caught.value.message
    assert "DOCKER_HOST" in caught.value.message
    assert caught.value.will_heal


def test_an_address_where_nobody_listens_may_be_one_of_an_engine_that_is_down(rig):
    with pytest.raises(EngineError) as caught:
        rig.engine(host=f"tcp://127.0.0.1:{NOBODYS_PORT}").info()
    assert "does not run" in caught.value.message
    assert caught.value.will_heal


def test_something_else_than_an_engine_is_told_so(rig):
    with pytest.raises(EngineError) as caught:
        rig.engine(host=f"tcp://{rig.registry.address}").info()
    assert "is not a container engine" in caught.value.message


def test_a_registry_that_holds_its_answer_back_can_be_given_up(world):
    with socket.create_server(("127.0.0.1", NOBODYS_PORT)):
        begun = time.monotonic()

        def give_up(layer):
            if time.monotonic() - begun > 1:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            world.engine.pull(world.nowhere(), None, give_up)
        assert time.monotonic() - begun < 4
