"""The panel is killed at every phase, on a real engine: the next start finishes or undoes what was begun."""

import pytest

from tests.engine.forge import kill, running_forge
from webapp.deploy import service
from webapp.deploy.actions import Phase

NAME = "blog.example.com"


DEPLOY_PHASES = [
    "checking", "pulling", "Pulled", "starting", "waiting", "Healthy", "switching", "draining", "retiring",
]  # fmt: skip


@pytest.fixture
def forge(rig, tmp_path):
    """A panel on the engine, without containers of earlier tests."""
    with running_forge(rig, tmp_path) as forge:
        yield forge
    rig.clean_up()


@pytest.mark.parametrize("phase", DEPLOY_PHASES)
def test_a_panel_killed_during_a_deploy_finishes_it_at_the_next_start(forge, phase):
    forge.add()
    with forge.worker():
        forge.deploy()
        assert forge.serves("v1")
    action = forge.ask(service.deploy, 1, "v2")
    with forge.visitors() as visits:
        assert forge.process(phase).wait(30) == -9
        assert not forge.action(action).is_over
        again = forge.process()
        try:
            assert forge.wait(action, 60).phase is Phase.DONE
            assert forge.serves("v2")
        finally:
            kill(again)
    assert visits.failures == []
    assert forge.versions() == [(1, "kept"), (2, "current")]
    assert forge.running() == [forge.version(2).container_name]
    assert len(forge.containers()) == 2


@pytest.mark.parametrize("phase", ["starting", "switching", "retiring"])
def test_a_panel_killed_while_going_back_finishes_that_too(forge, phase):
    forge.add()
    with forge.worker():
        forge.deploy()
        forge.deploy("v2")
    action = forge.ask(service.roll_back, 1, forge.version(1).id)
    assert forge.process(phase).wait(30) == -9
    again = forge.process()
    try:
        assert forge.wait(action, 60).phase is Phase.DONE
        assert forge.serves("v1")
    finally:
        kill(again)
    assert forge.running() == [forge.version(1).container_name]


@pytest.mark.parametrize("phase", ["working", "Removed the container"])
def test_a_panel_killed_during_a_removal_finishes_it(forge, phase):
    forge.add()
    with forge.worker():
        forge.deploy()
        forge.deploy("v2")
    action = forge.ask(service.remove, 1)
    assert forge.process(phase).wait(30) == -9
    again = forge.process()
    try:
        assert forge.wait(action, 60).phase is Phase.DONE
        assert forge.until(lambda: not forge.npm.hosts())
    finally:
        kill(again)
    assert (forge.containers(), forge.claims(), forge.versions()) == ([], [], [])


@pytest.mark.parametrize("phase", ["waiting", "undoing"])
def test_a_panel_killed_while_a_deploy_fails_undoes_it_at_the_next_start(forge, phase):
    forge.add()
    with forge.worker():
        forge.deploy()
    before = (forge.containers(), forge.versions())
    action = forge.ask(service.deploy, 1, "crash")
    assert forge.process(phase).wait(30) == -9
    again = forge.process()
    try:
        assert forge.wait(action, 60).phase is Phase.FAILED
    finally:
        kill(again)
    assert (forge.containers(), forge.versions()) == before
    assert forge.visit() == "v1"
