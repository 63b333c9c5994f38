"""A regular read notices what changed over there: hosts edited by hand, refusals mended, rivals gone."""

import pytest

from tests.proxy.publish_world import CHECK_EVERY
from webapp.proxy import service
from webapp.proxy.models import HostStatus


@pytest.fixture
def host(panel, npm):
    """One host that is up; its id there."""
    panel.create()
    panel.run()
    return npm.hosts()[0]["id"]


def regular(panel):
    """The pass in which the lists are read again, and those that follow at once."""
    panel.run(passes=3, seconds=CHECK_EVERY.total_seconds() + 1)


@pytest.mark.parametrize(
    "edit",
    [
        {"forward_port": 1},
        {"forward_host": "10.0.0.99"},
        {"domain_names": ["app.example.com", "more.example.com"]},
        {"block_exploits": False},
    ],
)
def test_a_host_edited_by_hand_is_put_right(panel, npm, host, edit):
    before = dict(npm.hosts()[0])
    npm.edit_by_hand(host, **edit)
    regular(panel)
    after = npm.hosts()[0]
    assert {key: after[key] for key in edit} == {key: before[key] for key in edit}
    assert panel.row().status is HostStatus.ONLINE


@pytest.mark.parametrize("version", ["2.9.22", "2.12.6", "2.15.1"])
def test_a_host_that_is_as_wanted_is_not_written(panel, npm, host):
    certificate = npm.add_certificate("x", ["b.example.com"], npm.now())
    panel.create("b.example.com", certificate_id=certificate, ssl_forced=True, http2_support=True)
    panel.create("c.example.com", enabled=False)
    panel.run()
    writes = npm.writes
    regular(panel)
    assert npm.writes == writes


def test_a_host_switched_off_by_hand_is_switched_on(panel, npm, host):
    npm.edit_by_hand(host, enabled=False)
    regular(panel)
    assert npm.hosts()[0]["enabled"]


def test_a_host_switched_on_by_hand_is_switched_off(panel, npm, host):
    service.switch(1, enabled=False, at=panel.now)
    panel.run()
    npm.edit_by_hand(host, enabled=True)
    regular(panel)
    assert not npm.hosts()[0]["enabled"]
    assert panel.row().status is HostStatus.OFF


def test_between_regular_reads_nothing_of_it_is_looked_for(panel, npm, host):
    npm.edit_by_hand(host, forward_port=1)
    panel.create("b.example.com")
    panel.run()
    assert npm.host_for("app.example.com")["forward_port"] == 1


def test_a_host_whose_name_was_given_to_another_by_hand_says_so(panel, npm, host):
    npm.edit_by_hand(host, meta={})
    regular(panel)
    assert panel.row().status is HostStatus.CONFLICT


def test_a_host_that_nginx_refuses_since_is_told(panel, npm, host):
    npm.unresolvable.add("10.0.0.5")
    npm.edit_by_hand(host, meta={**npm.hosts()[0]["meta"], "nginx_online": False, "nginx_err": "bad"})
    regular(panel)
    row = panel.row()
    assert row.status is HostStatus.REJECTED
    assert "host not found in upstream" in row.error


def test_a_refusal_that_was_mended_elsewhere_is_noticed(panel, npm):
    npm.unresolvable.add("container")
    panel.create(forward_host="container")
    panel.run()
    npm.unresolvable.clear()
    regular(panel)
    assert (panel.row().status, panel.row().error) == (HostStatus.ONLINE, None)
    assert npm.served() == {"app.example.com"}


def test_a_host_that_nginx_still_refuses_is_written_once_a_regular_read(panel, npm):
    npm.unresolvable.add("container")
    panel.create(forward_host="container")
    panel.run()
    writes = npm.writes
    regular(panel)
    assert npm.writes == writes + 1
    panel.run(passes=5, minutes=1)
    assert npm.writes == writes + 1
    assert panel.row().status is HostStatus.REJECTED


def test_a_name_whose_other_holder_is_gone_is_taken(panel, npm):
    rival = npm.host_by_hand("app.example.com")["id"]
    panel.create()
    panel.run()
    regular(panel)
    assert panel.row().status is HostStatus.CONFLICT
    assert npm.writes == 0
    npm.delete_by_hand(rival)
    regular(panel)
    assert panel.row().status is HostStatus.ONLINE
