"""The buttons that test what is entered: against the stand-ins, writing nothing, with an answer in time."""

import time

import pytest
from sqlalchemy import text

from tests.settings.filled import EMAIL, NPM_PASSWORD, TOKEN, saved
from webapp import outgoing
from webapp.db import reading
from webapp.sandbox.cloudflare_tokens import ALL_PERMISSIONS
from webapp.sandbox.server import Failure, Reply
from webapp.settings import probes


@pytest.fixture
def _impatient(monkeypatch):
    assert probes.PATIENCE < 10  # what the page promises
    monkeypatch.setattr(probes, "PATIENCE", 0.3)


def rows(app):
    """Every row of every table but sign-ins."""
    with app.app_context(), reading() as session:
        names = session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars()
        tables = sorted(set(names) - {"auth_sessions", "sessions", "sign_ins"})
        return {table: session.execute(text(f"SELECT * FROM {table}")).all() for table in tables}


def test_a_good_connection_tells_version_account_and_hosts(press, filled, npm):
    npm.host_by_hand("www.example.com")
    found = press("test/npm", filled)
    assert "Nginx Proxy Manager 2.15.1 answers." in found
    assert f"Signed in as {EMAIL}." in found
    assert "1 proxy host can be seen." in found
    assert "chip-bad" not in found
    npm.host_by_hand("api.example.com")
    assert "2 proxy hosts can be seen." in press("test/npm", filled)


def test_a_good_token_proves_every_permission(press, filled):
    found = press("test/dns", filled)
    assert found.count("chip-ok") == 4
    assert "chip-bad" not in found


@pytest.mark.parametrize("button", ["test/npm", "test/dns", "zones", "public-address"])
def test_buttons_write_nothing(client, app, press, filled, npm, cloudflare, button):
    client.get("/settings")
    before = rows(app)
    press(button, filled)
    assert rows(app) == before
    assert (npm.writes, cloudflare.writes) == (0, 0)
    assert saved(app).base_domain == ""


@pytest.mark.parametrize("button", ["test/npm", "test/dns", "zones", "public-address"])
def test_without_scripts_the_page_comes_back_with_everything_in_it(client, filled, button):
    page = client.post(f"/settings/{button}", filled)
    assert page.status_code == 200
    assert 'value="example.com"' in page.text
    assert "settings-form" in page.text
    assert "invalid-feedback" not in page.text


def test_a_wrong_password_is_named(press, filled):
    found = press("test/npm", filled | {"npm_password": "wrong"})
    assert "refused the e-mail address or password" in found


def test_two_factors_are_named(press, filled, npm):
    npm.add_user("two@example.com", NPM_PASSWORD, two_factor=True)
    assert "two-factor" in press("test/npm", filled | {"npm_email": "two@example.com"})


def test_down_is_told(press, filled, npm, cloudflare):
    npm.stop()
    cloudflare.stop()
    assert "cannot be reached" in press("test/npm", filled)
    assert "chip-bad" in press("test/dns", filled)
    assert "could not be listed" in press("zones", filled)
    assert "could not be found out" in press("public-address", filled)


def test_an_html_page_is_told(press, filled, npm, cloudflare):
    html = Reply(502, "<html><h1>502 Bad Gateway</h1></html>")
    npm.fail(Failure.ANSWER, reply=html, times=9)
    cloudflare.fail(Failure.ANSWER, reply=html, times=9)
    assert "still starting, or its backend is down (502)" in press("test/npm", filled)
    found = press("test/dns", filled)
    assert "chip-bad" in found
    assert "<h1>502" not in found


def test_something_else_at_the_address_is_told(press, filled, npm):
    npm.fail(Failure.ANSWER, reply=Reply(200, "<html>a router</html>"))
    assert "does not answer like Nginx Proxy Manager" in press("test/npm", filled)


def test_an_address_that_the_panel_does_not_talk_to_is_not_asked(press, filled, npm, monkeypatch):
    monkeypatch.setattr(outgoing, "is_refused", lambda address: address == "127.0.0.1")
    assert "chip-bad" in press("test/npm", filled)
    assert npm.log == []


def test_a_proxy_of_the_environment_never_sees_the_password(press, filled, npm, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert "2.15.1 answers" in press("test/npm", filled)


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("button", ["test/npm", "test/dns", "zones", "public-address"])
def test_a_hanging_server_does_not_hang_the_page(press, filled, npm, cloudflare, button):
    npm.latency = cloudflare.latency = 1.5
    start = time.monotonic()
    found = press(button, filled)
    assert time.monotonic() - start < 1.2
    assert "No complete answer within" in found


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("zone:read", "Zone: Zone: Read"),
        ("dns:edit", "Zone: DNS: Edit"),
        ("dns:read", "Zone: DNS: Read or Edit"),
    ],
)
def test_each_missing_permission_of_the_token_is_named(press, filled, cloudflare, missing, message):
    lacking = {"dns:read", "dns:edit"} if missing == "dns:read" else {missing}
    cloudflare.add_token(TOKEN, permissions=set(ALL_PERMISSIONS) - lacking)
    assert message in press("test/dns", filled)


def test_an_unknown_token_is_named(press, filled):
    assert "chip-bad" in press("test/dns", filled | {"token": "u" * 40})


@pytest.mark.parametrize("status", ["disabled", "expired"])
def test_a_token_that_is_off_is_named(press, filled, cloudflare, status):
    cloudflare.add_token(TOKEN, status=status)
    found = press("test/dns", filled)
    assert "chip-bad" in found
    assert "Write records" in found


def test_a_zone_outside_the_token_is_named(press, filled, cloudflare):
    cloudflare.add_token(TOKEN, zones=["other.example"])
    assert "cannot see example.com" in press("test/dns", filled)


def test_without_a_zone_the_token_is_tested_alone(press, filled):
    found = press("test/dns", filled | {"zone": ""})
    assert "The token is valid." in found
    assert "Choose a zone first." in found


def test_the_saved_secrets_are_used_where_nothing_is_entered(client, press, filled):
    client.post("/settings", filled)
    blank = filled | {"version": "2", "token": "", "npm_password": ""}
    assert "2.15.1 answers" in press("test/npm", blank)
    assert press("test/dns", blank).count("chip-ok") == 4


@pytest.mark.parametrize(
    ("button", "blank", "message"),
    [
        ("test/npm", {"npm_url": ""}, "Enter the address first."),
        ("test/npm", {"npm_email": ""}, "Enter the e-mail address"),
        ("test/npm", {"npm_password": ""}, "Enter the password"),
        ("test/npm", {"npm_url": "nonsense"}, "http://"),
        ("test/dns", {"token": ""}, "Enter the API token"),
        ("test/dns", {"token": "two words"}, "one line"),
        ("test/dns", {"provider": "nonsense"}, "Not a valid choice"),
        ("zones", {"token": ""}, "Enter the API token"),
    ],
)
@pytest.mark.parametrize("wildcard", [{}, {"wildcard": "y"}])
def test_what_is_missing_for_a_test_is_told(press, filled, npm, cloudflare, button, blank, message, wildcard):
    assert message in press(button, filled | blank | wildcard)
    assert npm.log == cloudflare.log == []


def test_zones_fill_the_selector(press, filled, cloudflare):
    other = cloudflare.add_zone("example.org", plan="pro")
    found = press("zones", filled | {"zone": "", "ipv4": ""})
    assert f'value="{other}/example.org/pro"' in found
    assert f'value="{cloudflare.zone}/example.com/free"' in found
    assert "alert-danger" not in found
    assert "invalid-feedback" not in found


def test_the_chosen_zone_stays_chosen(press, filled):
    assert f'selected value="{filled["zone"]}"' in press("zones", filled)


def test_a_token_that_may_not_list_zones_gets_fields_for_one_by_hand(client, press, filled, cloudflare):
    cloudflare.add_token(TOKEN, permissions=["dns:read", "dns:edit"])
    found = press("zones", filled)
    assert "could not be listed" in found
    assert 'name="zone_id"' in found
    by_hand = filled | {"zone": "", "zone_id": cloudflare.zone, "zone_name": "example.com"}
    assert client.post("/settings", by_hand).status_code == 303


def test_the_public_address_is_proposed_and_not_saved(press, app, filled, cloudflare):
    cloudflare.public_ip = "203.0.113.77"
    found = press("public-address", filled | {"ipv4": ""})
    assert 'value="203.0.113.77"' in found
    assert "Save to use it." in found
    assert saved(app).target.ipv4 is None


def test_an_odd_public_address_is_not_proposed(press, filled, cloudflare):
    cloudflare.public_ip = "<script>"
    found = press("public-address", filled)
    assert "could not be found out" in found
    assert f'value="{filled["ipv4"]}"' in found


def test_a_lost_key_is_told_and_no_error_page(client, app, press, filled):
    client.post("/settings", filled)
    from webapp.vault import Vault

    app.extensions["vault"] = Vault("another key")
    blank = filled | {"version": "2", "token": "", "npm_password": ""}
    for button in ("test/npm", "test/dns", "zones"):
        assert "secret key has changed" in press(button, blank)
