"""What the settings page sends besides its fields: titles, what Enter does, and the words of the preview."""

import re

import pytest

from tests.settings.filled import add_proxy
from webapp.db import reading, transaction
from webapp.dns import ledger
from webapp.settings import probes


@pytest.fixture
def up(client, app, filled):
    """A record that is up; the form as it is saved."""
    client.post("/settings", filled)
    add_proxy(app)
    with app.app_context(), transaction() as session:
        for row in ledger.wanted(session):
            row.provider_record_id = "r1"
    return filled | {"version": "2"}


def test_wrong_input_changes_the_title_and_takes_the_focus(client, filled):
    part = client.post("/settings", filled | {"ipv4": "bad"}, htmx=True)
    assert "<title>Error: Settings · Tiny Forge</title>" in part.text
    assert re.search(r'role="alert" tabindex="-1" autofocus', part.text)
    assert client.post("/settings", filled | {"ipv4": "bad"}).text.count("<title>") == 1


def test_the_confirmation_has_a_title_of_its_own(client, app, filled):
    add_proxy(app)
    assert "<title>Confirm the settings · " in client.post("/settings", filled, htmx=True).text


def test_enter_in_a_field_saves(client):
    """What Enter presses is the first button of a form."""
    form = client.get("/settings").text.partition('id="settings-form"')[2]
    first = re.search(r"<button[^>]*>", form)[0]
    assert "formaction" not in first
    assert 'class="visually-hidden" tabindex="-1" aria-hidden="true"' in first


@pytest.mark.parametrize(("path", "button"), [("zones", "load-zones"), ("public-address", "propose-address")])
def test_a_button_that_replaces_itself_can_be_found_again(client, filled, monkeypatch, path, button):
    monkeypatch.setattr(probes, "public_address", lambda *_: ({}, "none"))
    assert f'id="{button}"' in client.get("/settings").text
    assert f'id="{button}"' in client.post(f"/settings/{path}", filled, htmx=True).text


def test_from_addresses_to_a_name_is_said_to_break_before_it_makes(client, up):
    page = client.post("/settings", up | {"ipv4": "", "cname": "home.example.net"})
    assert "each just before the record that replaces it is made" in page.text
    assert "after its replacement is up" not in page.text


def test_from_one_address_to_another_kind_is_said_to_make_before_it_breaks(client, up):
    page = client.post("/settings", up | {"ipv4": "", "ipv6": "2001:db8::1"})
    assert "each after its replacement is up" in page.text


def test_with_a_name_outside_the_zone_saving_the_same_again_asks_nothing(client, app, filled):
    add_proxy(app, "app.example.org")
    page = client.post("/settings", filled)
    draft = re.search(r'name="draft" value="([^"]*)"', page.text)[1]
    client.post("/settings/confirm", {"draft": draft})
    assert client.post("/settings", filled | {"version": "2"}).status_code == 303
    with app.app_context(), reading() as session:
        assert ledger.settings(session).version == 3


def test_the_test_of_a_refused_address_says_so(client, filled):
    page = client.post("/settings/test/npm", filled | {"npm_url": "http://169.254.169.254"}, htmx=True)
    assert "link-local and cloud metadata addresses are refused" in page.text
