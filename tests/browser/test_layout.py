"""What only a browser can tell of a page: words are not broken into letters, at any width."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Sandbox
from tests.browser.screenshots import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.matrix]

NARROW = """
() => [...document.querySelectorAll("td.wrap")]
  .filter((cell) => cell.textContent.trim() && cell.clientWidth < 110)
  .map((cell) => `${cell.textContent.trim()}: ${cell.clientWidth} px`)
"""


def test_cells_that_may_break_words_keep_a_readable_width(sandbox_page: Page, sandbox: Sandbox) -> None:
    sign_in(sandbox_page, sandbox.url, sandbox.password)
    for width in (390, 1280):
        sandbox_page.set_viewport_size({"width": width, "height": 800})
        for path in ("/dns/history", "/proxies/adopt", "/apps/shop"):
            sandbox_page.goto(path)
            assert sandbox_page.evaluate(NARROW) == [], (path, width)
