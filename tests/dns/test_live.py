"""What the answers of a zone's servers mean for a name, told by real servers on loopback."""

from collections.abc import Iterator

import dns.rcode
import pytest

from tests.dns.live_world import ELSEWHERE, HERE, HERE6, NAME, WANTED, ZONE, Names, names
from webapp.dns.authority import Authority
from webapp.dns.live import (
    ANY_ADDRESS,
    Liveness,
    Said,
    Verdict,
    at_the_edge,
    check,
    judge,
    questions_for,
)
from webapp.errors import Outage


@pytest.fixture
def world() -> Iterator[Names]:
    with names() as world:
        yield world


def test_a_name_is_live_when_all_servers_answer_what_is_wanted(world: Names) -> None:
    world.put()
    assert world.look() == Verdict(Liveness.LIVE, f"All 2 name servers answer {HERE}.")


def test_addresses_of_both_kinds_have_to_be_there(world: Names) -> None:
    world.put()
    assert world.look(("A", HERE), ("AAAA", HERE6)).liveness is Liveness.WRONG
    world.put(kind="AAAA", content=HERE6)
    assert world.look(("A", HERE), ("AAAA", HERE6)).liveness is Liveness.LIVE


def test_a_type_that_was_not_asked_about_does_not_matter(world: Names) -> None:
    world.put()
    world.put(kind="AAAA", content=HERE6)
    assert world.look().liveness is Liveness.LIVE


def test_a_name_that_no_server_knows_is_not_there_yet(world: Names) -> None:
    assert world.look() == Verdict(Liveness.NOT_YET, f"No name server has the record yet ({HERE}).")


def test_a_server_that_lags_behind_makes_it_not_there_yet(world: Names) -> None:
    world.leave_behind()
    world.put()
    verdict = world.look()
    assert verdict.liveness is Liveness.NOT_YET
    assert verdict.message == (
        f"1 of 2 name servers answer {HERE}; {world.two.address} does not have the record."
    )


def test_a_server_with_the_old_content_makes_it_not_there_yet(world: Names) -> None:
    old = world.put(content=ELSEWHERE)
    world.leave_behind()
    world.cloudflare.edit_by_hand(old, content=HERE)
    verdict = world.look()
    assert verdict.liveness is Liveness.NOT_YET
    assert f"{world.two.address} answers {ELSEWHERE}" in verdict.message


def test_something_else_everywhere_is_wrong_and_both_are_shown(world: Names) -> None:
    world.put(content=ELSEWHERE)
    verdict = world.look()
    assert verdict.liveness is Liveness.WRONG
    assert verdict.message.endswith(f"answers {ELSEWHERE}; wanted is {HERE}.")


def test_one_more_address_than_wanted_is_wrong(world: Names) -> None:
    world.put()
    world.put(content=ELSEWHERE)
    assert world.look().message.endswith(f"answers {ELSEWHERE}, {HERE}; wanted is {HERE}.")


def test_a_name_in_the_place_of_addresses_is_wrong(world: Names) -> None:
    world.put(kind="CNAME", content="home.example.net")
    assert world.look().message.endswith(f"answers CNAME home.example.net; wanted is {HERE}.")


def test_a_wildcard_that_answers_for_the_missing_name_is_seen_as_what_it_answers(world: Names) -> None:
    world.put("*.example.com", content=ELSEWHERE)
    assert world.look().liveness is Liveness.WRONG


def test_a_wildcard_is_a_name_like_any_other(world: Names) -> None:
    world.put("*.example.com")
    assert world.look(name="*.example.com").liveness is Liveness.LIVE


def test_a_wanted_name_is_found_as_such(world: Names) -> None:
    world.put(kind="CNAME", content="Home.example.net")
    assert world.look(("CNAME", "home.example.net")).liveness is Liveness.LIVE
    assert world.look(("CNAME", "other.example.net")).liveness is Liveness.WRONG


def test_a_name_at_the_apex_may_be_answered_with_its_targets_addresses(world: Names) -> None:
    world.put("home.example.com")
    world.put(ZONE, "CNAME", "home.example.com")
    assert world.look(("CNAME", "home.example.com"), name=ZONE).liveness is Liveness.LIVE


def test_addresses_that_are_not_the_targets_are_wrong(world: Names) -> None:
    world.put("home.example.com")
    world.put(content=ELSEWHERE)
    assert world.look(("CNAME", "home.example.com")).liveness is Liveness.WRONG
    assert world.look(("CNAME", "nowhere.example.com")).liveness is Liveness.WRONG


def test_a_part_that_is_delegated_elsewhere_is_told(world: Names) -> None:
    world.put("sub.example.com", "NS", "ns.example.net")
    verdict = world.look(name="a.sub.example.com")
    assert verdict == Verdict(
        Liveness.WRONG,
        "sub.example.com is delegated to other name servers, so this record is not used.",
    )


def test_a_silent_server_leaves_it_unknown_and_says_so(world: Names) -> None:
    world.put()
    world.two.silent = True
    verdict = world.look()
    assert verdict.liveness is Liveness.UNKNOWN
    assert verdict.message == f"{world.two.address} does not answer. 1 other has the record."


def test_a_silent_server_does_not_hide_that_the_others_have_something_else(world: Names) -> None:
    world.put(content=ELSEWHERE)
    world.two.silent = True
    assert world.look().liveness is Liveness.WRONG


def test_no_server_at_all_is_unknown(world: Names) -> None:
    world.one.stop()
    world.two.stop()
    verdict = world.look()
    assert verdict == Verdict(Liveness.UNKNOWN, f"{world.one.address} does not answer.")


def test_a_server_that_refuses_or_fails_is_told_with_its_words(world: Names) -> None:
    world.put()
    world.one.rcode = dns.rcode.SERVFAIL
    assert world.look().message.startswith(f"{world.one.address} answers SERVFAIL.")
    assert world.look(name="app.example.org", zone="example.org").liveness is Liveness.UNKNOWN


def test_servers_that_cannot_be_found_leave_all_names_unknown() -> None:
    def nobody(_name: str, _kind: str) -> frozenset[str]:
        return frozenset()

    found = check(ZONE, {1: (NAME, WANTED), 2: ("b.example.com", WANTED)}, Authority(look_up=nobody))
    assert {v.liveness for v in found.values()} == {Liveness.UNKNOWN}
    assert "has no name servers" in found[1].message


def test_many_names_cost_one_round_of_questions(world: Names) -> None:
    world.put()
    wishes = {n: (f"n{n}.example.com", WANTED) for n in range(120)} | {-1: (NAME, WANTED)}
    found = check(ZONE, wishes, world.authority)
    assert found.pop(-1).liveness is Liveness.LIVE
    assert {v.liveness for v in found.values()} == {Liveness.NOT_YET}
    assert len(world.one.log) == 121


def edge(world: Names, name: str = NAME) -> list[str] | Verdict:
    """What a proxied name looks like."""
    return at_the_edge(name, world.authority.ask(ZONE, questions_for(name, ANY_ADDRESS)))


def test_a_proxied_name_answers_with_addresses_of_the_edge(world: Names) -> None:
    world.put(proxied=True)
    found = edge(world)
    assert isinstance(found, list)
    assert [":" in address for address in found] == [False, False, True]
    assert HERE not in found


def test_a_proxied_name_below_a_delegation_is_wrong(world: Names) -> None:
    world.put("sub.example.com", "NS", "ns.example.net")
    found = edge(world, "a.sub.example.com")
    assert isinstance(found, Verdict)
    assert found.liveness is Liveness.WRONG


def test_a_proxied_name_that_a_server_does_not_tell_about_is_unknown(world: Names) -> None:
    world.put(proxied=True)
    world.one.silent = True
    assert edge(world) == Verdict(Liveness.UNKNOWN, f"{world.one.address} does not answer.")


class Nobody:
    """Knows no server."""

    def ask(self, zone: str, _questions: object) -> dict[str, dict[tuple[str, str], Said]]:
        raise Outage(f"nobody knows {zone}")

    def addresses(self, _name: str) -> frozenset[str]:
        return frozenset()


def test_a_zone_without_servers_is_unknown() -> None:
    assert judge(NAME, WANTED, {}, Nobody()).message == "No name server is known."
