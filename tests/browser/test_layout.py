"""What only a browser can tell of a page: at any width words stay whole, and nothing of a record is out of sight."""

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


OUT_OF_SIGHT = """
() => {
  const right = (one) => Math.round(one.getBoundingClientRect().right);
  const edge = right(document.querySelector("#dns-table .table-responsive"));
  return [...document.querySelectorAll("#dns-table tbody :is(.chip, .btn, time)")]
    .filter((one) => right(one) > edge)
    .map((one) => `${one.textContent.trim() || one.title}: ${right(one)} px`);
}
"""


def test_state_and_buttons_of_every_record_are_in_sight(sandbox_page: Page, sandbox: Sandbox) -> None:
    sign_in(sandbox_page, sandbox.url, sandbox.password)
    for width in (390, 1280):
        sandbox_page.set_viewport_size({"width": width, "height": 800})
        sandbox_page.goto("/dns?foreign=1")
        assert sandbox_page.get_by_role("link", name="History of").count() > 0
        assert sandbox_page.evaluate(OUT_OF_SIGHT) == [], width
