"""Saving the settings: preview and confirmation, stale pages, and secrets that never come back."""

from datetime import timedelta

import pytest

from tests.settings.filled import add_proxy, beside, draft_in, saved, value_of
from webapp.db import now, reading, transaction
from webapp.dns import ledger
from webapp.dns.desired import Mode
from webapp.errors import InvalidInput
from webapp.proxy import service as proxies
from webapp.settings import service
from webapp.settings.models import SettingsDraft

BOTH = pytest.mark.parametrize("htmx", [False, True])


def drafts(app):
    with app.app_context(), reading() as session:
        return session.query(SettingsDraft).all()


def is_saved(page, htmx):
    if htmx:
        return page.headers.get("HX-Redirect") == "/settings"
    return (page.status_code, page.location) == (303, "/settings")


def later(client, time_machine):
    """More than half an hour goes by, which ends the sign-in too."""
    time_machine.move_to(now() + timedelta(minutes=31))
    client.sign_in()


@BOTH
def test_everything_is_saved(client, app, filled, htmx):
    assert is_saved(client.post("/settings", filled, htmx=htmx), htmx)
    current = saved(app)
    assert (current.mode, current.base_domain, current.target.ipv4) == (
        Mode.MANAGED, "example.com", "203.0.113.10",
    )  # fmt: skip
    assert (current.npm_url, current.npm_password_saved, current.token_saved) == (
        filled["npm_url"], True, True,
    )  # fmt: skip
    assert (current.zone.name, current.version) == ("example.com", 2)
    assert "The settings are saved." in client.get("/settings").text


def test_the_page_comes_whole_and_as_a_fragment(client):
    whole, part = client.get("/settings"), client.get("/settings", htmx=True)
    assert "<!doctype html>" in whole.text
    assert "<!doctype html>" not in part.text
    assert "settings-form" in whole.text
    assert "settings-form" in part.text
    assert part.headers["Vary"].count("HX-Request") == 1


def test_nothing_is_saved_by_looking(client, app):
    client.get("/settings")
    assert saved(app).version == 1


@BOTH
def test_a_change_of_records_is_shown_first_and_done_when_confirmed(client, app, filled, htmx):
    add_proxy(app)
    page = client.post("/settings", filled, htmx=htmx)
    assert page.status_code == 200
    assert "1 record will be created" in page.text
    assert ("<!doctype html>" in page.text) is not htmx
    assert saved(app).mode is Mode.WILDCARD

    assert is_saved(client.post("/settings/confirm", {"draft": draft_in(page)}, htmx=htmx), htmx)
    assert saved(app).mode is Mode.MANAGED
    with app.app_context(), reading() as session:
        assert [row.fqdn for row in ledger.wanted(session)] == ["app.example.com"]
    assert drafts(app) == []


def test_going_back_to_the_wildcard_says_how_many_records_go(client, app, filled):
    client.post("/settings", filled)
    for name in ("a", "b"):
        add_proxy(app, f"{name}.example.com")
    with app.app_context(), transaction() as session:
        for row in ledger.wanted(session):
            row.provider_record_id = f"r{row.id}"
    page = client.post("/settings", filled | {"version": "2", "wildcard": "y"})
    assert "2 records will be deleted" in page.text


def test_names_that_the_new_zone_cannot_hold_are_named(client, app, filled):
    add_proxy(app, "app.example.org")
    page = client.post("/settings", filled)
    assert "1 name will be left without a record" in page.text
    assert "app.example.org" in page.text


@BOTH
def test_a_stale_page_is_refused_with_what_was_typed(client, app, filled, htmx):
    client.post("/settings", filled)
    page = client.post("/settings", filled | {"base_domain": "example.org"}, htmx=htmx)
    assert page.status_code == 409
    assert "changed in the meantime" in page.text
    assert value_of(page, "base_domain") == "example.org"
    assert saved(app).base_domain == "example.com"


def test_a_stale_page_is_refused_before_anything_is_previewed(client, app, filled):
    client.post("/settings", filled)
    add_proxy(app)
    page = client.post("/settings", filled | {"ipv4": "203.0.113.99"})
    assert page.status_code == 409
    assert drafts(app) == []


@pytest.mark.parametrize("version", ["0", "-5", "99999999999999999999999"])
def test_an_odd_version_is_only_a_stale_page(client, app, filled, version):
    add_proxy(app)
    assert client.post("/settings", filled | {"version": version}).status_code == 409


def test_a_preview_is_not_confirmed_when_something_else_was_saved(client, app, filled):
    add_proxy(app)
    page = client.post("/settings", filled)
    client.post("/settings", filled | {"wildcard": "y"})
    refused = client.post("/settings/confirm", {"draft": draft_in(page)})
    assert refused.status_code == 409
    assert "no longer current" in refused.text
    assert saved(app).mode is Mode.WILDCARD


@BOTH
def test_an_outdated_confirmation_shows_the_form_and_what_is_wrong(client, htmx):
    page = client.post("/settings/confirm", {"draft": "old"}, htmx=htmx)
    assert page.status_code == 409
    assert "no longer current" in page.text
    assert "settings-form" in page.text
    assert "HX-Reswap" not in page.headers


def test_a_preview_expires(client, app, filled, time_machine):
    add_proxy(app)
    page = client.post("/settings", filled)
    later(client, time_machine)
    assert client.post("/settings/confirm", {"draft": draft_in(page)}).status_code == 409
    assert saved(app).mode is Mode.WILDCARD


def test_old_previews_are_thrown_away(client, app, filled, time_machine):
    add_proxy(app)
    client.post("/settings", filled)
    (old,) = drafts(app)
    later(client, time_machine)
    client.post("/settings", filled)
    assert [draft.id == old.id for draft in drafts(app)] == [False]


@pytest.mark.parametrize("draft", ["", "made-up", "x" * 5000])
def test_an_unknown_preview_is_refused(client, draft):
    assert client.post("/settings/confirm", {"draft": draft}).status_code == 409


def test_confirming_twice_saves_once(client, app, filled):
    add_proxy(app)
    page = client.post("/settings", filled)
    answers = [client.post("/settings/confirm", {"draft": draft_in(page)}).status_code for _ in "12"]
    assert answers == [303, 409]
    assert saved(app).version == 2


def test_a_moved_proxy_manager_gets_every_host_anew(client, app, filled):
    client.post("/settings", filled)
    add_proxy(app)
    with app.app_context(), proxies.transaction() as session:
        host = proxies.get(session, 1)
        host.npm_host_id = 7
        host.settle(proxies.HostStatus.ONLINE, now())
    client.post("/settings", filled | {"version": "2", "npm_url": "http://127.0.0.1:1"})
    with app.app_context(), reading() as session:
        host = proxies.get(session, 1)
        assert (host.npm_host_id, host.status) == (None, proxies.HostStatus.PENDING)


def test_saving_the_same_again_asks_nothing_of_settled_hosts(client, app, filled):
    client.post("/settings", filled)
    add_proxy(app)
    with app.app_context(), proxies.transaction() as session:
        proxies.get(session, 1).settle(proxies.HostStatus.ONLINE, now())
    client.post("/settings", filled | {"version": "2", "npm_password": ""})
    with app.app_context(), reading() as session:
        assert proxies.get(session, 1).status is proxies.HostStatus.ONLINE


def test_another_account_there_tries_only_what_waits(client, app, filled):
    client.post("/settings", filled)
    for name in ("fine", "failed"):
        add_proxy(app, f"{name}.example.com")
    with app.app_context(), proxies.transaction() as session:
        proxies.get(session, 1).settle(proxies.HostStatus.ONLINE, now())
        proxies.get(session, 2).fail(proxies.HostStatus.FAILED, "wrong password", None, now())
    client.post("/settings", filled | {"version": "2", "npm_email": "other@example.com"})
    with app.app_context(), reading() as session:
        fine, failed = proxies.get(session, 1), proxies.get(session, 2)
        assert (fine.status, failed.status) == (proxies.HostStatus.ONLINE, proxies.HostStatus.PENDING)


def test_a_refusal_of_the_service_is_told_beside_its_field(client, filled, monkeypatch):
    def refuse(_wish):
        raise InvalidInput("Enter the API token for this provider.", "token")

    monkeypatch.setattr(service, "preview", refuse)
    page = client.post("/settings", filled)
    assert (page.status_code, beside(page, "token")) == (422, "Enter the API token for this provider.")


@pytest.mark.parametrize("path", ["/settings/confirm", "/settings/test/npm", "/settings/zones"])
def test_the_buttons_take_no_get(client, path):
    page = client.get(path)
    assert page.status_code == 405
    assert "POST" in page.headers["Allow"]


def test_hosts_are_read_again_when_their_names_are_proxied_from_now_on(client, app, filled):
    """They get the place of their proof then."""
    client.post("/settings", filled)

    def read_at(moment=None):
        with app.app_context(), transaction() as session:
            settings = proxies.npm_settings(session)
            settings.read_at = moment or settings.read_at
            return settings.read_at

    seen = read_at(now())
    kept = filled | {"npm_password": "", "token": "", "ttl": "300"}
    client.post("/settings", kept | {"version": "2"})
    assert read_at() == seen
    client.post("/settings", kept | {"version": "3", "proxied": "y"})
    assert read_at() == proxies.LONG_AGO
