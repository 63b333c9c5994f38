"""`tiny-forge settings` and `doctor`: the same services and the same checks as the page."""

import json

import pytest

from tests.settings.filled import NPM_PASSWORD, TOKEN, add_proxy, saved, stored_secrets
from webapp.cli import ForgeGroup
from webapp.db import transaction
from webapp.dns.desired import Mode, Policy
from webapp.health import WORKER
from webapp.lease import Lease
from webapp.settings import service
from webapp.settings.cli import doctor, settings


@pytest.fixture
def run(app):
    """Run a command as `tiny-forge` does."""
    group = ForgeGroup(name="tiny-forge", create_app=lambda: app, add_default_commands=False)
    group.add_command(settings)
    group.add_command(doctor)
    runner = app.test_cli_runner()
    return lambda *args, **kwargs: runner.invoke(group, args, **kwargs)


@pytest.fixture
def pairs(filled):
    """The filled-in form as KEY=VALUE, managed mode included."""
    given = {k: v for k, v in filled.items() if k not in {"version", "npm_verify_tls"}}
    return [f"{k}={v}" for k, v in given.items()] + ["npm_verify_tls=yes", "wildcard=no"]


def test_settings_are_set_and_shown(run, app, pairs):
    result = run("settings", "set", *pairs)
    assert (result.exit_code, result.stdout) == (0, "The settings are saved.\n")
    assert saved(app).mode is Mode.MANAGED
    shown = run("settings", "show")
    assert "base_domain     example.com" in shown.stdout
    assert "token           saved" in shown.stdout


def test_both_answer_in_json(run, pairs):
    result = run("settings", "set", "--json", *pairs)
    assert "base_domain" in json.loads(result.stdout)["saved"]
    facts = json.loads(run("settings", "show", "--json").stdout)
    assert (facts["base_domain"], facts["wildcard"], facts["ttl"]) == ("example.com", False, 1)
    assert (facts["npm_password"], facts["token"]) == ("saved", "saved")


def test_before_anything_is_saved_the_defaults_are_shown(run):
    facts = json.loads(run("settings", "show", "--json").stdout)
    assert (facts["wildcard"], facts["npm_password"], facts["base_domain"]) == (True, "not set", "")


def test_secrets_are_never_printed(run, pairs):
    outputs = [run("settings", "set", *pairs), run("settings", "show"), run("settings", "show", "--json")]
    outputs += [run("settings", "set", *pairs, "ttl=7"), run("doctor")]
    for result in outputs:
        assert TOKEN not in result.output
        assert NPM_PASSWORD not in result.output


def test_a_secret_can_come_from_standard_input(run, app, pairs):
    given = [pair for pair in pairs if not pair.startswith("token=")]
    assert run("settings", "set", *given, "token=-", input=f"{TOKEN}\r\n").exit_code == 0
    assert stored_secrets(app)[0] is not None
    assert "ok" in run("doctor").stdout


def test_what_is_not_named_stays(run, app, pairs):
    run("settings", "set", *pairs)
    secrets = stored_secrets(app)
    assert run("settings", "set", "policy=keep", "proxied=on").exit_code == 0
    current = saved(app)
    assert (current.policy, current.proxied, current.base_domain) == (Policy.KEEP, True, "example.com")
    assert current.zone.name == "example.com"
    assert stored_secrets(app) == secrets


def test_a_value_can_be_taken_away(run, app, pairs):
    run("settings", "set", *pairs)
    assert run("settings", "set", "base_domain=").exit_code == 0
    assert saved(app).base_domain == ""


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("ttl=7", "ttl: Enter 1 for automatic"),
        ("base_domain=not a name", "base_domain: A name cannot contain spaces."),
        ("wildcard=perhaps", "wildcard must be yes or no."),
        ("colour=blue", "«colour» is not a setting"),
        ("version=1", "«version» is not a setting"),
        ("csrf_token=1", "«csrf_token» is not a setting"),
        ("base_domain", "Write KEY=VALUE"),
        ("policy=sometimes", "policy: Not a valid choice."),
        ("token=two words", "token: This must be one line"),
    ],
)
def test_bad_input_exits_with_2_and_saves_nothing(run, app, pair, message):
    result = run("settings", "set", "ipv4=203.0.113.9", pair)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""
    assert saved(app).version == 1


def test_nothing_to_set_is_bad_usage(run):
    assert run("settings", "set").exit_code == 2


def test_a_zone_may_be_given_by_its_name(run, app, pairs, cloudflare):
    given = [pair for pair in pairs if not pair.startswith("zone=")]
    assert run("settings", "set", *given, "zone=example.com").exit_code == 0
    assert saved(app).zone.id == cloudflare.zone


def test_a_zone_that_the_token_cannot_see_is_refused(run, pairs):
    result = run("settings", "set", *pairs, "zone=example.org")
    assert result.exit_code == 2
    assert "cannot see a zone called example.org" in result.stderr


def test_a_zone_may_be_left_blank_under_the_wildcard(run):
    assert run("settings", "set", "zone=").exit_code == 0


def test_cloudflare_down_while_a_zone_is_looked_up_exits_with_1(run, pairs, cloudflare):
    cloudflare.stop()
    result = run("settings", "set", *pairs, "zone=example.com")
    assert result.exit_code == 1
    assert "Traceback" not in result.output


def test_a_change_of_records_needs_a_yes(run, app, pairs):
    add_proxy(app)
    refused = run("settings", "set", *pairs)
    assert refused.exit_code == 2
    assert "creates 1, changes 0 and deletes 0 records" in refused.stderr
    assert "--yes" in refused.stderr
    assert saved(app).mode is Mode.WILDCARD
    assert run("settings", "set", "--yes", *pairs).exit_code == 0
    assert saved(app).mode is Mode.MANAGED


def test_the_doctor_is_content_when_everything_works(run, app, pairs):
    run("settings", "set", *pairs)
    with app.app_context(), transaction() as session:
        session.add(Lease(name=WORKER, holder="worker", until=service.datetime.max))
    result = run("doctor")
    assert (result.exit_code, result.stdout.count(" failed ")) == (0, 0)
    assert "Nginx Proxy Manager 2.15.1 answers." in result.stdout
    assert "Records can be written." in result.stdout


def test_the_doctor_exits_with_1_when_something_fails(run, pairs, npm):
    run("settings", "set", *pairs)
    npm.stop()
    result = run("doctor", "--json")
    assert result.exit_code == 1
    found = {row["check"]: row["result"] for row in json.loads(result.stdout)}
    assert found["Worker"] == "failed"
    assert found["Nginx Proxy Manager"] == "failed"
    assert found["Write records"] == "ok"


def test_the_doctor_skips_what_is_not_set_up(run, npm, cloudflare):
    found = {row["check"]: row["result"] for row in json.loads(run("doctor", "--json").stdout)}
    assert (found["Nginx Proxy Manager"], found["DNS"]) == ("skipped", "skipped")
    assert npm.log == cloudflare.log == []
