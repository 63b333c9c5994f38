"""Accounts from the command line."""

import json

import pytest

from tests.support import NAME, PASSWORD, Browser, make_user
from webapp.auth import first_run
from webapp.auth.cli import user

NEW = "seven-quiet-otters-run"


@pytest.fixture
def run(app):
    """Run `tiny-forge user ...` and give the result."""
    runner = app.test_cli_runner()
    return lambda *args, **kwargs: runner.invoke(user, args, **kwargs)


def can_sign_in(app, name, password):
    """Whether a browser gets in."""
    return Browser(app).post("/sign-in", {"name": name, "password": password}).status_code == 303


def test_an_account_is_created(run, app):
    result = run("create", "Grace", "--password-stdin", input=f"{NEW}\n")
    assert (result.exit_code, result.stdout) == (0, "Created the account grace.\n")
    assert can_sign_in(app, "grace", NEW)


def test_the_password_is_asked_for_twice_and_not_shown(run, app):
    result = run("create", "grace", input=f"{NEW}\n{NEW}\n")
    assert result.exit_code == 0
    assert NEW not in result.output
    assert can_sign_in(app, "grace", NEW)


def test_an_account_from_the_command_line_ends_the_set_up(run, config, app):
    first_run.setup_code(config.data_dir)
    run("create", "grace", "--password-stdin", input=NEW)
    assert not (config.data_dir / "setup-code").exists()
    assert Browser(app).get("/setup").status_code == 404


def test_the_answer_can_be_json(run):
    result = run("create", "grace", "--password-stdin", "--json", input=NEW)
    assert json.loads(result.stdout) == {"name": "grace", "status": "created"}


@pytest.mark.parametrize(
    ("name", "password", "message"),
    [("-", NEW, "letters, digits"), ("grace", "short", "at least 12"), ("ada", NEW, "already an account")],
)
def test_bad_input_exits_with_2(run, app, name, password, message):
    make_user(app)
    result = run("create", "--password-stdin", "--", name, input=password)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_bad_input_can_be_told_in_json(run):
    result = run("create", "grace", "--password-stdin", "--json", input="short")
    assert result.exit_code == 2
    assert "at least 12" in json.loads(result.stderr)["error"]


def test_a_missing_name_is_bad_usage(run):
    assert run("create").exit_code == 2


def test_a_password_is_set_and_the_sign_ins_end(run, app, client):
    result = run("password", "Ada", "--password-stdin", input=f"{NEW}\r\n")
    assert (result.exit_code, result.stdout) == (0, f"Set the password of {NAME}.\n")
    assert client.get("/").status_code == 303
    assert can_sign_in(app, NAME, NEW)
    assert not can_sign_in(app, NAME, PASSWORD)


def test_a_new_password_lifts_the_wait_of_the_account(run, app):
    make_user(app)
    for number in range(9):
        Browser(app, address=f"192.0.2.{number}").post("/sign-in", {"name": NAME, "password": "wrong"})
    run("password", NAME, "--password-stdin", input=NEW)
    own = Browser(app)
    for _ in range(3):
        own.post("/sign-in", {"name": NAME, "password": "typo"})
    assert own.post("/sign-in", {"name": NAME, "password": NEW}).status_code == 303


def test_a_password_for_nobody_exits_with_1(run):
    result = run("password", "nobody", "--password-stdin", "--json", input=NEW)
    assert result.exit_code == 1
    assert "no account" in json.loads(result.stderr)["error"]


def test_a_weak_new_password_changes_nothing(run, app):
    make_user(app)
    result = run("password", NAME, "--password-stdin", input="password1234")
    assert result.exit_code == 2
    assert can_sign_in(app, NAME, PASSWORD)
