"""Under which names the panel answers, and whose word about the client it takes."""

import pytest
from flask import request

from tests.support import Browser, make_config
from webapp import create_app
from webapp.errors import InvalidInput

ECHO = "/static/favicon.svg"


def make_app(tmp_path, **changes):
    """A panel with these settings; it notes what it knows about each request in `seen`."""
    app = create_app(make_config(tmp_path, **changes))
    app.seen = []

    @app.after_request
    def note(response):
        app.seen.append((request.remote_addr, request.scheme, request.host))
        return response

    return app


def status_for(app, host, **headers):
    """How the panel answers to this Host header."""
    return Browser(app).get(ECHO, headers={"Host": host, **headers}).status_code


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "LOCALHOST",
        "127.0.0.1",
        "192.168.1.5:8000",
        "[::1]",
        "[fd00::1]:8000",
        "panel.example.org",
        "Panel.Example.Org:8443",
        "panel.example.org.",
    ],
)
def test_addresses_and_configured_names_are_answered(tmp_path, host):
    app = make_app(tmp_path, allowed_hosts=("panel.example.org", "other.example.org:8443"))
    assert status_for(app, host) == 200


def test_a_configured_name_may_have_a_port(tmp_path):
    assert (
        status_for(make_app(tmp_path, allowed_hosts=("panel.example.org:8443",)), "panel.example.org") == 200
    )


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil-localhost",
        "127.0.0.1.evil.example",
        "panel.example.org.evil.example",
        "x.panel.example.org",
        "localhost@evil.example",
        "<script>alert(1)</script>",
        "local host",
        "127.1",
        "[::1",
        "[evil.example]",
        ":8000",
        "",
    ],
)
def test_every_other_name_is_refused(tmp_path, host):
    app = make_app(tmp_path, allowed_hosts=("panel.example.org",))
    response = Browser(app).get("/", headers={"Host": host})
    assert response.status_code == 400
    assert "TINY_FORGE_ALLOWED_HOSTS" in response.text
    assert response.mimetype == "text/plain"
    assert "evil" not in response.text
    assert "script" not in response.text
    assert "Set-Cookie" not in response.headers


FORWARDED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "panel.example.org",
}
PLAIN = ("192.0.2.1", "http", "localhost")


def seen(app, peer, headers):
    """What the panel believes about a request that this peer sends."""
    Browser(app, address=peer).get(ECHO, headers=headers)
    return app.seen[-1]


def test_forwarded_headers_mean_nothing_by_default(tmp_path):
    assert seen(make_app(tmp_path), "192.0.2.1", FORWARDED) == PLAIN


@pytest.mark.parametrize("peer", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::9"])
def test_a_trusted_proxy_is_believed(tmp_path, peer):
    app = make_app(tmp_path, trusted_proxies=("10.0.0.0/8", "fd00::9"), allowed_hosts=("panel.example.org",))
    assert seen(app, peer, FORWARDED) == ("203.0.113.9", "https", "panel.example.org")


@pytest.mark.parametrize("peer", ["192.0.2.1", "fd00::8", ""])
def test_nobody_else_is_believed(tmp_path, peer):
    app = make_app(tmp_path, trusted_proxies=("10.0.0.0/8", "fd00::9"), allowed_hosts=("panel.example.org",))
    assert seen(app, peer, FORWARDED) == (peer, "http", "localhost")


def test_the_client_cannot_add_to_the_chain_of_addresses(tmp_path):
    app = make_app(tmp_path, trusted_proxies=("10.0.0.1",))
    headers = {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}
    assert seen(app, "10.0.0.1", headers)[0] == "203.0.113.9"


def test_two_proxies_add_two_addresses(tmp_path):
    app = make_app(tmp_path, trusted_proxies=("10.0.0.1",), proxy_count=2)
    headers = {"X-Forwarded-For": "127.0.0.1, 203.0.113.9, 10.0.0.2"}
    assert seen(app, "10.0.0.1", headers)[0] == "203.0.113.9"


def test_a_forwarded_name_must_be_allowed_too(tmp_path):
    app = make_app(tmp_path, trusted_proxies=("10.0.0.1",))
    response = Browser(app, address="10.0.0.1").get(ECHO, headers={"X-Forwarded-Host": "evil.example"})
    assert response.status_code == 400


def test_the_standard_header_for_forwarding_is_ignored(tmp_path):
    app = make_app(tmp_path, trusted_proxies=("10.0.0.1",))
    forwarded = {"Forwarded": "for=203.0.113.9;host=evil.example;proto=https"}
    assert seen(app, "10.0.0.1", forwarded) == ("10.0.0.1", "http", "localhost")


def test_a_proxy_that_is_no_address_is_refused_at_the_start(tmp_path):
    with pytest.raises(InvalidInput, match=r"TINY_FORGE_TRUSTED_PROXIES.*'nginx'"):
        make_app(tmp_path, trusted_proxies=("nginx",))
