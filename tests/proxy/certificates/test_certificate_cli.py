"""`tiny-forge cert`: the same services and the same checks as the page."""

import json

import pytest

from tests.proxy.certificates.test_certificate_pages import certificate, change, requests
from webapp.cli import ForgeGroup
from webapp.proxy.certificates.cli import cert
from webapp.proxy.certificates.models import Phase


@pytest.fixture
def run(app, panel):
    """Run a command as `tiny-forge` does."""
    group = ForgeGroup(name="tiny-forge", create_app=lambda: app, add_default_commands=False)
    group.add_command(cert)
    return lambda *args: app.test_cli_runner().invoke(group, ["cert", *args])


def test_an_empty_list_says_so(run):
    assert run("list").stdout == "No certificates, as last read.\n"
    assert json.loads(run("list", "--json").stdout) == {"certificates": [], "requests": []}


def test_certificates_and_requests_are_listed(run, panel):
    certificate(3, "a.example.com", 80)
    panel.create("a.example.com", certificate_id=3)
    panel.ask("b.example.com")
    lines = run("list").stdout.splitlines()
    assert lines[1].split()[:3] == ["3", "a.example.com", "letsencrypt"]
    assert lines[4].split()[:4] == ["1", "b.example.com", "http", "waiting"]
    found = json.loads(run("list", "--json").stdout)
    assert (found["certificates"][0]["used_by"], found["requests"][0]["names"]) == (
        ["a.example.com"],
        ["b.example.com"],
    )


def test_a_certificate_is_asked_for(run):
    done = run("request", "a.example.com", "b.example.com")
    assert (done.exit_code, done.stdout) == (0, "A certificate for a.example.com and 1 more is asked for.\n")
    assert requests()[0].names == ["a.example.com", "b.example.com"]


def test_a_wildcard_needs_the_dns_challenge(run, panel):
    refused = run("request", "*.example.com")
    assert (refused.exit_code, "A wildcard needs the DNS challenge." in refused.stderr) == (2, True)
    assert run("request", "*.example.com", "--dns").exit_code == 2  # without a zone
    panel.zone()
    asked = run("request", "*.example.com", "--dns", "--json")
    assert (asked.exit_code, json.loads(asked.stdout)["challenge"]) == (0, "dns")


def test_a_request_is_tried_again_and_forgotten(run, panel):
    panel.ask()
    change(phase=Phase.FAILED, attempts=5)
    assert json.loads(run("retry", "1", "--json").stdout)["phase"] == "waiting"
    assert run("forget", "1").stdout == "The request for app.example.com is gone.\n"
    assert (run("forget", "1").exit_code, run("retry", "9").exit_code) == (1, 1)


def test_a_certificate_is_renewed(run):
    certificate(3, "a.example.com", 20)
    assert run("renew", "3").stdout == "A certificate for a.example.com is being renewed.\n"
    assert run("renew", "3").exit_code == 1
