"""The table of the DNS page by how names look from outside."""

import html
import re

import pytest
from flask import Flask

from tests.dns.outside_world import Outside
from tests.dns.panel_world import ELSEWHERE, Panel
from tests.dns.table_world import asked
from tests.support import Browser
from webapp.dns.forms import LIVES, filters_from
from webapp.dns.listing import UNSEEN, Filters

STATES = {"good": "live", "late": "not yet", "bad": "wrong", "lost": "unknown", "new": UNSEEN}


@pytest.fixture
def panel(app: Flask, context: None) -> Panel:
    """A name in each state, one that is proxied, and a record that is not ours."""
    panel = Panel()
    outside = Outside(panel)
    panel.by_hand("theirs.example.com", "A", ELSEWHERE)
    panel.claim("lost.example.com")
    panel.round()
    outside.lost = "Nobody knows."
    panel.see(outside)
    outside.lost, outside.late = "", {"late.example.com"}
    panel.claim("good.example.com", "late.example.com", "bad.example.com", proxy=2)
    panel.round()
    panel.edit("bad.example.com", content=ELSEWHERE)
    panel.see(outside)
    panel.claim("new.example.com", proxy=3)
    return panel


def names(**args: str) -> list[str]:
    return [line.name.partition(".")[0] for line in asked(**args).lines]


def test_every_state_finds_its_names(panel: Panel) -> None:
    assert {live: names(live=live) for live in LIVES} == {live: [name] for name, live in STATES.items()}


def test_it_combines_with_the_other_filters(panel: Panel) -> None:
    assert names(live="wrong", status="synced", q="bad", type="A", consumer="standalone") == ["bad"]
    assert names(live="wrong", status="pending") == names(live="wrong", q="good") == []


def test_the_counts_per_status_are_those_of_the_names_it_finds(panel: Panel) -> None:
    assert asked(live="live").counts == {"synced": 1}
    assert asked(live=UNSEEN).counts == {"pending": 1, "foreign": 1}


def test_what_is_not_ours_is_not_looked_at(panel: Panel) -> None:
    assert names(live=UNSEEN, foreign="1") == ["new", "theirs"]
    assert names(live="live", foreign="1") == ["good"]


def test_what_makes_no_sense_is_ignored() -> None:
    assert filters_from({"live": "dead"}) == Filters()
    assert filters_from({"live": "not yet"}).active


def test_links_and_the_table_that_renews_itself_keep_it(panel: Panel, client: Browser) -> None:
    page = html.unescape(client.get("/dns?live=wrong&sort=-name").text)
    (option,) = re.findall(r'<option value="([^"]*)" selected>', page)
    assert option == "wrong"
    table = html.unescape(client.get("/dns?live=wrong", htmx=True).text)
    links = re.findall(r'h(?:ref|x-get)="(/dns\?[^"]*)"', table)
    assert len(links) > 5
    assert all("live=wrong" in link for link in links)
    assert 'hx-trigger="every 2s"' in table
