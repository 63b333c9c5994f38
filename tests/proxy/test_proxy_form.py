"""What may be entered for a proxy: nothing reaches nginx that could be read as syntax there."""

import pytest
from werkzeug.datastructures import MultiDict

from webapp.db import transaction
from webapp.errors import InvalidInput
from webapp.proxy import service
from webapp.proxy.forms import make_form
from webapp.proxy.npm_wire import HostSpec, checked
from webapp.proxy.upstream import parse_host

GOOD = {
    "name": "app.example.com",
    "forward_scheme": "http",
    "forward_host": "10.0.0.5",
    "forward_port": "8080",
    "certificate_id": "0",
}


@pytest.fixture
def form(context, app):
    """The form over posted values; certificate 3 is in the list that was last read."""
    with transaction() as session:
        settings = service.npm_settings(session)
        settings.certificates = [{"id": 3, "name": "x", "domains": ["x.example.com"], "expires_on": None}]
    with app.test_request_context():
        yield lambda saved=None, **fields: make_form(MultiDict(GOOD | fields), saved, csrf=False)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("192.168.1.20", "192.168.1.20"),
        (" 192.168.1.20 ", "192.168.1.20"),
        ("2001:db8::5", "[2001:db8::5]"),
        ("[2001:DB8:0::5]", "[2001:db8::5]"),
        ("::ffff:10.0.0.5", "[::ffff:a00:5]"),
        ("my_container", "my_container"),
        ("my_app-web-1", "my_app-web-1"),
        ("NAS.Lan", "nas.lan"),
        ("localhost", "localhost"),
        ("_gateway", "_gateway"),
    ],
)
def test_hosts_that_may_be_entered(typed, kept):
    assert parse_host(typed) == kept
    checked(HostSpec("app.example.com", "http", kept, 80))


@pytest.mark.parametrize(
    "typed",
    [
        'x"; return 418; #',
        "x; return 418",
        "x;",
        "x}",
        "a b",
        "a\nb",
        "a\tb",
        "$host",
        "${host}",
        "a'b",
        "a`b",
        "a\\b",
        "a#b",
        "a%20b",
        "fe80::1%eth0",
        "fe80::1%;return 418;#",
        "[::1%25;return 418;#]",
        "http://10.0.0.5",
        "10.0.0.5/path",
        "10.0.0.5:8080",
        "host:8080",
        "user@host",
        "10.0.0",
        "10.0.0.256",
        "1.2.3.4.5",
        "2001:db8::1::2",
        "[2001:db8::5]:8080",
        "-a",
        "a-",
        "a.-b",
        "a..b",
        ".a",
        "a.",
        "",
        " ",
        "x" * 64,
        ".".join(["abcdefgh"] * 30),
        "bücher",
        "кот",
        "unix:/var/run/docker.sock",
        "*.example.com",
    ],
)
def test_hosts_that_may_not(typed):
    with pytest.raises(InvalidInput):
        parse_host(typed)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "Enter a name"),
        ("name", "app", "complete name"),
        ("name", "a b.example.com", "spaces"),
        ("name", "a_b.example.com", "underscore"),
        ("name", "a.*.example.com", "star"),
        ("name", "x" * 64 + ".example.com", "too long"),
        ("name", "🙂.example.com", "forbidden"),
        ("name", "10.0.0.1", "address"),
        ("name", "https://app.example.com", "only the name"),
        ("name", 'a";return 418;#.example.com', "cannot contain"),
        ("forward_scheme", "ftp", "Not a valid choice"),
        ("forward_scheme", "http; return 418", "Not a valid choice"),
        ("forward_host", "", "Enter the host"),
        ("forward_host", 'x"; return 418; #', "Enter an address or a host name"),
        ("forward_port", "", "1 to 65535"),
        ("forward_port", "0", "1 to 65535"),
        ("forward_port", "65536", "1 to 65535"),
        ("forward_port", "-1", "1 to 65535"),
        ("forward_port", "80; return 418", "integer"),
        ("forward_port", "8080.5", "integer"),
        ("forward_port", "9" * 4000, "1 to 65535"),
        ("certificate_id", "-1", "from the list"),
        ("certificate_id", "9" * 25, "from the list"),
        ("certificate_id", "77", "from the list"),
        ("certificate_id", "none", "could not"),
        ("dns_ttl", "59", "60 to 86400"),
        ("dns_ttl", "0", "60 to 86400"),
        ("dns_ttl", "86401", "60 to 86400"),
        ("dns_ttl", "soon", "integer"),
        ("dns_proxied", "perhaps", "Not a valid choice"),
    ],
)
def test_bad_input_is_told_at_its_field(form, field, value, message):
    filled = form(**{field: value})
    assert not filled.validate()
    assert message in " ".join(filled[field].errors)
    assert set(filled.errors) == {field}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"ssl_forced": "y"}, "ssl_forced"),
        ({"http2_support": "y"}, "http2_support"),
        ({"certificate_id": "3", "hsts_enabled": "y"}, "hsts_enabled"),
        ({"certificate_id": "3", "ssl_forced": "y", "hsts_subdomains": "y"}, "hsts_subdomains"),
    ],
)
def test_switches_that_need_another_say_so(form, fields, wrong):
    filled = form(**fields)
    assert not filled.validate()
    assert list(filled.errors) == [wrong]


def test_everything_becomes_a_wish(form):
    filled = form(
        name="Bücher.Example.com.", forward_scheme="https", forward_host="[2001:DB8::5]", forward_port="8443",
        certificate_id="3", ssl_forced="y", http2_support="y", hsts_enabled="y", hsts_subdomains="y",
        block_exploits="y", enabled="y", use_dns="y", dns_proxied="no", dns_ttl="300",
    )  # fmt: skip
    assert filled.validate(), filled.errors
    wish = filled.wish()
    assert wish.fqdn == "xn--bcher-kva.example.com"
    assert (wish.forward_scheme, wish.forward_host, wish.forward_port) == ("https", "[2001:db8::5]", 8443)
    assert (wish.certificate_id, wish.hsts_subdomains, wish.allow_websocket_upgrade) == (3, True, False)
    assert (wish.dns_proxied, wish.dns_ttl) == (False, 300)


def test_blank_overrides_mean_the_defaults(form):
    filled = form(dns_proxied="default", dns_ttl="")
    assert filled.validate()
    assert (filled.wish().dns_proxied, filled.wish().dns_ttl) == (None, None)


def test_a_single_word_is_completed_with_the_base_domain(form, app):
    from webapp.dns import ledger

    with transaction() as session:
        ledger.settings(session).base_domain = "example.org"
    filled = form(name="app")
    assert filled.validate()
    assert filled.wish().fqdn == "app.example.org"


def test_a_saved_certificate_that_is_not_in_the_list_may_stay(form):
    filled = form({"certificate_id": 42}, certificate_id="42")
    assert filled.validate()
    assert "Certificate 42 (not in the list)" in filled.certificate_id()
