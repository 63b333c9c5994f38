"""Going back is a deploy of a kept version; and a deploy waits for an engine that is away."""

from tests.deploy.deploy_world import IMAGE, NAME
from webapp.deploy import service
from webapp.deploy.actions import Phase
from webapp.deploy.engine import Mount, MountKind
from webapp.deploy.models import Seen
from webapp.errors import Busy

DATA = (Mount(MountKind.VOLUME, "blog-data", "/data"),)


def test_going_back_uses_the_kept_container_and_pulls_nothing(panel):
    panel.add()
    panel.deploy()
    first = panel.version(1).container_id
    panel.deploy("v2")
    panel.engine.calls.clear()
    assert panel.roll_back(1).phase is Phase.DONE
    assert {method for method, _ in panel.engine.calls} & {"pull", "create"} == set()
    assert panel.version(1).container_id == first
    assert panel.leads_to()[1] == panel.version(1).host_port
    assert panel.versions() == [(1, "current"), (2, "kept")]


def test_going_back_makes_the_container_again_when_somebody_removed_it(panel):
    panel.add()
    panel.deploy()
    panel.deploy("v2")
    panel.engine.remove_by_hand(panel.version(1).container_id)
    assert panel.roll_back(1).phase is Phase.DONE
    assert panel.running() == [panel.version(1).container_name]


def test_going_back_uses_the_image_of_then_also_when_the_tag_moved_on(panel):
    panel.add()
    panel.deploy()
    image = panel.version(1).image_id
    panel.deploy("v2")
    panel.engine.remove_by_hand(panel.version(1).container_id)
    panel.roll_back(1)
    assert {c.image_id for c in panel.ours() if c.name == panel.version(1).container_name} == {image}


def test_a_failed_way_back_keeps_the_version_to_try_again(panel):
    panel.add()
    panel.deploy()
    panel.deploy("v2")
    panel.engine.fail("start", before=True, error=Busy("no"))
    action = panel.roll_back(1)
    assert action.phase is Phase.FAILED
    assert panel.versions() == [(1, "kept"), (2, "current")]
    assert panel.running() == [panel.version(2).container_name]


def test_an_engine_that_restarts_during_a_deploy_is_waited_for(panel):
    panel.add()
    action = service.deploy(1, at=panel.now)
    panel.engine.down = True
    panel.run()
    waiting = panel.action(action.id)
    assert (waiting.is_over, waiting.attempts) == (False, 1)
    assert waiting.error
    panel.engine.down = False
    assert panel.finish(action.id).phase is Phase.DONE


def test_an_engine_that_stays_away_ends_the_deploy_when_it_can_be_undone(panel):
    panel.add()
    action = service.deploy(1, at=panel.now)
    panel.engine.down = True
    panel.finish(action.id, passes=10)
    panel.engine.down = False
    assert panel.finish(action.id).phase is Phase.FAILED
    assert panel.ours() == []
    assert panel.npm.hosts() == []


def test_a_mistake_of_ours_undoes_the_deploy_too(panel, monkeypatch):
    panel.add()
    panel.deploy()
    before = (panel.leads_to(), panel.running(), panel.versions())

    def broken(_job):
        raise KeyError("a bug")

    monkeypatch.setattr("webapp.deploy.deployer.wait_until_healthy", broken)
    assert panel.deploy("v2").phase is Phase.FAILED
    assert (panel.leads_to(), panel.running(), panel.versions()) == before


def test_the_instance_is_seen_running_after_a_deploy(panel):
    panel.add()
    panel.deploy()
    assert panel.instance().seen is Seen.RUNNING


def test_the_log_of_a_deploy_tells_its_steps_in_order(panel):
    panel.add()
    action = panel.deploy()
    log = panel.log(action.id)
    words = (
        "Deploying",
        "Pulling",
        "Pulled",
        "Starting",
        "Waiting",
        "Healthy",
        "Pointing",
        NAME,
        "Version 1 is live",
    )
    places = [next(i for i, text in enumerate(log) if text.startswith(word)) for word in words]
    assert places == sorted(places)
    assert IMAGE in log[0]
