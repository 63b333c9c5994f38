"""Adoption on its pages and on the command line: a review first, and never anything else than what it showed."""

import json
import re

import pytest

from tests.proxy.publish_world import Panel
from webapp.cli import ForgeGroup
from webapp.db import now
from webapp.proxy.models import HostStatus
from webapp.proxy.review_cli import proxy

BOTH = pytest.mark.parametrize("htmx", [False, True])


@pytest.fixture
def passes(app, npm, client):
    """Two hosts made by hand, of which one can be adopted; a function that has a regular pass and shows the rows."""
    npm.host_by_hand("hand.example.com")
    npm.host_by_hand("guarded.example.com", access_list_id=3)
    with app.app_context():
        panel = Panel(npm)
        panel.now = now()  # the pages know no other time
        panel.connect().run()

    def passed():
        with app.app_context():
            return panel.run(minutes=11).rows()

    return passed


@pytest.fixture
def run(app, passes):
    """Run a command as `tiny-forge` does."""
    group = ForgeGroup(name="tiny-forge", create_app=lambda: app, add_default_commands=False)
    group.add_command(proxy)
    runner = app.test_cli_runner()
    return lambda *args: runner.invoke(group, ["proxy", "adopt", *args])


def shown(page):
    return re.search(r'name="shown" value="(\w+)"', page.text)[1]


def test_the_list_tells_which_can_be_adopted(client, passes):
    page = client.get("/proxies/adopt").text
    assert 'aria-label="Adopt hand.example.com"' in page
    assert 'aria-label="Adopt guarded.example.com"' not in page
    assert "It has an access list, which a proxy here cannot keep." in page
    assert 'href="/proxies/adopt"' in client.get("/proxies").text


def test_without_any_there_is_nothing_to_adopt(client):
    assert "Nginx Proxy Manager has not been read yet." in client.get("/proxies/adopt").text


def test_looking_asks_nothing_outside(client, npm, passes):
    npm.log.clear()
    for path in ("", "/1", "/2"):
        assert client.get(f"/proxies/adopt{path}").status_code == 200
    assert npm.log == []


def test_the_list_is_read_again_when_asked(app, client, npm, passes):
    npm.host_by_hand("newer.example.com")
    assert client.post("/proxies/adopt/read").location == "/proxies/adopt"
    with app.app_context():
        panel = Panel(npm)
        panel.now = now()
        panel.run()
    assert "newer.example.com" in client.get("/proxies/adopt").text


def test_the_review_shows_what_is_taken_over(client, passes):
    page = client.get("/proxies/adopt/1").text
    for text in ("hand.example.com", "http://10.0.0.9:80", "Force SSL", "Adopt the host"):
        assert text in page
    assert "Adopt the host" not in client.get("/proxies/adopt/2").text
    assert client.get("/proxies/adopt/3").status_code == 404


@BOTH
@pytest.mark.parametrize("dns", [True, False])
def test_what_was_reviewed_is_adopted(client, npm, passes, htmx, dns):
    form = {"shown": shown(client.get("/proxies/adopt/1"))} | ({"use_dns": "y"} if dns else {})
    answer = client.post("/proxies/adopt/1", form, htmx=htmx)
    assert (answer.headers.get("HX-Redirect") if htmx else answer.location) == "/proxies"
    (row,) = passes()
    assert (row.fqdn, row.status, row.use_dns) == ("hand.example.com", HostStatus.ONLINE, dns)


@BOTH
def test_a_stale_review_is_refused_with_a_fresh_one(client, npm, passes, htmx):
    old = shown(client.get("/proxies/adopt/1"))
    npm.edit_by_hand(1, forward_port=81)
    assert passes() == []
    answer = client.post("/proxies/adopt/1", {"shown": old, "use_dns": "y"}, htmx=htmx)
    assert answer.status_code == 409
    assert "was changed in Nginx Proxy Manager since it was shown" in answer.text
    assert "http://10.0.0.9:81" in answer.text
    assert shown(answer) != old
    assert passes() == []


def test_what_cannot_be_adopted_is_refused(client, npm, passes):
    before = dict(npm.hosts()[1])
    answer = client.post("/proxies/adopt/2", {"shown": "0"})
    assert answer.status_code == 409
    assert passes() == []
    assert npm.hosts()[1] == before


def test_the_command_lists_what_could_be_adopted(run):
    rows = json.loads(run("--list", "--json").stdout)
    assert [(row["name"], row["adoptable"]) for row in rows] == [
        ("guarded.example.com", False), ("hand.example.com", True),
    ]  # fmt: skip
    assert "It has an access list" in run("--list").stdout


def test_the_command_adopts(run, passes):
    result = run("hand.example.com", "--yes", "--no-dns")
    assert (result.exit_code, result.stdout) == (0, "hand.example.com is being adopted.\n")
    assert [(row.status, row.use_dns) for row in passes()] == [(HostStatus.ONLINE, False)]


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ((), 2),
        (("hand.example.com", "--list"), 2),
        (("hand.example.com",), 2),
        (("guarded.example.com", "--yes"), 1),
        (("nobody.example.com", "--yes"), 1),
    ],
)
def test_the_command_does_nothing_without_a_clear_choice(run, passes, args, code):
    assert run(*args).exit_code == code
    assert passes() == []
