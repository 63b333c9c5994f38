"""Deploys on a real engine, from a real registry, behind a real nginx."""

import time

import pytest

from tests.engine.forge import running_forge
from tests.engine.rig import LOGIN
from webapp.deploy import service
from webapp.deploy.actions import Kind, Phase
from webapp.deploy.engine import Login, Mount, MountKind
from webapp.deploy.health import Check, CheckKind
from webapp.deploy.models import Seen
from webapp.deploy.recipe import Reach

NAME = "blog.example.com"


@pytest.fixture
def forge(rig, tmp_path):
    """A panel on the engine, without containers of earlier tests."""
    with running_forge(rig, tmp_path) as forge:
        yield forge
    rig.clean_up()


def test_a_first_deploy_is_reachable_under_its_name(forge):
    forge.add()
    with forge.worker():
        assert forge.deploy().phase is Phase.DONE
        assert forge.serves("v1")
    assert forge.claims() == [NAME]
    assert forge.running() == [forge.version(1).container_name]


@pytest.mark.parametrize("reach", [Reach.PORT, Reach.NETWORK])
def test_no_visitor_notices_a_new_version(forge, reach):
    forge.add(reach=reach, network="forge-proxy", drain=2)
    with forge.worker():
        forge.deploy()
        assert forge.serves("v1")
        with forge.visitors() as fast, forge.visitors(path="/cgi-bin/slow") as slow:
            time.sleep(0.5)
            assert forge.deploy("v2").phase is Phase.DONE
            time.sleep(1.5)
    for visits in (fast, slow):
        assert visits.failures == []
        assert set(visits.answers) == {"v1", "v2"}
    assert len(fast.answers) > 100
    assert forge.running() == [forge.version(2).container_name]


@pytest.mark.parametrize("bad", ["sick", "crash", "deaf", "no-such-tag"])
def test_no_visitor_notices_a_version_that_fails(forge, bad):
    quick = Check(CheckKind.AUTO, interval=1, timeout=1, start_period=2)
    forge.add(check=quick)
    with forge.worker():
        forge.deploy()
        assert forge.serves("v1")
        before = (forge.containers(), forge.versions(), forge.claims(), forge.npm.writes)
        with forge.visitors() as visits:
            action = forge.deploy(bad)
    assert action.phase is Phase.FAILED
    assert action.error
    assert visits.failures == []
    assert set(visits.answers) == {"v1"}
    assert (forge.containers(), forge.versions(), forge.claims(), forge.npm.writes) == before


def test_what_a_container_said_before_it_crashed_is_in_the_log(forge):
    forge.add(tag="crash")
    with forge.worker():
        action = forge.deploy()
    assert "keeps ending" in action.error
    assert "fatal: no database" in forge.log(action.id)
    assert (forge.containers(), forge.npm.hosts(), forge.claims()) == ([], [], [])


@pytest.mark.parametrize(("login", "works"), [(LOGIN, True), (Login("forge", "wr0ng"), False), (None, False)])
def test_a_registry_that_wants_a_password(forge, login, works):
    forge.add(repository=f"{forge.rig.locked.address}/acme/web", login=login)
    with forge.worker():
        action = forge.deploy()
    assert (action.phase is Phase.DONE) == works
    assert "wr0ng" not in "".join([*forge.log(action.id), action.error or ""])
    assert bool(forge.containers()) == works


def test_an_http_check_waits_for_its_status(forge):
    check = Check(CheckKind.HTTP, path="/healthz", status=200, interval=1, timeout=1, start_period=1)
    forge.add(check=check)
    with forge.worker():
        assert forge.deploy().phase is Phase.DONE
    missing = Check(CheckKind.HTTP, path="/missing", status=200, interval=1, timeout=1, start_period=1)
    forge.add("other", check=missing)
    with forge.worker():
        action = forge.deploy(instance=2)
    assert action.phase is Phase.FAILED
    assert "/missing answers 404, expected 200" in action.error


def test_a_version_that_comes_up_slowly_is_waited_for(forge):
    forge.add(image="healthy", tag="slow")
    with forge.worker():
        assert forge.deploy().phase is Phase.DONE


def test_with_a_volume_the_old_version_stops_first_and_the_data_stays(forge):
    forge.add(mounts=(Mount(MountKind.VOLUME, "blog-data", "/www/data"),))
    with forge.worker():
        forge.deploy()
        assert forge.deploy("v2").phase is Phase.DONE
        assert forge.serves("v2")
        assert forge.running() == [forge.version(2).container_name]
        forge.wait(forge.ask(service.remove, 1, volumes=True))
    assert forge.rig.docker.api.volumes()["Volumes"] in (None, [])


def test_going_back_is_quick_and_unnoticed(forge):
    forge.add()
    with forge.worker():
        forge.deploy()
        forge.deploy("v2")
        assert forge.serves("v2")
        first = forge.version(1)
        with forge.visitors() as visits:
            assert forge.wait(forge.ask(service.roll_back, 1, first.id)).phase is Phase.DONE
            assert forge.serves("v1")
    assert visits.failures == []
    assert forge.version(1).container_id == first.container_id


def test_removal_leaves_nothing(forge):
    foreign = forge.rig.docker.containers.run(forge.rig.reference("acme/web:v1"), name="foreign", detach=True)
    forge.add()
    with forge.worker():
        forge.deploy()
        forge.deploy("v2")
        assert forge.wait(forge.ask(service.remove, 1)).phase is Phase.DONE
        assert forge.until(lambda: not forge.npm.hosts())
    assert (forge.containers(), forge.claims(), forge.line()) == (["foreign"], [], None)
    foreign.reload()
    assert foreign.status == "running"


def test_what_happens_behind_our_back_shows_within_seconds(forge):
    forge.add()
    with forge.worker():
        forge.deploy()
        name = forge.version(1).container_name
        assert forge.until(lambda: forge.line().instance.seen is Seen.RUNNING)
        forge.rig.docker.api.kill(name)
        forge.rig.docker.api.update_container(name, restart_policy={"Name": "no"})
        forge.rig.docker.api.stop(name)
        assert forge.until(lambda: forge.line().instance.seen is Seen.ENDED, 6)
        forge.wait(forge.ask(service.operate, 1, Kind.START))
        assert forge.serves("v1")
        forge.rig.docker.api.remove_container(name, force=True)
        assert forge.until(lambda: forge.line().instance.seen is Seen.MISSING, 6)
        forge.wait(forge.ask(service.operate, 1, Kind.START))
        assert forge.serves("v1")


def test_an_engine_that_restarts_during_a_deploy_does_not_fail_it(forge):
    forge.add(image="healthy", tag="v1")
    with forge.worker():
        forge.deploy()
        action = forge.ask(service.deploy, 1, "slow")
        assert forge.until(lambda: forge.action(action).phase is Phase.WAITING)
        forge.rig.restart()
        assert forge.wait(action, 120).phase is Phase.DONE
        assert forge.until(lambda: forge.line().reachable.answer is True)
    assert forge.running() == [forge.version(2).container_name]


def test_an_engine_that_hangs_does_not_fail_a_deploy(forge):
    forge.add()
    with forge.worker():
        forge.deploy()
        forge.rig.freeze()
        action = forge.ask(service.deploy, 1, "v2")
        time.sleep(3)
        forge.rig.thaw()
        assert forge.wait(action, 120).phase is Phase.DONE


def test_twenty_apps_are_deployed_side_by_side(forge):
    instances = [forge.add(f"app{number}") for number in range(20)]
    with forge.worker():
        actions = [forge.ask(service.deploy, instance) for instance in instances]
        assert {forge.wait(action, 180).phase for action in actions} == {Phase.DONE}
        for number in range(20):
            name = f"app{number}.example.com"
            assert forge.serves("v1", name)
    assert len(forge.running()) == 20
