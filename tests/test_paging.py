"""Which page of a list an address asks for, and what is on it."""

import pytest
from sqlalchemy import column, select

from webapp.paging import LARGEST, Paging, page_from


@pytest.mark.parametrize(
    ("total", "asked", "pages", "number"),
    [(0, 1, 1, 1), (0, 9, 1, 1), (50, 1, 1, 1), (51, 2, 2, 2), (51, 3, 2, 2), (120, 2, 3, 2), (120, 0, 3, 1)],
)
def test_behind_the_last_page_is_the_last_one(total: int, asked: int, pages: int, number: int) -> None:
    paging = Paging(total, 50, asked)
    assert (paging.pages, paging.number) == (pages, number)


def test_a_page_is_its_part_of_the_query() -> None:
    query = Paging(120, 50, 3).part(select(column("name")))
    assert str(query.compile(compile_kwargs={"literal_binds": True})).split()[-4:] == [
        "LIMIT",
        "50",
        "OFFSET",
        "100",
    ]


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("", 1),
        ("2", 2),
        ("0", 1),
        ("-1", 1),
        ("two", 1),
        ("²", 1),
        ("99999999", LARGEST),
        ("9" * 30, 1),
        (" 2", 1),
    ],
)
def test_an_address_that_makes_no_sense_means_the_first_page(text: str, page: int) -> None:
    assert page_from(text) == page
