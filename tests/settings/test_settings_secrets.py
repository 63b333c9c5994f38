"""Secrets on the settings page: write-only, and never sent to another server than they were entered for."""

import logging

import pytest

from tests.settings.filled import (
    NPM_PASSWORD,
    TOKEN,
    add_proxy,
    beside,
    draft_in,
    everything_written,
    saved,
    stored_secrets,
    value_of,
)


def test_secrets_never_come_back(client, app, filled, config, caplog):
    caplog.set_level(logging.DEBUG)
    add_proxy(app)
    answers = [
        client.post("/settings", filled | {"ttl": "nonsense"}),
        client.post("/settings/test/npm", filled),
        client.post("/settings/test/dns", filled),
        client.post("/settings/zones", filled),
    ]
    preview = client.post("/settings", filled)
    answers += [preview, client.post("/settings/confirm", {"draft": draft_in(preview)})]
    answers += [client.get(path) for path in ("/settings", "/proxies", "/dns", "/")]
    kept = everything_written(config.data_dir)
    for secret in (TOKEN, NPM_PASSWORD):
        assert not any(secret in answer.text for answer in answers)
        assert secret.encode() not in kept
        assert secret not in caplog.text
    assert stored_secrets(app) != (None, None)


def test_saved_secrets_are_shown_as_saved_only(client, filled):
    client.post("/settings", filled)
    page = client.get("/settings")
    assert page.text.count("Saved. Leave it blank to keep it.") == 2
    assert (value_of(page, "token"), value_of(page, "npm_password")) == ("", "")


def test_blank_secrets_keep_what_is_saved(client, app, filled):
    client.post("/settings", filled)
    before = stored_secrets(app)
    again = filled | {"version": "2", "token": "", "npm_password": "", "npm_email": "other@example.com"}
    assert client.post("/settings", again).status_code == 303
    assert stored_secrets(app) == before


@pytest.mark.parametrize("how", [{"npm_password": ""}, {"npm_password": None}])
def test_another_proxy_manager_never_gets_the_saved_password(client, app, filled, npm, how):
    client.post("/settings", filled)
    changed = {k: v for k, v in (filled | {"version": "2", "npm_url": "http://evil.example:81"} | how).items()
               if v is not None}  # fmt: skip
    page = client.post("/settings", changed)
    assert page.status_code == 422
    assert "enter the password again" in beside(page, "npm_password")
    assert saved(app).npm_url == filled["npm_url"]
    test = client.post("/settings/test/npm", changed, htmx=True)
    assert "enter the password again" in test.text


def test_another_provider_never_gets_the_saved_token(client, app, filled):
    client.post("/settings", filled)
    changed = filled | {"version": "2", "provider": "memory", "token": ""}
    page = client.post("/settings", changed)
    assert page.status_code == 422
    assert "enter its API token" in beside(page, "token")
    for button in ("test/dns", "zones"):
        assert "enter its API token" in client.post(f"/settings/{button}", changed, htmx=True).text


def test_another_provider_asks_for_its_token_under_the_wildcard_too(client, filled):
    client.post("/settings", filled)
    page = client.post(
        "/settings", filled | {"version": "2", "provider": "memory", "token": "", "wildcard": "y"}
    )
    assert page.status_code == 422


def test_taking_the_address_away_forgets_the_password(client, app, filled):
    client.post("/settings", filled)
    client.post("/settings", filled | {"version": "2", "npm_url": "", "npm_password": ""})
    assert stored_secrets(app)[1] is None
