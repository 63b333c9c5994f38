"""Hosts of an installation whose database is lost: a person names it, and they are kept here from then on."""

import json

import pytest

from tests.proxy.publish_world import CHECK_EVERY
from webapp.cli import group
from webapp.db import reading
from webapp.errors import Busy
from webapp.proxy import adoption
from webapp.proxy.models import HostStatus

LOST = "0a2e3d680ccf"
NAME = "hand.example.com"


def mark(install=LOST, consumer="standalone"):
    return {"tiny_forge": {"install": install, "consumer": consumer, "id": 41}}


@pytest.fixture
def world(panel, npm):
    """The panel, beside a host that the lost installation made."""
    npm.host_by_hand(NAME, forward_host="nas", forward_port=5001, meta=mark())
    panel.run(seconds=CHECK_EVERY.total_seconds() + 1)
    return panel


def adopt(world, of):
    with reading() as session:
        found = adoption.candidate(session, 1, of)
    return adoption.adopt(1, shown=found.shown, of=of, at=world.now)


def rest(row):
    return {key: value for key, value in row.items() if key not in ("meta", "modified_on")}


def test_it_becomes_a_proxy_here_and_changes_in_nothing_but_its_mark(world, npm):
    before = rest(npm.hosts()[0])
    adopt(world, LOST)
    world.run()
    (after,) = npm.hosts()
    assert (rest(after), npm.writes, world.row().status) == (before, 1, HostStatus.ONLINE)
    assert after["meta"]["tiny_forge"]["install"] not in (LOST, None)
    world.run(seconds=CHECK_EVERY.total_seconds() + 1)
    assert (npm.writes, world.row().status) == (1, HostStatus.ONLINE)


@pytest.mark.parametrize("of", [None, "another"])
def test_without_its_own_name_it_is_left_alone(world, npm, of):
    before = dict(npm.hosts()[0])
    with pytest.raises(Busy, match=f"--of {LOST}"):
        adopt(world, of)
    world.run()
    assert (npm.hosts(), world.rows()) == ([before], [])


def test_one_that_yet_another_installation_has_taken_meanwhile_is_left_alone(world, npm):
    adopt(world, LOST)
    npm.proxy_hosts.rows[1]["meta"] |= mark("hers")
    before = dict(npm.hosts()[0])
    world.run()
    assert (npm.hosts(), world.row().status) == ([before], HostStatus.CONFLICT)


def test_one_that_was_changed_meanwhile_waits_for_another_decision(world, npm):
    adopt(world, LOST)
    npm.edit_by_hand(1, forward_port=1)
    before = dict(npm.hosts()[0])
    world.run()
    assert npm.hosts() == [before]
    assert world.row().status in (HostStatus.DRIFTED, HostStatus.CONFLICT)


def test_the_command_line_takes_it_over(app, world, npm, monkeypatch):
    monkeypatch.setattr(group, "create_app", lambda: app)
    runner = app.test_cli_runner()
    (line,) = json.loads(runner.invoke(group, ["proxy", "adopt", "--list", "--json"]).stdout)
    assert (line["adoptable"], f"--of {LOST}" in line["why_not"]) == (False, True)
    (line,) = json.loads(runner.invoke(group, ["proxy", "adopt", "--list", "--of", LOST, "--json"]).stdout)
    assert line["adoptable"] is True
    assert runner.invoke(group, ["proxy", "adopt", NAME, "--yes"]).exit_code == 1
    assert runner.invoke(group, ["proxy", "adopt", NAME, "--yes", "--of", LOST]).exit_code == 0
    with app.app_context():
        assert world.row().fqdn == NAME
