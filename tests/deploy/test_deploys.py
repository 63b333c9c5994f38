"""Deploys: a new version takes over the name, or nothing has changed."""

import pytest

from tests.deploy.deploy_world import IMAGE, NAME
from webapp.db import reading, transaction
from webapp.deploy import service
from webapp.deploy.actions import Phase
from webapp.deploy.engine import Mount, MountKind
from webapp.deploy.models import Seen
from webapp.deploy.recipe import Reach, Strategy
from webapp.dns import ledger
from webapp.dns.desired import Mode
from webapp.dns.models import Connection
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


def test_a_name_that_a_hand_made_host_has_is_refused_before_anything_starts(panel, npm):
    panel.run()
    panel.add()
    npm.host_by_hand(NAME)
    with transaction() as session:
        from webapp.proxy.service import npm_settings

        npm_settings(session).read_at = None
    panel.run()
    action = panel.deploy()
    assert action.phase is Phase.FAILED
    assert "not made here" in action.error
    assert ("create", "") not in [(method, "") for method, _ in panel.engine.calls]


def test_a_hand_made_host_that_appears_meanwhile_is_left_alone(panel, npm):
    panel.add()
    panel.engine.on_call = lambda method, when: (
        npm.host_by_hand(NAME) if (method, when) == ("start", "after") else None
    )
    action = panel.deploy()
    assert action.phase is Phase.FAILED
    assert [host["meta"] for host in npm.hosts()] == [{"nginx_online": True, "nginx_err": None}]
    assert panel.ours() == []


def test_without_a_proxy_manager_nothing_starts(panel):
    with transaction() as session:
        from webapp.proxy.service import npm_settings

        npm_settings(session).url = ""
    panel.add()
    action = panel.deploy()
    assert action.phase is Phase.FAILED
    assert "not set up" in action.error
    assert panel.ours() == []


def test_a_proxy_manager_that_stays_down_undoes_the_deploy_when_it_is_back(panel, npm):
    panel.add()
    panel.deploy()
    npm.starting = True
    action = service.deploy(1, "v2", at=panel.now)
    for _ in range(4):
        panel.run()
        panel.pass_time(60)
    assert panel.action(action.id).phase is Phase.UNDOING
    npm.starting = False
    action = panel.finish(action.id)
    assert action.phase is Phase.FAILED
    assert panel.leads_to()[1] == panel.version(1).host_port
    assert panel.running() == [panel.version(1).container_name]


def test_a_host_that_nginx_refuses_is_pointed_back(panel, npm):
    panel.add(reach=Reach.NETWORK, network="proxy")
    panel.deploy()
    before = panel.leads_to()
    number = 2
    npm.unresolvable.add(before[0].replace("-1-", f"-{number}-"))
    action = panel.deploy("v2")
    assert action.phase is Phase.FAILED
    assert "nginx refuses" in action.error
    assert panel.leads_to() == before


def managed(panel, error=None):
    """Records are managed, at a provider that answers or not."""
    with transaction() as session:
        settings = ledger.settings(session)
        settings.mode, settings.ipv4 = Mode.MANAGED, "203.0.113.10"
        session.add(
            Connection(
                provider="memory", credentials_sealed="x", zone_id="z", zone_name="example.com", error=error,
                zones=[],
            )
        )  # fmt: skip


def test_dns_trouble_is_one_line_of_warning_and_never_a_failure(panel):
    managed(panel, "Cloudflare cannot be reached.")
    panel.add()
    action = panel.deploy()
    assert action.phase is Phase.DONE
    assert [text for text in panel.log(action.id) if text.startswith("DNS:")] == [
        "DNS: Cloudflare cannot be reached. The version is live; the record follows when this is mended."
    ]


def test_a_name_that_the_zone_cannot_hold_any_more_does_not_fail_a_deploy(panel):
    panel.add()
    managed(panel)
    with transaction() as session:
        session.query(Connection).one().zone_name = "example.net"
    action = panel.deploy()
    assert action.phase is Phase.DONE
    assert any("outside the zone" in text for text in panel.log(action.id))


def test_a_name_outside_the_zone_is_refused_when_it_is_entered(panel):
    managed(panel)
    from webapp.errors import InvalidInput

    with pytest.raises(InvalidInput, match="outside the zone"):
        panel.add("other", "other.example.net")


def test_two_deploys_of_one_app_come_one_after_the_other(panel):
    panel.add()
    first = service.deploy(1, "v1", at=panel.now)
    second = service.deploy(1, "v2", at=panel.now)
    panel.finish(first.id)
    assert panel.action(second.id).phase is Phase.QUEUED
    panel.finish(second.id)
    assert panel.versions() == [(1, "kept"), (2, "current")]


def test_a_form_that_is_sent_twice_is_one_deploy(panel):
    panel.add()
    first = service.deploy(1, key="one-form", at=panel.now)
    assert service.deploy(1, key="one-form", at=panel.now).id == first.id
    assert len(panel.actions()) == 1


@pytest.mark.parametrize("method", ["pull", "create", "start"])
def test_a_deploy_is_cancelled_at_any_step_before_the_switch(panel, method):
    panel.add()
    panel.deploy()
    before = (panel.leads_to(), panel.running(), panel.versions(), panel.claims())
    action = service.deploy(1, "v2", at=panel.now)

    def cancel(called, when):
        if (called, when) == (method, "after") and not panel.action(action.id).cancel_asked:
            service.cancel(action.id, at=panel.now)

    panel.engine.on_call = cancel
    assert panel.finish(action.id).phase is Phase.CANCELLED
    assert (panel.leads_to(), panel.running(), panel.versions(), panel.claims()) == before


def test_what_is_queued_can_be_cancelled_too(panel):
    panel.add()
    service.deploy(1, "v1", at=panel.now)
    second = service.deploy(1, "v2", at=panel.now)
    service.cancel(second.id, at=panel.now)
    panel.settle()
    assert panel.action(second.id).phase is Phase.CANCELLED
    assert panel.versions() == [(1, "current")]


def test_what_is_over_cannot_be_cancelled(panel):
    panel.add()
    action = panel.deploy()
    with pytest.raises(Busy):
        service.cancel(action.id, at=panel.now)


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
