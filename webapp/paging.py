"""Pages of long lists: how many there are, and which one an address asks for."""

from dataclasses import dataclass
from math import ceil
from typing import Any

from sqlalchemy import Select

LARGEST = 1_000_000


@dataclass(frozen=True)
class Paging:
    """One page of a list of `total` items. Behind the last page is the last one again."""

    total: int
    size: int
    asked: int = 1

    @property
    def pages(self) -> int:
        """How many pages there are: one, where there is nothing."""
        return max(1, ceil(self.total / self.size))

    @property
    def number(self) -> int:
        """Which page this is, from 1."""
        return min(max(self.asked, 1), self.pages)

    def part(self, query: Select[Any]) -> Select[Any]:
        """What the page needs of a query in order."""
        return query.limit(self.size).offset((self.number - 1) * self.size)


def page_from(text: str) -> int:
    """The page that a query parameter names; the first, where it makes no sense, so that an old link still opens."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return 1
    return min(max(int(text), 1), LARGEST)
