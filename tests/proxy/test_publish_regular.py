"""A regular look notices what was mended over there: refusals of nginx, and rivals that are gone."""

import pytest

from tests.proxy.publish_world import CHECK_EVERY
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


@pytest.mark.parametrize("version", ["2.9.22", "2.12.6", "2.15.1"])
def test_a_host_that_is_as_wanted_is_not_written(panel, npm, host):
    certificate = npm.add_certificate("x", ["b.example.com"], npm.now())
    panel.create("b.example.com", certificate_id=certificate, ssl_forced=True, http2_support=True)
    panel.create("c.example.com", enabled=False)
    panel.run()
    writes = npm.writes
    regular(panel)
    assert npm.writes == writes


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
