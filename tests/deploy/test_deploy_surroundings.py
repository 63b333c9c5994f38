"""Deploys and what is around them: names in use, the proxy manager, DNS, other deploys, cancelling, going back."""

import pytest

from tests.deploy.deploy_world import NAME
from webapp.db import transaction
from webapp.deploy import service
from webapp.deploy.actions import Phase
from webapp.deploy.engine import Mount, MountKind
from webapp.deploy.recipe import Reach
from webapp.dns import ledger
from webapp.dns.connections import Connection
from webapp.dns.desired import Mode
from webapp.errors import Busy

pytestmark = pytest.mark.matrix

DATA = (Mount(MountKind.VOLUME, "blog-data", "/data"),)


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
