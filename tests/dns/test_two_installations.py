"""Two installations keep records in one zone: neither touches what is the other's, whatever it does."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.dns.neighbours import Neighbour, apps
from webapp.dns import service
from webapp.dns.changes import Answer
from webapp.dns.desired import Mode
from webapp.dns.records import Target

pytestmark = pytest.mark.matrix

HERS = [f"her{number}.example.com" for number in range(5)]
HIS = [f"his{number}.example.com" for number in range(5)]
BOTH = "both.example.com"


@pytest.fixture
def pair(tmp_path: Path, tables: Path) -> Iterator[tuple[Neighbour, Neighbour]]:
    with apps(tmp_path, tables) as (one, two):
        she = Neighbour(one, 0)
        yield she, Neighbour(two, 1, beside=she)


@pytest.fixture
def she(pair: tuple[Neighbour, Neighbour]) -> Neighbour:
    return pair[0]


@pytest.fixture
def he(pair: tuple[Neighbour, Neighbour]) -> Neighbour:
    return pair[1]


def wipe(me: Neighbour) -> None:
    """Another tool drops every comment of mine."""
    for record in me.ours():
        me.panel.account.edit_by_hand(me.panel.zone, record.id, mark=None)


Act = Callable[[Neighbour], object]
ACTS: dict[str, Act] = {
    "new target": lambda me: me.panel.save(target=Target("192.0.2.77")),
    "to a name": lambda me: me.panel.save(target=Target(cname="home.example.net")),
    "rename": lambda me: me.panel.claim("new.example.com"),
    "delete all": lambda me: me.panel.release(),
    "to the wildcard": lambda me: me.panel.save(mode=Mode.WILDCARD, zone=None),
    "to another zone": lambda me: me.panel.save(zone=me.panel.account.add_zone("example.net")),
    "comments lost": wipe,
    "restart": lambda me: setattr(me.panel, "rounds", me.panel.new_rounds("anew")),
}


@pytest.mark.parametrize("act", ACTS)
def test_whatever_one_does_leaves_the_other_as_it_was(she: Neighbour, he: Neighbour, act: str) -> None:
    she.claim(*HERS)
    he.claim(*HIS)
    before = he.ours()
    she.tell(lambda: ACTS[act](she))
    for _ in range(3):
        she.check()
    assert len(before) == len(HIS)
    assert he.ours() == before
    assert (he.check(), set(he.statuses().values())) == (0, {"synced"})


def contested(she: Neighbour, he: Neighbour) -> None:
    he.claim(BOTH)
    she.claim(BOTH, HERS[0])


def test_a_name_that_both_want_is_a_conflict_that_names_the_other(she: Neighbour, he: Neighbour) -> None:
    contested(she, he)
    row = she.tell(lambda: she.panel.row(BOTH))
    assert row.status == "conflict"
    assert row.error == f"Another Tiny Forge (installation {he.id}) keeps a record of this name."
    assert she.statuses()[HERS[0]] == "synced", "the other names are not held up"
    assert (she.check(), he.check(), len(he.ours())) == (0, 0, 1)


def test_when_the_other_lets_go_it_becomes_right_by_itself(she: Neighbour, he: Neighbour) -> None:
    contested(she, he)
    he.tell(he.panel.release)
    he.round()
    she.check()
    assert she.statuses()[BOTH] == "synced"
    assert she.panel.record(BOTH).content == she.address
    assert she.panel.record(BOTH).mark == she.id


def decide(me: Neighbour, decision: Answer) -> None:
    row = me.tell(lambda: me.panel.row(BOTH))
    me.tell(lambda: service.answer(row.id, decision, row.answered, at=me.panel.at))
    me.round()


@pytest.mark.parametrize("decision", [Answer.ADOPT, Answer.REPLACE])
def test_only_an_answer_takes_a_name_from_the_other_and_the_other_does_not_take_it_back(
    she: Neighbour, he: Neighbour, decision: Answer
) -> None:
    contested(she, he)
    there = he.panel.record(BOTH)
    decide(she, decision)
    taken = she.panel.record(BOTH)
    assert (taken.mark, taken.content) == (she.id, she.address)
    assert (taken.id == there.id) is (decision is Answer.ADOPT)
    assert (he.check(), he.statuses()) == (0, {BOTH: "conflict"})
    assert she.id in (he.tell(lambda: he.panel.row(BOTH)).error or "")
    assert (she.check(), she.panel.record(BOTH)) == (0, taken)


def test_what_is_left_to_the_other_stays_with_it(she: Neighbour, he: Neighbour) -> None:
    contested(she, he)
    before = he.ours()
    decide(she, Answer.LEAVE)
    assert (she.check(), he.check(), he.ours()) == (0, 0, before)


def test_a_record_that_was_given_away_is_not_ours_again_when_its_comment_is_lost(
    she: Neighbour, he: Neighbour
) -> None:
    """Both point at one server, so that its content proves nothing."""
    he.tell(lambda: he.panel.save(target=Target(she.address)))
    contested(she, he)
    decide(she, Answer.ADOPT)
    he.check()
    wipe(she)
    assert he.check() == 0
    she.check()
    assert she.panel.record(BOTH).mark == she.id


def both_wait_until_he_goes(she: Neighbour, he: Neighbour) -> None:
    """Neither writes; both show the conflict; and what he gives up is hers."""
    assert (she.check(), he.check()) == (0, 0)
    assert (she.statuses(), he.statuses()) == ({BOTH: "conflict"}, {BOTH: "conflict"})
    he.tell(he.panel.release)
    he.round()
    she.check()
    assert (she.statuses(), she.panel.live()) == ({BOTH: "synced"}, {f"{BOTH} A": she.address})


def test_a_name_that_both_made_at_the_same_moment_is_a_conflict_for_both(
    she: Neighbour, he: Neighbour
) -> None:
    she.claim(BOTH)
    she.panel.by_hand(BOTH, "A", he.address, mark=he.id)  # he had listed the zone a moment before
    he.claim(BOTH)
    both_wait_until_he_goes(she, he)


def with_ipv6(he: Neighbour) -> None:
    """His names have an IPv6 address alone, hers an IPv4 address."""
    he.tell(lambda: he.panel.save(target=Target(ipv6="2001:db8::2")))


def test_a_name_is_contested_whatever_types_the_two_keep(she: Neighbour, he: Neighbour) -> None:
    with_ipv6(he)
    contested(she, he)
    assert (she.statuses()[BOTH], he.statuses()[BOTH], len(he.ours())) == ("conflict", "synced", 1)
    assert he.id in (she.tell(lambda: she.panel.row(BOTH)).error or "")
    decide(she, Answer.REPLACE)
    assert (she.check(), he.check(), he.statuses()) == (0, 0, {BOTH: "conflict"})
    assert she.panel.live()[f"{BOTH} A"] == she.address
    she.tell(she.panel.release)
    she.round()
    he.check()
    assert (he.statuses(), he.panel.live()) == ({BOTH: "synced"}, {f"{BOTH} AAAA": "2001:db8::2"})


def test_other_types_made_at_the_same_moment_are_a_conflict_for_both(she: Neighbour, he: Neighbour) -> None:
    with_ipv6(he)
    she.claim(BOTH)
    she.panel.by_hand(BOTH, "AAAA", "2001:db8::2", mark=he.id)
    he.claim(BOTH)
    both_wait_until_he_goes(she, he)


@pytest.mark.parametrize("decision", [Answer.ADOPT, Answer.REPLACE])
def test_an_answer_ends_what_both_made_at_the_same_moment(
    she: Neighbour, he: Neighbour, decision: Answer
) -> None:
    she.claim(BOTH)
    she.panel.by_hand(BOTH, "A", he.address, mark=he.id)
    she.check()
    decide(she, decision)
    assert (she.check(), she.statuses()) == (0, {BOTH: "synced"})
    assert [(r.content, r.mark) for r in she.panel.records()] == [(she.address, she.id)]
