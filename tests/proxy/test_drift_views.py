"""Drift on the proxies page and on the page of a proxy, with and without htmx."""

import pytest

from tests.proxy.publish_world import Panel
from webapp.db import now
from webapp.proxy.models import HostStatus

BOTH = pytest.mark.parametrize("htmx", [False, True])


@pytest.fixture
def world(app, npm, client):
    """Two proxies; what is done to their hosts by hand, and the rows after a pass."""
    with app.app_context():
        panel = Panel(npm)
        panel.now = now()  # the pages know no other time
        panel.connect()
        panel.create()
        panel.create("b.example.com")
        panel.run()

    def changed(act=lambda: None):
        with app.app_context():
            act()
            return panel.run(minutes=11).rows()

    return changed


@pytest.fixture
def edited(world, npm):
    """The first proxy's host was edited."""
    return world(lambda: npm.edit_by_hand(1, forward_port=1))[0]


def shown(page):
    return page.text.partition('name="shown" value="')[2].partition('"')[0]


def test_the_list_tells_the_difference_and_offers_both_answers(client, edited):
    page = client.get("/proxies").text
    assert "Forwards to: http://10.0.0.5:8080 → http://10.0.0.5:1." in page
    assert "Restore app.example.com as it is wanted here" in page
    assert "Accept app.example.com as it is in Nginx Proxy Manager" in page
    assert "Restore b.example.com" not in page


def test_the_page_of_the_proxy_shows_it_line_by_line(client, edited):
    page = client.get("/proxies/1").text
    assert "<del>http://10.0.0.5:8080</del>" in page
    assert "<ins>http://10.0.0.5:1</ins>" in page
    assert 'action="/proxies/1/accept"' in page


def test_the_filter_knows_drift(client, edited):
    page = client.get("/proxies?status=drifted").text
    assert 'id="proxy-1"' in page
    assert 'id="proxy-2"' not in page


@BOTH
@pytest.mark.parametrize(("verb", "port"), [("restore", 8080), ("accept", 1)])
def test_the_buttons_answer(client, world, npm, edited, verb, port, htmx):
    answer = client.post(f"/proxies/1/{verb}", {"shown": shown(client.get("/proxies"))}, htmx=htmx)
    assert answer.status_code == (200 if htmx else 303)
    assert world()[0].status is HostStatus.ONLINE
    assert npm.host_for("app.example.com")["forward_port"] == port


@BOTH
@pytest.mark.parametrize("verb", ["restore", "accept"])
def test_a_page_that_is_out_of_date_is_refused(client, world, npm, edited, verb, htmx):
    old = shown(client.get("/proxies"))
    world(lambda: npm.edit_by_hand(1, forward_port=2))
    answer = client.post(f"/proxies/1/{verb}", {"shown": old}, htmx=htmx)
    assert answer.status_code == 409
    assert "It was changed again since this was shown" in answer.text
    assert world()[0].status is HostStatus.DRIFTED


def test_what_cannot_be_accepted_says_why(client, world, npm):
    world(lambda: npm.edit_by_hand(1, domain_names=["a.example.com", "b2.example.com"]))
    page = client.get("/proxies/1").text
    assert "It has 2 names" in page
    assert 'action="/proxies/1/accept"' not in page


def test_accepting_a_deletion_asks_first(client, world, npm):
    world(lambda: npm.delete_by_hand(1))
    page = client.get("/proxies").text
    assert 'href="/proxies/1/remove" aria-label="Accept that app.example.com was deleted"' in page
    assert "Accept deletes the proxy here, too." in client.get("/proxies/1").text


@BOTH
def test_many_deleted_hosts_are_made_again_with_one_button(client, world, npm, htmx):
    def everything():
        npm.delete_by_hand(1)
        npm.delete_by_hand(2)

    world(everything)
    assert "2 hosts were deleted in Nginx Proxy Manager" in client.get("/proxies").text
    assert client.post("/proxies/restore-missing", htmx=htmx).status_code == (200 if htmx else 303)
    assert [row.status for row in world()] == [HostStatus.ONLINE] * 2


@BOTH
def test_a_page_that_still_shows_deleted_hosts_is_told_that_none_is(client, world, htmx):
    answer = client.post("/proxies/restore-missing", htmx=htmx)
    assert answer.status_code == 409
    assert "No host is missing any more." in answer.text


def test_drift_needs_attention(client, edited):
    page = client.get("/").text
    assert "Needs attention" in page
    assert "Changed in Nginx Proxy Manager" in page
