"""A made-up sky: two sources that say under which address the server is seen, and ways to turn the watch on."""

from collections.abc import Iterable, Mapping, Sequence

from tests.dns.panel_world import HERE, HERE6, Panel
from webapp.db import reading, transaction
from webapp.dns.address_row import Watched, address_watch
from webapp.dns.address_watch import AddressWatcher
from webapp.dns.following import CONFIRM_AFTER
from webapp.dns.providers.public_address import Sight

NEW, NEW6, OTHER = "9.9.9.9", "2620:fe::fe", "149.112.112.112"
NAMES = [f"n{number}.example.com" for number in range(10)]


class Sky:
    """Two sources, a and b, and what they say by IP version. Remembers for what they were asked."""

    def __init__(self) -> None:
        self.said: dict[int, tuple[str | None, str | None]] = {4: (HERE, HERE), 6: (HERE6, HERE6)}
        self.asked: list[tuple[int, ...]] = []

    def __call__(self, _sources: Sequence[str], versions: Iterable[int]) -> Mapping[int, Sight]:
        self.asked.append(tuple(versions))
        return {v: Sight(dict(zip("ab", self.said[v], strict=True))) for v in self.asked[-1]}

    def move(self, ipv4: str = NEW, ipv6: str = HERE6) -> None:
        self.said = {4: (ipv4, ipv4), 6: (ipv6, ipv6)}


def turn(*, on: bool) -> None:
    with transaction() as session:
        address_watch(session).switch(on=on)


def told() -> Watched:
    with reading() as session:
        return address_watch(session).told


def twice(panel: Panel, watcher: AddressWatcher) -> None:
    """Two looks, some minutes apart."""
    watcher.run_due()
    panel.wait(CONFIRM_AFTER.total_seconds())
    watcher.run_due()
