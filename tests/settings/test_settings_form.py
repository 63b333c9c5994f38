"""Every field of the settings page: bad input is told beside the field, comes back, and saves nothing."""

import pytest

from tests.settings.filled import beside, saved, value_of

BAD = [
    ("base_domain", "my domain.com", "spaces"),
    ("base_domain", "a_b.example.com", "underscore"),
    ("base_domain", "http://example.com", "only the name"),
    ("base_domain", "localhost", "complete name"),
    ("base_domain", "x" * 64 + ".com", "too long"),
    ("base_domain", "a." * 140 + "com", "too long"),
    ("base_domain", "x" * 300, "253"),
    ("base_domain", "🙂.example.com", "forbidden"),
    ("base_domain", "a..example.com", "two dots"),
    ("base_domain", "*.example.com", "without a star"),
    ("ipv4", "203.0.113", "IPv4 address such as"),
    ("ipv4", "203.0.113.256", "IPv4 address such as"),
    ("ipv4", "2001:db8::1", "IPv4 address such as"),
    ("ipv4", "http://203.0.113.10", "IPv4 address such as"),
    ("ipv4", "127.0.0.1", "Nobody could reach"),
    ("ipv4", "0.0.0.0", "Nobody could reach"),
    ("ipv4", "169.254.1.1", "Nobody could reach"),
    ("ipv4", "224.0.0.1", "Nobody could reach"),
    ("ipv6", "203.0.113.10", "IPv6 address such as"),
    ("ipv6", "2001:db8::1::2", "IPv6 address such as"),
    ("ipv6", "::1", "Nobody could reach"),
    ("ipv6", "[fe80::1]", "Nobody could reach"),
    ("ipv6", "2001:db8::1%eth0", "percent sign"),
    ("cname", "home.example.net", "not both"),
    ("cname", "not a name", "spaces"),
    ("npm_url", "npm.lan:81", "http://"),
    ("npm_url", "javascript:alert(1)", "http://"),
    ("npm_url", "ftp://npm.lan", "http://"),
    ("npm_url", "http://", "http://"),
    ("npm_url", "http://user:secret@npm.lan:81", "own fields"),
    ("npm_url", "http://npm.lan:81/nginx/proxy", "without a path"),
    ("npm_url", "http://npm.lan:81/?a=b", "own fields"),
    ("npm_url", "http://npm.lan:81/#top", "own fields"),
    ("npm_url", "http://npm.lan:99999", "cannot be read"),
    ("npm_url", "http://npm.lan:0", "1 to 65535"),
    ("npm_url", "http://[::1", "cannot be read"),
    ("npm_url", "http://a..b:81", "host name"),
    ("npm_url", "http://" + "x" * 64 + ":81", "host name"),
    ("npm_url", 'http://a"b:81', "host name"),
    ("npm_url", "http://" + "a." * 200 + "com", "255"),
    ("npm_email", "", "e-mail"),
    ("npm_email", "x" * 256, "255"),
    ("npm_password", "", "password"),
    ("npm_password", "x" * 256, "255"),
    ("token", "", "Enter the API token"),
    ("token", "two words", "one line"),
    ("token", "one\ntwo", "one line"),
    ("token", "tökén-0123456789", "one line"),
    ("token", "x" * 501, "500"),
    ("provider", "nonsense", "Not a valid choice"),
    ("zone", "", "Choose the zone"),
    ("zone", "../../user/example.com/free", "Choose the zone"),
    ("zone", "id/exa mple.com/free", "Choose the zone"),
    ("ttl", "", "number of seconds"),
    ("ttl", "soon", "integer"),
    ("ttl", "59", "60 to 86400"),
    ("ttl", "86401", "60 to 86400"),
    ("ttl", "-1", "60 to 86400"),
    ("ttl", "0", "60 to 86400"),
    ("ttl", "9" * 4000, "60 to 86400"),
    ("policy", "sometimes", "Not a valid choice"),
]
SECRETS = {"npm_password", "token"}
TEXT = {"base_domain", "ipv4", "ipv6", "cname", "npm_url", "npm_email", "ttl"}


@pytest.mark.parametrize(("field", "value", "message"), BAD)
def test_bad_input_is_told_beside_its_field_and_saves_nothing(client, app, filled, field, value, message):
    before = saved(app)
    page = client.post("/settings", filled | {field: value})
    assert page.status_code == 422
    assert message in beside(page, field)
    assert f'href="#{field}"' in page.text
    assert page.text.count("<title>Error: ") == 1
    assert saved(app) == before
    if field in TEXT:
        assert value_of(page, field) == value
    elif field in SECRETS and value:
        assert value not in page.text


def test_htmx_gets_the_form_alone_with_the_same_message(client, filled):
    page = client.post("/settings", filled | {"ipv4": "nonsense"}, htmx=True)
    assert page.status_code == 422
    assert "IPv4 address such as" in beside(page, "ipv4")
    assert "<!doctype html>" not in page.text


def test_what_was_typed_elsewhere_comes_back_too(client, filled):
    typed = {"ipv4": "nonsense", "base_domain": "example.org", "ttl": "300", "policy": "keep", "proxied": "y"}
    page = client.post("/settings", filled | typed).text
    assert 'value="example.org"' in page
    assert 'value="300"' in page
    checked = [tag for tag in page.split("<input")[1:] if "checked" in tag.split(">")[0]]
    assert {name for name in ("policy", "proxied") if any(f'name="{name}"' in tag for tag in checked)} == {
        "policy", "proxied",
    }  # fmt: skip
    assert any('value="keep"' in tag for tag in checked)


def test_several_mistakes_are_told_together(client, filled):
    page = client.post("/settings", filled | {"ipv4": "x", "ttl": "7", "npm_email": ""}).text
    assert "3 entries need another look." in page


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [
        ("npm_url", " http://NPM.lan:81/ ", "http://npm.lan:81"),
        ("npm_url", "https://npm.lan/api/", "https://npm.lan"),
        ("npm_url", "http://[2001:DB8::5]:81", "http://[2001:db8::5]:81"),
        ("base_domain", " Example.COM. ", "example.com"),
        ("base_domain", "bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_input_is_brought_into_its_normal_form(client, app, filled, field, typed, kept):
    assert client.post("/settings", filled | {field: typed}).status_code == 303
    assert getattr(saved(app), field) == kept


@pytest.mark.parametrize("typed", ["[2001:db8::10]", " 2001:0DB8:0::10 "])
def test_an_ipv6_address_may_come_in_brackets(client, app, filled, typed):
    assert client.post("/settings", filled | {"ipv6": typed}).status_code == 303
    assert saved(app).target.ipv6 == "2001:db8::10"


def test_a_target_name_takes_the_place_of_addresses(client, app, filled):
    assert client.post("/settings", filled | {"ipv4": "", "cname": "Home.example.net."}).status_code == 303
    assert (saved(app).target.cname, saved(app).target.ipv4) == ("home.example.net", None)


def test_a_target_name_is_no_wildcard(client, filled):
    page = client.post("/settings", filled | {"ipv4": "", "cname": "*.example.net"})
    assert "without a star" in beside(page, "cname")


def test_records_need_something_to_point_at(client, filled):
    page = client.post("/settings", filled | {"ipv4": ""})
    assert page.status_code == 422
    assert "something to point at" in beside(page, "ipv4")


@pytest.mark.parametrize(
    ("field", "address"),
    [("ipv4", "10.0.0.5"), ("ipv4", "192.168.1.2"), ("ipv4", "100.64.0.1"), ("ipv6", "fd00::1")],
)
def test_a_private_address_is_fine_until_it_is_proxied(client, filled, field, address):
    page = client.post("/settings", filled | {field: address, "proxied": "y"})
    assert page.status_code == 422
    assert "cannot proxy a private address" in beside(page, "proxied")
    assert client.post("/settings", filled | {field: address}).status_code == 303


def test_a_public_address_may_be_proxied(client, app, filled):
    assert client.post("/settings", filled | {"proxied": "y"}).status_code == 303
    assert saved(app).proxied


def test_under_the_wildcard_no_provider_is_needed(client, app, filled):
    bare = filled | {"wildcard": "y", "token": "", "zone": "", "ipv4": ""}
    assert client.post("/settings", bare).status_code == 303


def test_a_saved_password_needs_no_second_entry_for_the_same_address(client, filled):
    client.post("/settings", filled)
    again = filled | {"version": "2", "npm_password": "", "npm_url": filled["npm_url"] + "/"}
    assert client.post("/settings", again).status_code == 303


def test_the_in_memory_provider_is_for_practice_only(app, filled, context):
    from webapp.settings.forms import SettingsForm

    with app.test_request_context():
        real = SettingsForm.over(None, practice=False)
        practice = SettingsForm.over(None, practice=True)
    assert [choice.value for choice in real.provider.choices] == ["cloudflare"]
    assert "memory" in [choice.value for choice in practice.provider.choices]


def test_a_zone_by_hand_wins_over_the_selector(client, app, filled):
    by_hand = {"zone_id": "0123456789abcdef" * 2, "zone_name": "Example.org"}
    assert client.post("/settings", filled | by_hand).status_code == 303
    assert (saved(app).zone.id, saved(app).zone.name) == (by_hand["zone_id"], "example.org")


@pytest.mark.parametrize(
    "by_hand",
    [{"zone_id": "../user", "zone_name": "example.org"}, {"zone_id": "a" * 31, "zone_name": "example.org"},
     {"zone_id": "a" * 32, "zone_name": "not a name"}],
)  # fmt: skip
def test_a_zone_by_hand_is_checked(client, filled, by_hand):
    page = client.post("/settings", filled | by_hand)
    assert page.status_code == 422
    assert beside(page, "zone_id") or beside(page, "zone_name")
    test = client.post("/settings/test/dns", filled | by_hand, htmx=True)
    assert "is valid" not in test.text


def test_a_body_of_10_mb_is_refused(client, filled):
    for path in ("/settings", "/settings/test/npm", "/settings/confirm", "/proxies/new"):
        page = client.post(path, filled | {"base_domain": "x" * 10_000_000})
        assert page.status_code == 413
        assert "at most 1 MB" in page.text


def test_a_get_with_values_in_the_address_changes_nothing_in_the_form(client):
    assert value_of(client.get("/settings?base_domain=evil.example"), "base_domain") == ""
