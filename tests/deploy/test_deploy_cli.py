"""`tiny-forge app`, `deploy` and `instance`: the same services and the same checks as the pages."""

import json
import threading
from datetime import UTC, datetime

import pytest

from tests.deploy.deploy_world import IMAGE, NAME
from webapp.cli import ForgeGroup
from webapp.db import now, reading, transaction
from webapp.deploy import rows
from webapp.deploy.cli import app as app_group
from webapp.deploy.instance_cli import deploy, instance
from webapp.deploy.models import App
from webapp.deploy.runner import Runner
from webapp.health import ALIVE_FOR, WORKER
from webapp.lease import Lease
from webapp.settings.cli import doctor

CREATE = ("app", "create", "blog", "--image", IMAGE, "--tag", "v1", "--port", "8080", "--drain", "0")


@pytest.fixture
def run(app, panel):
    """Run a command as `tiny-forge` does, on a panel with stand-ins."""
    panel.engine.clock = lambda: datetime.now(UTC)
    group = ForgeGroup(name="tiny-forge", create_app=lambda: app, add_default_commands=False)
    for command in (app_group, deploy, instance, doctor):
        group.add_command(command)
    runner = app.test_cli_runner()
    return lambda *args, **kwargs: runner.invoke(group, list(args), **kwargs)


@pytest.fixture
def worker(app, panel):
    """A worker beside the command, known to be alive; it ends when all is done."""
    with transaction() as session:
        session.add(Lease(name=WORKER, holder="worker", until=now() + ALIVE_FOR))
    stop = threading.Event()
    publisher = panel.publisher
    publisher.clock = now
    runner = Runner(app, "beside", panel.engine.probe, between=publisher.run_due)

    def work():
        while not stop.wait(0.02):
            with app.app_context():
                runner.run_due()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    runner.leave()
    thread.join(10)


def answer(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_an_app_is_added_changed_and_listed(run):
    assert run(*CREATE, "--env", "COLOUR=blue", "--env", "SIZE=big", "--volume", "data:/data").exit_code == 0
    assert run("app", "update", "blog", "--memory", "256", "--no-block-exploits").exit_code == 0
    with reading() as session:
        app = rows.app_by_slug(session, "blog")
        assert (app.memory, app.block_exploits, app.allow_websocket_upgrade) == (256, False, True)
        assert {e["key"]: e["value"] for e in app.env} == {"COLOUR": "blue", "SIZE": "big"}
        assert [mount["source"] for mount in app.mounts] == ["data"]
    (line,) = answer(run("app", "list", "--json"))
    assert (line["instance"], line["name"], line["reachable"]) == ("blog/prod", NAME, None)
    assert "blog/prod" in run("app", "list").stdout


def test_a_secret_comes_from_standard_input_and_is_sealed(run, app):
    assert run(*CREATE, "--secret", "TOKEN", input="planted-secret\n").exit_code == 0
    with reading() as session:
        stored = json.dumps(session.get(App, 1).env)
    assert "planted-secret" not in stored
    assert "TOKEN" in stored
    assert run("app", "update", "blog", "--memory", "64").exit_code == 0
    with reading() as session:
        assert json.dumps(session.get(App, 1).env) == stored


def test_bad_input_names_the_field_and_changes_nothing(run):
    result = run(*CREATE, "--memory", "lots", "--env", "1BAD=x")
    assert result.exit_code == 2
    assert "memory:" in result.stderr
    assert "env: Line 1" in result.stderr
    assert run("app", "list").stdout == "No apps yet.\n"


def test_a_name_in_use_is_an_error(run):
    run(*CREATE)
    assert run(*CREATE).exit_code == 2


def test_what_does_not_exist_is_an_error(run):
    assert run("deploy", "nothing").exit_code == 1
    assert run("app", "update", "nothing", "--memory", "64").exit_code == 1
    assert run("instance", "stop", "nothing/prod").exit_code == 1


def test_without_a_worker_a_deploy_waits_and_says_so(run, panel):
    run(*CREATE)
    result = run("deploy", "blog")
    assert result.exit_code == 0
    assert "No worker is running" in result.stderr
    waited = run("deploy", "blog", "--wait")
    assert waited.exit_code == 1
    assert len(panel.actions()) == 1


def test_a_deploy_is_followed_to_its_end(run, panel, worker):
    run(*CREATE)
    result = run("deploy", "blog", "--wait")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"Deploying {IMAGE}:v1")
    assert lines[-1] == f"Version 1 is live at {NAME}."


def test_a_deploy_that_fails_exits_with_1_and_tells_why(run, panel, worker):
    run(*CREATE)
    result = run("deploy", "blog/prod", "--tag", "no-such-tag", "--wait")
    assert result.exit_code == 1
    assert "has no" in result.stdout
    facts = json.loads(run("deploy", "blog", "--tag", "no-such-tag", "--wait", "--json").stdout)
    assert (facts["phase"], facts["title"]) == ("failed", "blog/prod")


@pytest.mark.matrix
def test_instances_are_stopped_started_rolled_back_and_removed(run, panel, worker):
    run(*CREATE)
    for words in (
        ("deploy", "blog"), ("deploy", "blog", "--tag", "v2"), ("instance", "rollback", "blog"),
        ("instance", "stop", "blog"), ("instance", "start", "blog"), ("instance", "restart", "blog/prod"),
    ):  # fmt: skip
        result = run(*words, "--wait")
        assert result.exit_code == 0, result.output
    assert panel.versions() == [(1, "current"), (2, "kept")]
    (line,) = answer(run("instance", "list", "--json"))
    assert (line["version"], line["state"]) == (1, "running")
    assert "listening" in run("instance", "logs", "blog", "--tail", "5").stdout
    assert run("instance", "logs", "blog", "--timestamps").stdout.startswith("20")
    assert run("instance", "rollback", "blog", "--to", "9").exit_code == 2
    assert run("instance", "remove", "blog").exit_code == 2, "nobody can be asked"
    assert run("instance", "remove", "blog", "--yes", "--wait").exit_code == 0
    assert run("instance", "list").stdout == "No instances yet.\n"
    assert run("app", "delete", "blog", "--yes").exit_code == 0
    assert run("app", "list").stdout == "No apps yet.\n"


def test_a_log_needs_a_container(run):
    run(*CREATE)
    assert run("instance", "logs", "blog").exit_code == 1


def test_the_doctor_looks_at_the_engine(run, panel):
    rows_ = json.loads(run("doctor", "--json").stdout)
    assert [row["result"] for row in rows_ if row["check"] == "Container engine"] == ["ok"]
    panel.engine.down = True
    rows_ = json.loads(run("doctor", "--json").stdout)
    assert [row["result"] for row in rows_ if row["check"] == "Container engine"] == ["skipped"]
    run(*CREATE)
    rows_ = json.loads(run("doctor", "--json").stdout)
    assert [row["result"] for row in rows_ if row["check"] == "Container engine"] == ["failed"]
