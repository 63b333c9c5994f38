"""The switch for following the public address, on the page and on the command line, and what is told of it."""

import json
from collections.abc import Iterator

import pytest

from tests.settings.filled import add_proxy, draft_in, saved, value_of
from webapp.db import now, transaction
from webapp.dns.address_row import address_watch
from webapp.dns.providers import public_address
from webapp.sandbox.server import StandIn
from webapp.sandbox.world import World
from webapp.settings import service
from webapp.settings.cli import settings

SAW = "IPv4: nothing is changed, because the sources do not agree: a says 1.1.1.1, b says <nothing>."


def watched(app):
    return saved(app).watch


def test_it_is_off_until_somebody_wants_it(client, app, filled):
    client.post("/settings", filled)
    assert not watched(app).enabled
    assert "Not looked yet" not in client.get("/settings").text


def test_the_switch_is_saved_and_stays(client, app, filled):
    client.post("/settings", filled | {"watch_address": "y"})
    assert watched(app).enabled
    page = client.get("/settings")
    assert 'role="switch"' in page.text
    assert "Not looked yet" in page.text
    client.post("/settings", filled | {"version": "2"})
    assert not watched(app).enabled


def test_the_switch_goes_through_the_confirmation_of_a_preview(client, app, filled):
    client.post("/settings", filled | {"wildcard": "y"})
    add_proxy(app)
    page = client.post("/settings", filled | {"version": "2", "watch_address": "y"})
    assert not watched(app).enabled
    client.post("/settings/confirm", {"draft": draft_in(page)})
    assert watched(app).enabled


def test_what_it_saw_and_why_it_does_not_act_is_on_the_page(client, app, filled):
    client.post("/settings", filled | {"watch_address": "y"})
    with app.app_context(), transaction() as session:
        row = address_watch(session)
        row.looked_at, row.message = now(), SAW
    page = client.get("/settings").text
    assert "because the sources do not agree: a says 1.1.1.1, b says &lt;nothing&gt;. Last looked" in page


def test_saving_something_else_keeps_what_it_saw(client, app, filled):
    client.post("/settings", filled | {"watch_address": "y"})
    with app.app_context(), transaction() as session:
        address_watch(session).message = SAW
    client.post("/settings", filled | {"watch_address": "y", "version": "2", "ttl": "300"})
    assert watched(app).message == SAW


def test_the_command_line_turns_it_on_and_shows_it(app, client, filled):
    client.post("/settings", filled)
    runner = app.test_cli_runner()
    assert runner.invoke(settings, ["set", "watch_address=yes"]).exit_code == 0
    facts = json.loads(runner.invoke(settings, ["show", "--json"]).stdout)
    assert (facts["watch_address"], facts["watch_seen_at"], facts["watch_message"]) == (True, "", "")


def test_a_proposal_needs_sources_that_do_not_contradict_each_other(client, filled, cloudflare, monkeypatch):
    said = iter(["203.0.113.77", "203.0.113.78"] * 2)
    monkeypatch.setattr(public_address, "_ask", lambda _url, _version: next(said))
    page = client.post("/settings/public-address", filled, htmx=True)
    assert "The public address is not clear: 127.0.0.1:" in page.text
    assert value_of(page, "ipv4") == filled["ipv4"]


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        with world.app.app_context():
            world.connect()
        yield world


def test_in_the_sandbox_the_records_follow_the_server(world, time_machine):
    with world.app.app_context():
        world.add_proxy("app.example.com", "192.168.1.20", 8080)
        with transaction() as session:
            address_watch(session).switch(on=True)
    world.settle()
    world.cloudflare.public_ip = "9.9.9.9"
    time_machine.move_to(now())
    for _ in range(3):
        time_machine.shift(360)
        world.settle()
    assert [r["content"] for r in world.cloudflare.find("app.example.com")] == ["9.9.9.9"]
    with world.app.app_context():
        assert service.current().target.ipv4 == "9.9.9.9"
        assert service.current().watch.message == "IPv4: 9.9.9.9, as set."


def test_stand_ins_speak_for_both_sources(world):
    assert isinstance(world.public, StandIn)
    with world.app.app_context():
        hosts = {source.split("/")[2] for source in world.app.config["FORGE"].address_sources}
    assert hosts == {f"127.0.0.1:{world.cloudflare.port}", f"127.0.0.1:{world.public.port}"}
