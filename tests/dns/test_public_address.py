"""Under which address this machine is seen, and by whom."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from webapp.dns.providers.public_address import Sight, look
from webapp.sandbox.server import Reply, Request, StandIn


class Source(StandIn):
    """Says the same to everybody."""

    reply = Reply(200, b"203.0.113.10")

    def handle(self, _request: Request) -> Reply:
        return self.reply

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@pytest.fixture
def sources() -> Iterator[list[Source]]:
    with ExitStack() as running:
        yield [running.enter_context(Source()) for _ in range(2)]


def seen(sources: list[Source]) -> Sight:
    return look([source.address for source in sources])[4]


def test_an_address_counts_when_both_sources_say_it(sources: list[Source]) -> None:
    sources[1].reply = Reply(200, b"fl=1\nip=203.0.113.10\nts=1\n")
    sight = seen(sources)
    assert (sight.agreed, sight.likely) == ("203.0.113.10", "203.0.113.10")


def test_one_source_alone_is_enough_for_a_proposal_only(sources: list[Source]) -> None:
    sources[1].reply = Reply(502, b"198.51.100.1")
    sight = seen(sources)
    assert (sight.agreed, sight.likely) == (None, "203.0.113.10")
    assert sight.words == f"{sources[0].host} says 203.0.113.10, {sources[1].host} says nothing"


def test_sources_that_say_different_things_say_nothing(sources: list[Source]) -> None:
    sources[1].reply = Reply(200, b"198.51.100.1\n")
    sight = seen(sources)
    assert (sight.agreed, sight.likely) == (None, None)
    assert f"{sources[1].host} says 198.51.100.1" in sight.words


def test_a_single_source_never_agrees_with_itself(sources: list[Source]) -> None:
    assert seen(sources[:1]).agreed is None


@pytest.mark.parametrize(
    "body",
    [b"2001:db8::1", b"", b"not an address", b"203.0.113.10 or so", b"\xff\xfe", b"x" * 100_001, b"ip=\n"],
)
def test_what_is_no_address_of_the_version_is_nothing(sources: list[Source], body: bytes) -> None:
    sources[0].reply = Reply(200, body)
    assert seen(sources).said[sources[0].host] is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "not an address", "", "ftp://127.0.0.1/"])
def test_nobody_there_says_nothing(url: str) -> None:
    assert list(look([url])[4].said.values()) == [None]


def test_each_version_is_asked_for_by_itself(sources: list[Source]) -> None:
    both = look([source.address for source in sources])
    assert (both[4].agreed, both[6].agreed) == ("203.0.113.10", None)
    assert list(look([sources[0].address], [6])) == [6]


def test_an_ipv6_address_is_written_the_short_way(requests_mock) -> None:  # type: ignore[no-untyped-def]
    for host in "ab":
        requests_mock.get(f"https://{host}.test/", text="2001:DB8::0:1")
    assert look(["https://a.test/", "https://b.test/"], [6])[6].agreed == "2001:db8::1"


def test_nothing_to_ask_is_nothing_to_say() -> None:
    assert look([]) == {}
