"""`tiny-forge proxy restore|accept`, and what the list tells about drift."""

import json

import pytest

from tests.proxy.publish_world import Panel
from webapp.cli import ForgeGroup
from webapp.proxy.models import HostStatus
from webapp.proxy.review_cli import proxy


@pytest.fixture
def run(app, npm):
    """Run a command as `tiny-forge` does, beside one proxy whose host was edited by hand."""
    with app.app_context():
        panel = Panel(npm).connect()
        panel.create()
        panel.create("b.example.com")
        panel.run()
        npm.edit_by_hand(1, forward_port=1)
        panel.run(minutes=11)
    group = ForgeGroup(name="tiny-forge", create_app=lambda: app, add_default_commands=False)
    group.add_command(proxy)
    runner = app.test_cli_runner()
    return lambda *args: runner.invoke(group, ["proxy", *args])


@pytest.fixture
def look(app, npm):
    """The rows after a pass."""

    def looked():
        with app.app_context():
            panel = Panel(npm)
            panel.now = panel.settings().read_at
            return panel.run(days=9000).rows()

    return looked


def test_the_list_tells_the_differences(run):
    first, second = json.loads(run("list", "--json").stdout)
    assert first["status"] == "drifted"
    assert first["differences"] == [
        {"what": "Forwards to", "ours": "http://10.0.0.5:8080", "theirs": "http://10.0.0.5:1"}
    ]
    assert second["differences"] == []
    assert "Forwards to: http://10.0.0.5:8080 → http://10.0.0.5:1." in run("list").stdout


def test_restore_writes_ours(run, look, npm):
    result = run("restore", "app.example.com")
    assert (result.exit_code, result.stdout) == (0, "app.example.com is being restored.\n")
    assert [row.status for row in look()] == [HostStatus.ONLINE] * 2
    assert npm.host_for("app.example.com")["forward_port"] == 8080


def test_accept_keeps_theirs(run, look):
    result = run("accept", "app.example.com", "--json")
    assert (result.exit_code, json.loads(result.stdout)["to"]) == (0, "http://10.0.0.5:1")
    assert look()[0].forward_port == 1


def test_accept_of_a_deletion_removes(run, look, npm):
    npm.delete_by_hand(2)
    assert look()[1].status is HostStatus.MISSING
    assert run("accept", "b.example.com").stdout == "b.example.com is being removed.\n"
    assert [row.fqdn for row in look()] == ["app.example.com"]


def test_all_are_restored_at_once(run, look):
    assert run("restore", "--all").stdout == "1 host being restored.\n"
    assert [row.status for row in look()] == [HostStatus.ONLINE] * 2


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("restore",), 2),
        (("restore", "app.example.com", "--all"), 2),
        (("restore", "b.example.com"), 1),
        (("accept", "b.example.com"), 1),
        (("accept", "nobody.example.com"), 1),
    ],
)
def test_what_cannot_be_answered_fails(run, args, code):
    assert run(*args).exit_code == code
