"""The DNS page over HTTP: every address with and without htmx, every state, and hostile content in records."""

import re

import pytest
from flask import Flask

from tests.dns.outside_world import Outside
from tests.dns.panel_world import ELSEWHERE, HERE, Panel
from tests.support import Browser
from webapp.db import transaction
from webapp.dns import ledger, service

NAME = "app.example.com"
POLLS = 'hx-trigger="every 2s"'
HOSTILE = "<script>alert(1)</script>"


def text(browser: Browser, path: str = "/dns", *, htmx: bool = False, status: int = 200) -> str:
    """The words of an answer, without its tags."""
    response = browser.get(path, htmx=htmx)
    assert response.status_code == status
    assert "HX-Request" in response.headers["Vary"]
    return words(response.text)


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def in_conflict(panel: Panel) -> None:
    panel.by_hand(NAME, "A", ELSEWHERE)
    panel.claim(NAME)
    panel.round()


@pytest.mark.parametrize("path", ["/dns", "/dns/review", "/dns/connections"])
@pytest.mark.parametrize("managed", [True, False])
def test_every_address_is_a_page_and_a_fragment(
    app: Flask, context: None, client: Browser, path: str, managed: bool
) -> None:
    Panel(managed=managed).claim(NAME)
    page, fragment = client.get(path), client.get(path, htmx=True)
    assert (page.status_code, fragment.status_code) == (200, 200)
    assert "<title>DNS records" in page.text
    assert "<html" not in fragment.text
    assert len(page.text) > len(fragment.text)


def test_a_boosted_request_gets_the_whole_page(panel: Panel, client: Browser) -> None:
    answer = client.get("/dns", htmx=True, headers={"HX-Request-Type": "full"})
    assert "<html" in answer.text


def test_an_empty_panel_says_what_is_going_to_be_here(client: Browser) -> None:
    shown = text(client)
    assert "No names yet" in shown
    assert "Wildcard mode" in shown


def test_a_search_without_a_match_offers_to_clear_the_filters(panel: Panel, client: Browser) -> None:
    panel.claim(NAME)
    assert "No record matches" in text(client, "/dns?q=nothing-like-it")


def test_the_table_tells_the_whole_record(panel: Panel, client: Browser) -> None:
    panel.claim(NAME, ttl=300)
    panel.round()
    shown = text(client, htmx=True)
    for piece in (NAME, f"A {HERE} 300 s No", "Synced", "Proxy 1"):
        assert piece in shown
    assert 'href="/proxies/1' in client.get("/dns", htmx=True).text


def test_drift_shows_what_is_wanted_instead(panel: Panel, client: Browser) -> None:
    panel.claim(NAME)
    panel.round()
    panel.edit(content=ELSEWHERE)
    service.request_check(at=panel.at)
    panel.round()
    shown = text(client)
    assert f"{ELSEWHERE} wanted: {HERE}" in shown
    assert "Drifted" in shown
    assert "Apply 1 change" in shown


def test_a_failure_shows_reason_and_next_try(panel: Panel, client: Browser) -> None:
    panel.account.broken = True
    panel.claim(NAME)
    panel.round()
    assert "The provider does not answer. Next try" in text(client, htmx=True)
    assert "The table shows what was known before" in text(client, "/dns/connections", htmx=True)


def test_a_blocked_connection_says_that_a_person_is_needed(panel: Panel, client: Browser) -> None:
    panel.account.read_only = True
    panel.claim(NAME)
    panel.round()
    assert "Nothing is tried until you press «Check now»" in text(client)


def test_the_quota_is_shown(panel: Panel, client: Browser) -> None:
    panel.account.quota = 200
    service.request_check(at=panel.at)
    panel.round()
    assert "0 of 200 records used" in text(client)


def test_the_table_asks_again_only_while_something_is_pending(panel: Panel, client: Browser) -> None:
    panel.claim(NAME)
    assert POLLS in client.get("/dns", htmx=True).text
    panel.round()
    panel.see(Outside(panel))
    assert POLLS not in client.get("/dns", htmx=True).text
    panel.account.read_only = True
    panel.release()
    assert POLLS in client.get("/dns", htmx=True).text
    panel.round()
    assert POLLS not in client.get("/dns", htmx=True).text


def test_the_poll_keeps_the_filters(panel: Panel, client: Browser) -> None:
    panel.claim(NAME)
    answer = client.get("/dns?q=app&status=pending&sort=-name", htmx=True).text
    assert re.search(r'hx-get="/dns\?q=app&amp;status=pending&amp;sort=-name', answer)


def test_a_button_keeps_the_filters_of_its_page(panel: Panel, client: Browser) -> None:
    panel.claim(NAME, "other.example.com")
    row = panel.row(NAME)
    here = {"HX-Current-URL": "http://localhost/dns?q=app"}
    shown = words(client.post(f"/dns/records/{row.id}/retry", htmx=True, headers=here).text)
    assert NAME in shown
    assert "other.example.com" not in shown


def test_the_wildcard_can_be_checked_and_tells_its_verdict(context: None, client: Browser) -> None:
    panel = Panel(managed=False)
    panel.save()
    panel.claim(NAME, "a.b.example.com")
    assert client.post("/dns/check", htmx=True).status_code == 200
    assert "Being looked up" in text(client)
    with transaction() as session:
        settings = ledger.settings(session)
        settings.wildcard_checked_at, settings.wildcard_works = panel.at, True
        settings.wildcard_message = "*.example.com resolves to the server."
    shown = text(client)
    for piece in (
        "*.example.com resolves to the server.",
        "Covered by the wildcard",
        "Not covered",
        "one level below",
    ):
        assert piece in shown
    assert "There is no provider" not in shown


def test_hostile_content_of_other_people_is_only_text(panel: Panel, client: Browser) -> None:
    panel.by_hand(f"{HOSTILE}.example.com", "TXT", HOSTILE, mark=HOSTILE)
    panel.by_hand(NAME, "A", HOSTILE, mark=HOSTILE)
    panel.claim(NAME)
    panel.round()
    service.request_check(at=panel.at)
    panel.round()
    for path in ("/dns?foreign=1", f"/dns?q={HOSTILE}", "/dns?status=foreign", "/dns/review"):
        assert HOSTILE not in client.get(path).text
    assert "&lt;script&gt;" in client.get("/dns?foreign=1").text
