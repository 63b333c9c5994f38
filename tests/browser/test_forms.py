"""Long forms and lists that ask by themselves: where the focus is, and what Enter does."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Panel
from tests.browser.test_story import set_up

pytestmark = [pytest.mark.browser, pytest.mark.matrix]

FOCUS = "document.activeElement.id || document.activeElement.tagName"


def test_the_focus_follows_what_a_person_does_and_nothing_else(page: Page, panel: Panel) -> None:
    set_up(page, panel)
    wrong_input_is_in_sight(page)
    buttons_keep_the_focus(page)
    enter_saves(page)
    a_poll_leaves_the_focus_alone(page)


def wrong_input_is_in_sight(page: Page) -> None:
    """The summary has the focus and is seen, though the button is far below; the title says it too."""
    page.goto("/settings")
    page.get_by_label("Server IPv4 address").fill("bad")
    page.get_by_role("button", name="Save settings").click()
    summary = page.locator("#settings [role=alert]").first
    expect(summary).to_be_focused()
    expect(summary).to_be_in_viewport()
    expect(page).to_have_title(re.compile("^Error: Settings"))


def buttons_keep_the_focus(page: Page) -> None:
    """They replace themselves with their answer."""
    for name, found in (("Load zones", "Enter the API token"), ("Propose the public address", "")):
        button = page.get_by_role("button", name=name)
        button.click()
        if found:
            expect(page.locator("#zone-choice")).to_contain_text(found)
        else:
            expect(page.locator("#addresses [role=status]")).not_to_have_text("")
        expect(page.get_by_role("button", name=name)).to_be_focused()


def enter_saves(page: Page) -> None:
    """And does not press the first button of the form, which proposes an address."""
    page.get_by_label("Server IPv4 address").fill("203.0.113.10")
    page.get_by_label("Base domain").fill("example.com")
    page.get_by_label("Base domain").press("Enter")
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    expect(page.get_by_label("Server IPv4 address")).to_have_value("203.0.113.10")
    expect(page).to_have_title(re.compile("^Settings"))


def a_poll_leaves_the_focus_alone(page: Page) -> None:
    """The row's button goes with an answer that nobody asked for; the heading is not focused for that."""
    page.goto("/proxies/new")
    page.get_by_label("Name").fill("app")
    page.get_by_label("Forward to host").fill("192.168.1.20")
    page.get_by_label("Port").fill("8080")
    page.get_by_role("button", name="Add proxy").click()
    expect(page.get_by_role("row", name=re.compile("app.example.com"))).to_be_visible()
    page.get_by_role("button", name="Disable app.example.com").focus()
    page.evaluate(
        """async () => {
            const place = document.getElementById("proxies");
            const headers = {"X-Poll": "1"};
            await htmx.ajax("GET", "/proxies?q=nothing-like-it", {target: place, swap: "innerMorph", headers});
        }"""
    )
    expect(page.get_by_text("No proxy matches")).to_be_visible()
    assert page.evaluate(FOCUS) == "BODY"
