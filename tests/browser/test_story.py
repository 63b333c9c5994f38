"""The main job, as a person does it in a browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Panel

pytestmark = pytest.mark.browser

PASSWORD = "blue-lantern-42-harbour"
TOKEN = "a-token-for-the-stand-in-that-opens-nothing"


def set_up(page: Page, panel: Panel) -> None:
    """First run: the administrator's account, with the code from the terminal."""
    page.goto("/")
    expect(page).to_have_url(re.compile("/setup"))
    page.get_by_label("Set-up code").fill(panel.code)
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password once more").fill(PASSWORD)
    page.locator("main form button").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def fill_in_settings(page: Page, panel: Panel) -> None:
    """Both connections, tested with their buttons before they are saved."""
    panel.cloudflare.add_zone("example.com")
    panel.cloudflare.add_token(TOKEN)
    panel.cloudflare.put_by_hand("www.example.com", "A", "198.51.100.7")
    panel.npm.add_user("forge@example.com", "secret-of-npm")
    page.get_by_role("link", name="Settings", exact=True).click()
    page.get_by_label("Base domain").fill("example.com")
    page.get_by_label("Server IPv4 address").fill("203.0.113.10")
    page.get_by_label("Address", exact=True).fill(panel.npm.url)
    page.get_by_label("E-mail").fill("forge@example.com")
    page.get_by_label("Password").fill("secret-of-npm")
    page.get_by_role("button", name="Test Nginx Proxy Manager").click()
    expect(page.locator("#npm-findings")).to_contain_text("Nginx Proxy Manager 2.15.1 answers")
    page.get_by_label("A wildcard record exists").uncheck()
    page.get_by_label("API token").fill(TOKEN)
    page.get_by_role("button", name="Load zones").click()
    expect(page.get_by_label("Zone", exact=True)).to_contain_text("example.com")
    page.get_by_label("Zone", exact=True).select_option(label="example.com")
    page.get_by_role("button", name="Test DNS").click()
    expect(page.locator("#dns-findings")).to_contain_text("Records can be written")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()


def test_a_name_appears_and_heals_because_a_person_filled_in_forms(page: Page, panel: Panel) -> None:
    set_up(page, panel)
    fill_in_settings(page, panel)

    panel.cloudflare.latency = 0.7
    page.goto("/proxies/new")
    page.get_by_label("Name").fill("app")
    page.get_by_label("Forward to host").fill("192.168.1.20")
    page.get_by_label("Port").fill("8080")
    page.get_by_role("button", name="Add proxy").click()
    row = page.get_by_role("row", name=re.compile("app.example.com"))
    expect(row).to_contain_text("Pending")
    page.get_by_role("link", name="DNS", exact=True).click()
    expect(page).to_have_url(re.compile("/dns$"))
    page.wait_for_load_state()
    page.evaluate("window.notReloaded = true")
    line = page.locator("#dns-table").get_by_role("row", name=re.compile("app.example.com"))
    expect(line).to_contain_text("Synced", timeout=20_000)
    assert page.evaluate("window.notReloaded") is True
    panel.cloudflare.latency = 0
    (record,) = panel.cloudflare.find("app.example.com")
    assert (record["type"], record["content"]) == ("A", "203.0.113.10")
    host = panel.npm.host_for("app.example.com")
    assert host is not None
    assert host["forward_host"] == "192.168.1.20"

    panel.cloudflare.edit_by_hand(record["id"], content="198.51.100.99")
    page.get_by_role("button", name="Check now").click()
    review = page.locator("#dns-review")
    expect(review).to_contain_text("198.51.100.99", timeout=15_000)
    expect(review).to_contain_text("203.0.113.10")
    expect(line).to_contain_text("Drifted")
    page.get_by_role("button", name="Apply 1 change").click()
    expect(review.get_by_role("heading")).to_have_count(0, timeout=15_000)
    expect(line).to_contain_text("Synced", timeout=15_000)
    assert panel.cloudflare.find("app.example.com")[0]["content"] == "203.0.113.10"
    assert panel.cloudflare.find("www.example.com")[0]["content"] == "198.51.100.7"

    page.get_by_role("link", name="Proxies", exact=True).click()
    page.get_by_role("link", name="Delete app.example.com").click()
    page.get_by_role("button", name="Delete the proxy").click()
    expect(page.get_by_text("No proxies yet")).to_be_visible(timeout=20_000)
    page.get_by_role("link", name="DNS", exact=True).click()
    expect(page.get_by_text("No names yet")).to_be_visible(timeout=20_000)
    assert panel.cloudflare.find("app.example.com") == []
    assert panel.npm.host_for("app.example.com") is None


def test_wrong_input_is_explained_beside_the_field_and_kept(page: Page, panel: Panel) -> None:
    set_up(page, panel)
    page.goto("/proxies/new")
    page.get_by_label("Name").fill("my_app.example.com")
    page.get_by_label("Forward to host").fill("192.168.1.20")
    page.get_by_label("Port").fill("8080")
    page.get_by_role("button", name="Add proxy").click()
    expect(page.locator("#name-errors")).to_contain_text("underscore")
    expect(page.get_by_label("Forward to host")).to_have_value("192.168.1.20")
