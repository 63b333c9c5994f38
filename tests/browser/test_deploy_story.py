"""Deploys, as a person sees them in a browser: with progress, without a reload, and with a way back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.matrix]


def sign_in(page: Page, sandbox: Sandbox) -> None:
    page.goto("/")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(sandbox.password)
    page.locator("main form button").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def deploy(page: Page, tag: str) -> None:
    page.goto("/apps/shop")
    page.get_by_label("Tag to deploy").fill(tag)
    page.get_by_role("button", name=re.compile("^Deploy")).click()
    expect(page.get_by_role("heading", name="Deploy of shop/prod")).to_be_visible()
    page.evaluate("window.notReloaded = true")


def test_versions_come_fail_and_are_gone_back_to_under_ones_eyes(
    sandbox_page: Page, sandbox: Sandbox
) -> None:
    page = sandbox_page
    sign_in(page, sandbox)
    expect(page.get_by_role("row", name=re.compile("shop"))).to_contain_text("Reachable")

    deploy(page, "v2")
    expect(page.locator("progress").first).to_be_visible(timeout=10_000)
    expect(page.locator("main")).to_contain_text("Version 2 is live at shop.example.com.", timeout=30_000)
    assert page.evaluate("window.notReloaded") is True
    expect(page.locator("#live-status")).not_to_be_empty()

    deploy(page, "v3-broken")
    expect(page.locator("main")).to_contain_text("Everything is as it was before", timeout=30_000)
    expect(page.locator("main")).to_contain_text("health check fails")

    page.goto("/apps/shop")
    page.get_by_role("button", name=re.compile("Go back to version 1|Go back to this version")).first.click()
    expect(page.locator("main")).to_contain_text("Version 1 is live at shop.example.com.", timeout=30_000)

    deploy(page, "v2")
    page.get_by_role("button", name=re.compile("Cancel")).click()
    expect(page.locator("main")).to_contain_text("Cancelled", timeout=30_000)

    page.goto("/instances/1/log")
    expect(page.locator("main")).to_contain_text("listening", timeout=10_000)

    page.goto("/apps/shop")
    page.get_by_role("link", name=re.compile("^Remove app")).click()
    page.get_by_role("button", name=re.compile("Remove")).click()
    expect(page.locator("main")).to_contain_text("No apps yet", timeout=30_000)
