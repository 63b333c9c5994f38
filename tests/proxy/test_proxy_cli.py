"""`tiny-forge proxy`: the same services and the same checks as the pages."""

import json

import pytest

from webapp.cli import ForgeGroup
from webapp.db import reading, transaction
from webapp.proxy import listing, service
from webapp.proxy.cli import proxy


@pytest.fixture
def run(app):
    """Run a command as `tiny-forge` does."""
    group = ForgeGroup(name="tiny-forge", create_app=lambda: app, add_default_commands=False)
    group.add_command(proxy)
    runner = app.test_cli_runner()
    return lambda *args, **kwargs: runner.invoke(group, ["proxy", *args], **kwargs)


def hosts(app):
    with app.app_context(), reading() as session:
        return list(listing.matching(session))


def test_a_proxy_is_created(run, app):
    result = run("create", "app.example.com", "--to", "http://10.0.0.5:8080")
    assert (result.exit_code, result.stdout) == (0, "app.example.com is on its way.\n")
    (host,) = hosts(app)
    assert (host.forward_scheme, host.forward_host, host.forward_port) == ("http", "10.0.0.5", 8080)
    assert (host.allow_websocket_upgrade, host.block_exploits, host.enabled, host.use_dns) == (True,) * 4


@pytest.mark.parametrize(
    ("to", "target"),
    [
        ("10.0.0.5:3000", ("http", "10.0.0.5", 3000)),
        ("http://10.0.0.5", ("http", "10.0.0.5", 80)),
        ("https://nas.lan", ("https", "nas.lan", 443)),
        ("https://[2001:db8::5]:8443/", ("https", "[2001:db8::5]", 8443)),
        ("my_container:80", ("http", "my_container", 80)),
    ],
)
def test_a_target_is_read_as_an_address(run, app, to, target):
    assert run("create", "app.example.com", "--to", to).exit_code == 0
    (host,) = hosts(app)
    assert (host.forward_scheme, host.forward_host, host.forward_port) == target


def certificates(app, *ids):
    """Those that Nginx Proxy Manager had at the last look."""
    with app.app_context(), transaction() as session:
        service.npm_settings(session).certificates = [
            {"id": number, "name": "x", "domains": [], "expires_on": None} for number in ids
        ]


def test_a_certificate_must_exist_or_be_saved_already(run, app):
    assert run("create", "a.example.com", "--to", "h:1", "--certificate", "3").exit_code == 2
    certificates(app, 3)
    assert run("create", "a.example.com", "--to", "h:1", "--certificate", "3").exit_code == 0
    certificates(app)
    assert run("update", "a.example.com", "--to", "h:2").exit_code == 0
    assert run("update", "a.example.com", "--certificate", "4").exit_code == 2
    assert [(host.certificate_id, host.forward_port) for host in hosts(app)] == [(3, 2)]


def test_every_option_is_kept(run, app):
    certificates(app, 3)
    options = ["--certificate", "3", "--force-ssl", "--http2", "--hsts", "--hsts-subdomains"]
    options += ["--no-websockets", "--no-block-exploits", "--disabled", "--no-dns", "--dns-proxied", "no"]
    assert run("create", "a.example.com", "--to", "h:1", *options, "--ttl", "300").exit_code == 0
    (host,) = hosts(app)
    assert (host.certificate_id, host.ssl_forced, host.http2_support, host.hsts_subdomains) == (
        3, True, True, True,
    )  # fmt: skip
    assert (host.allow_websocket_upgrade, host.block_exploits, host.enabled, host.use_dns) == (False,) * 4
    assert (host.dns_proxied, host.dns_ttl) == (False, 300)


def test_what_is_not_given_stays(run, app):
    run("create", "a.example.com", "--to", "https://h:1", "--no-websockets", "--dns-proxied", "yes")
    assert run("update", "A.example.com.", "--ttl", "60").exit_code == 0
    (host,) = hosts(app)
    assert (host.forward_scheme, host.allow_websocket_upgrade, host.dns_proxied, host.dns_ttl) == (
        "https", False, True, 60,
    )  # fmt: skip
    assert run("update", "a.example.com", "--to", "http://k:2", "--name", "b.example.com").exit_code == 0
    (host,) = hosts(app)
    assert (host.fqdn, host.forward_host, host.allow_websocket_upgrade) == ("b.example.com", "k", False)


def test_an_ipv6_target_survives_a_change_of_something_else(run, app):
    run("create", "a.example.com", "--to", "http://[2001:db8::5]:80")
    assert run("update", "a.example.com", "--disabled").exit_code == 0
    assert (hosts(app)[0].forward_host, hosts(app)[0].enabled) == ("[2001:db8::5]", False)


def test_a_proxy_is_deleted(run, app):
    run("create", "a.example.com", "--to", "h:1")
    result = run("delete", "a.example.com")
    assert (result.exit_code, result.stdout) == (0, "a.example.com is being removed.\n")
    assert hosts(app)[0].removing
    assert "removing" in run("list").stdout
    assert run("delete", "a.example.com").exit_code == 1


def test_the_list_is_a_table_or_json(run):
    assert run("list").stdout == "No proxies yet.\n"
    assert json.loads(run("list", "--json").stdout) == []
    run("create", "a.example.com", "--to", "h:1")
    assert "a.example.com  http://h:1  pending" in run("list").stdout
    (row,) = json.loads(run("list", "--json").stdout)
    assert (row["name"], row["status"], row["dns"], row["npm_host_id"]) == (
        "a.example.com", "pending", ["covered"], None,
    )  # fmt: skip


@pytest.mark.parametrize(
    "args",
    [
        ["create", "a.example.com", "--to", "h:1"],
        ["update", "a.example.com", "--to", "h:2"],
        ["delete", "a.example.com"],
    ],
)
def test_changes_answer_in_json(run, args):
    if args[0] != "create":
        run("create", "a.example.com", "--to", "h:1")
    assert json.loads(run(*args, "--json").stdout)["name"] == "a.example.com"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["a b.example.com", "--to", "h:1"], "name: A name cannot contain spaces."),
        (["a.example.com", "--to", 'x"; return 418; #:80'], "--to"),
        (["a.example.com", "--to", 'x"; return 418;:80'], "forward_host"),
        (["a.example.com", "--to", "http://x y:80"], "forward_host"),
        (["a.example.com", "--to", "ftp://h"], "forward_scheme"),
        (["a.example.com", "--to", "http://h:99999"], "--to"),
        (["a.example.com", "--to", "http://h:0"], "forward_port"),
        (["a.example.com", "--to", "http://h/path"], "--to"),
        (["a.example.com", "--to", "http://h:80/?a=b"], "--to"),
        (["a.example.com", "--to", "http://u:p@h:80"], "--to"),
        (["a.example.com", "--to", "http://"], "--to"),
        (["a.example.com", "--to", "h:1", "--ttl", "5"], "dns_ttl"),
        (["a.example.com", "--to", "h:1", "--ttl", "0"], "dns_ttl"),
        (["a.example.com", "--to", "h:1", "--force-ssl"], "ssl_forced"),
        (["a.example.com", "--to", "h:1", "--certificate", "-4"], "certificate_id"),
        (["a.example.com"], "Missing option"),
        (["a.example.com", "--to", "h:1", "--ttl", "soon"], "not a valid integer"),
    ],
)
def test_bad_input_exits_with_2_and_makes_nothing(run, app, args, message):
    result = run("create", *args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""
    assert hosts(app) == []


def test_a_name_in_use_exits_with_1_and_its_holder(run, app):
    run("create", "a.example.com", "--to", "h:1")
    result = run("create", "a.example.com", "--to", "h:2")
    assert result.exit_code == 1
    assert "in use by the proxy of that name" in result.stderr


@pytest.mark.parametrize("command", [["update", "x.example.com", "--ttl", "60"], ["delete", "x.example.com"]])
def test_an_unknown_name_exits_with_1(run, command):
    result = run(*command)
    assert result.exit_code == 1
    assert result.stderr == "There is no proxy called x.example.com.\n"
