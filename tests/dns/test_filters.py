"""The filters of the DNS page as they come from an address, whatever somebody typed there."""

import pytest

from tests.dns.panel_world import Panel
from tests.dns.table_world import asked, many
from webapp.dns.forms import filters_from
from webapp.dns.listing import Filters


@pytest.fixture
def table(context: None) -> None:
    """Five claims and five foreign records."""
    Panel()
    many(10)


@pytest.mark.parametrize(
    "args",
    [
        {"page": "-1"}, {"page": "0"}, {"page": "9" * 400}, {"page": "²"}, {"page": "x"}, {"size": "1000000"},
        {"size": "0"}, {"sort": "id; DROP TABLE"}, {"sort": "--name"}, {"status": "<script>"}, {"consumer": "'"},
        {"type": "A' OR 1=1"}, {"q": "\0"}, {"q": " "}, {"foreign": "yes"},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_ignored(table: None, args: dict[str, str]) -> None:
    assert asked(**args).paging.total == 5


@pytest.mark.parametrize(
    "args",
    [
        {"type": "ß" * 50},
        {"q": "x" * 10_000},
        {"q": "' OR 1=1 --"},
        {"q": "😀"},
        {"q": "ü" * 300},
        {"q": "%"},
    ],
)
def test_what_nothing_is_like_finds_nothing(table: None, args: dict[str, str]) -> None:
    assert asked(**args).paging.total == 0


def test_an_old_link_still_opens() -> None:
    filters = filters_from({"page": "0", "size": "33", "sort": "gone", "status": "gone", "consumer": "gone"})
    assert filters == Filters()
    assert not filters.active
    assert filters_from({"q": " x ", "sort": "-status", "page": "3", "size": "25"}) == Filters(
        text="x", sort="status", descending=True, page=3, size=25
    )
