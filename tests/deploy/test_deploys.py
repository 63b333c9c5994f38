"""Deploys: a new version takes over the name, or nothing has changed."""

import pytest

from tests.deploy.deploy_world import NAME
from webapp.db import reading
from webapp.deploy.actions import Phase
from webapp.deploy.engine import Mount, MountKind
from webapp.deploy.recipe import Reach, Strategy
from webapp.dns import ledger
from webapp.errors import Busy
from webapp.proxy.models import HostStatus

DATA = (Mount(MountKind.VOLUME, "blog-data", "/data"),)


def test_a_first_deploy_makes_container_host_and_name(panel):
    panel.add()
    action = panel.deploy()
    assert (action.phase, action.error) == (Phase.DONE, None)
    (container,) = panel.ours()
    version = panel.version(1)
    assert panel.leads_to() == ("127.0.0.1", version.host_port)
    assert container.id == version.container_id
    assert panel.claims() == [(NAME, "instance", 1)]
    assert panel.line().reachable.answer is True


def test_before_a_deploy_the_name_is_kept_and_nothing_is_published(panel):
    panel.add()
    panel.run()
    assert panel.npm.hosts() == []
    assert panel.claims() == []
    assert [host.status for host in panel.hosts()] == [HostStatus.RESERVED]
    with pytest.raises(Busy, match="in use"):
        panel.add("other", NAME)


def test_a_second_version_takes_over_and_the_first_is_kept(panel):
    panel.add()
    panel.deploy()
    panel.deploy("v2")
    assert panel.versions() == [(1, "kept"), (2, "current")]
    assert panel.leads_to()[1] == panel.version(2).host_port
    assert panel.running() == [panel.version(2).container_name]


def test_the_old_version_runs_until_the_name_leads_to_the_new_one(panel):
    panel.add()
    panel.deploy()
    old, seen = panel.version(1), []

    def watch(method, when):
        if method == "stop" and when == "before":
            seen.append(panel.leads_to()[1])

    panel.engine.on_call = watch
    panel.deploy("v2")
    assert seen == [panel.version(2).host_port]
    assert old.host_port != panel.version(2).host_port


def test_requests_under_way_get_their_time_before_the_old_version_stops(panel):
    panel.add(drain=30)
    panel.deploy()
    before = panel.now
    panel.deploy("v2")
    assert (panel.now - before).total_seconds() >= 30


def test_a_switch_of_versions_leaves_the_claim_untouched(panel):
    panel.add()
    panel.deploy()
    with reading() as session:
        before = [row.updated_at for row in ledger.wanted(session)]
    panel.deploy("v2")
    panel.roll_back(1)
    with reading() as session:
        assert [row.updated_at for row in ledger.wanted(session)] == before


@pytest.mark.parametrize("tag", ["sick", "crash", "deaf", "no-such-tag", "locked"])
def test_a_first_deploy_that_fails_leaves_no_host_no_name_and_no_container(panel, tag):
    panel.add()
    action = panel.deploy(tag)
    assert action.phase is Phase.FAILED
    assert action.error
    panel.settle()
    assert (panel.ours(), panel.npm.hosts(), panel.claims(), panel.versions()) == ([], [], [], [])
    assert panel.line().reachable.answer is None


@pytest.mark.parametrize("tag", ["sick", "crash", "deaf", "no-such-tag", "locked"])
def test_a_later_deploy_that_fails_leaves_everything_as_it_was(panel, tag):
    panel.add()
    panel.deploy()
    before = (panel.leads_to(), panel.running(), panel.claims(), panel.versions(), panel.npm.hosts()[0]["id"])
    writes = panel.npm.writes
    action = panel.deploy(tag)
    assert action.phase is Phase.FAILED
    after = (panel.leads_to(), panel.running(), panel.claims(), panel.versions(), panel.npm.hosts()[0]["id"])
    assert after == before
    assert panel.npm.writes == writes


def test_the_last_words_of_a_failed_container_are_kept_without_its_secrets(panel):
    from webapp.deploy.apps import Secret

    panel.add(secrets=[Secret("TOKEN", "planted-secret-value")])
    panel.engine.say("crash", "cannot sign in with planted-secret-value")
    action = panel.deploy("crash")
    text = "\n".join(panel.log(action.id))
    assert "cannot sign in with •••" in text
    assert "planted-secret-value" not in text


def test_a_private_image_is_pulled_with_the_saved_account(panel):
    panel.add(user="ada", password="right-password", tag="locked")
    assert panel.deploy().phase is Phase.DONE


def test_a_wrong_password_of_the_registry_is_said_and_not_shown(panel):
    panel.add(user="ada", password="wrong-password", tag="locked")
    action = panel.deploy()
    assert action.phase is Phase.FAILED
    assert "wrong-password" not in "\n".join([*panel.log(action.id), action.error])


def test_an_image_with_a_health_check_is_trusted_to_know(panel):
    panel.add(tag="checked")
    action = panel.deploy()
    assert action.phase is Phase.DONE
    assert any("health check passes" in text for text in panel.log(action.id))


def test_a_volume_that_is_written_to_makes_the_old_version_stop_first(panel):
    panel.add(mounts=DATA)
    panel.deploy()
    running = []
    panel.engine.on_call = lambda method, when: (
        running.append(len(panel_running(panel))) if (method, when) == ("start", "before") else None
    )
    panel.deploy("v2")
    assert running == [0]
    assert panel.running() == [panel.version(2).container_name]


def panel_running(panel):
    """Running containers, without asking through the watched engine."""
    return [c for c in panel.engine.containers.values() if c.id in panel.engine.running()]


def test_when_the_new_version_fails_the_one_that_stopped_first_is_started_again(panel):
    panel.add(mounts=DATA)
    panel.deploy()
    before = panel.leads_to()
    assert panel.deploy("sick").phase is Phase.FAILED
    assert panel.running() == [panel.version(1).container_name]
    assert panel.leads_to() == before


def test_one_that_somebody_stopped_is_not_started_by_a_failed_deploy(panel):
    from webapp.deploy.actions import Kind

    panel.add(mounts=DATA)
    panel.deploy()
    panel.operate(Kind.STOP)
    panel.deploy("sick")
    assert panel.running() == []


def test_a_fixed_port_stays_the_same_for_every_version(panel):
    panel.add(host_port=25001)
    panel.deploy()
    panel.deploy("v2")
    assert panel.leads_to() == ("127.0.0.1", 25001)
    assert panel.running() == [panel.version(2).container_name]


def test_a_port_that_is_taken_is_given_up_for_another(panel):
    panel.engine.occupied.add(20000)
    panel.add()
    assert panel.deploy().phase is Phase.DONE
    assert panel.leads_to() == ("127.0.0.1", 20001)
    assert len(panel.ours()) == 1


def test_a_fixed_port_that_is_taken_fails_with_its_number(panel):
    panel.engine.occupied.add(25001)
    panel.add(host_port=25001)
    action = panel.deploy()
    assert action.phase is Phase.FAILED
    assert "25001" in action.error
    assert panel.ours() == []


def test_on_a_shared_network_the_host_leads_to_the_container_by_name(panel):
    panel.add(reach=Reach.NETWORK, network="proxy")
    panel.deploy()
    assert panel.leads_to() == (panel.version(1).container_name, 8080)


def test_blue_green_can_be_insisted_on(panel):
    panel.add(mounts=DATA, strategy=Strategy.BLUE_GREEN)
    panel.deploy()
    panel.deploy("v2")
    assert panel.versions() == [(1, "kept"), (2, "current")]


def test_too_old_versions_are_removed_with_their_containers(panel):
    panel.add(kept=1)
    for tag in ("v1", "v2", "v3"):
        panel.deploy(tag)
    assert panel.versions() == [(2, "kept"), (3, "current")]
    assert len(panel.ours()) == 2


def test_numbers_of_failed_versions_are_not_used_again(panel):
    panel.add()
    panel.deploy("sick")
    panel.deploy()
    assert panel.versions() == [(2, "current")]
