"""Somebody changes or deletes the proxy host of an instance: its page tells, and no deploy is held up by it."""

import pytest

from tests.deploy.deploy_world import NAME
from webapp.db import now
from webapp.deploy.actions import Kind, Phase
from webapp.proxy import drift
from webapp.proxy.models import HostStatus

pytestmark = pytest.mark.matrix

PAGE = "/apps/blog"


def change(panel, *, deleted=False, **fields):
    """By hand, and noticed."""
    number = panel.npm.host_for(NAME)["id"]
    if deleted:
        panel.npm.delete_by_hand(number)
    else:
        panel.npm.edit_by_hand(number, **(fields or {"forward_port": 1}))
    return look(panel)


def look(panel):
    """A regular look."""
    panel.pass_time(660)
    panel.run()
    return panel.line().host


CHANGES = pytest.mark.parametrize(
    "fields", [{"forward_port": 1}, {"deleted": True}], ids=["edited", "deleted"]
)


@CHANGES
@pytest.mark.parametrize("port", [None, 9000], ids=["own-port", "same-port"])
def test_a_deploy_writes_its_target_all_the_same(panel, fields, port):
    panel.add(host_port=port)
    panel.deploy()
    assert change(panel, **fields).is_astray
    assert panel.deploy("v2").phase is Phase.DONE
    assert panel.leads_to() == ("127.0.0.1", panel.version(2).host_port)
    assert panel.line().host.status is HostStatus.ONLINE


@CHANGES
def test_a_deploy_that_fails_leads_back_to_the_old_version(live, fields):
    change(live, **fields)
    assert live.deploy("sick").phase is Phase.FAILED
    assert live.leads_to() == ("127.0.0.1", live.version(1).host_port)
    assert live.line().host.status is HostStatus.ONLINE


@CHANGES
def test_going_back_writes_its_target_too(live, fields):
    live.deploy("v2")
    change(live, **fields)
    assert live.roll_back(1).phase is Phase.DONE
    assert live.leads_to() == ("127.0.0.1", live.version(1).host_port)


def test_stopping_leaves_what_drifted(live):
    change(live)
    live.operate(Kind.STOP)
    assert live.line().host.status is HostStatus.DRIFTED


def test_whether_visitors_reach_it_is_not_known(live):
    change(live)
    assert live.line().reachable.answer is None
    change(live, deleted=True)
    assert (live.line().reachable.answer, live.line().host.status) == (False, HostStatus.MISSING)


def test_an_accepted_option_outlives_deploys_and_other_changes_of_the_app(live):
    drift.accept(change(live, block_exploits=False).id, at=live.now)
    live.run()
    live.deploy("v2")
    live.change(memory=256)
    live.run()
    assert look(live).block_exploits is False
    assert live.line().host.status is HostStatus.ONLINE


@pytest.fixture
def browser(client, live):
    """A signed-in browser; the clock of the pages is the real one."""
    live.now = now()
    return client


def shown(page):
    return page.text.partition('name="shown" value="')[2].partition('"')[0]


def test_the_page_shows_what_was_changed_and_restores_it(browser, live):
    change(live)
    page = browser.get(PAGE)
    assert "Changed in Nginx Proxy Manager" in page.text
    assert "<ins>http://127.0.0.1:1</ins>" in page.text
    assert "decided by its deploys, so this cannot be accepted: Forwards to." in page.text
    assert "/host/accept" not in page.text
    answer = browser.post("/instances/1/host/restore", {"shown": shown(page)})
    assert answer.location == PAGE
    assert look(live).status is HostStatus.ONLINE
    assert live.leads_to() == ("127.0.0.1", live.version(1).host_port)


def test_an_option_is_accepted_in_place(browser, live):
    change(live, block_exploits=False)
    form = {"shown": shown(browser.get(PAGE))}
    answer = browser.post("/instances/1/host/accept", form, htmx=True)
    assert "is accepted as it is in Nginx Proxy Manager." in answer.headers["HX-Trigger"]
    assert (look(live).block_exploits, live.line().host.status) == (False, HostStatus.ONLINE)


def test_a_deleted_host_can_only_be_restored(browser, live):
    change(live, deleted=True)
    page = browser.get(PAGE)
    assert "An instance needs its host: restore it, or remove the instance." in page.text
    browser.post("/instances/1/host/restore", {"shown": shown(page)})
    assert look(live).status is HostStatus.ONLINE


def test_an_instance_without_a_host_has_nothing_to_restore(browser, live):
    live.remove()
    assert browser.post("/instances/1/host/restore").status_code == 404
