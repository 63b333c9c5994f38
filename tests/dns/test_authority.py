"""Asking name servers directly: which are asked, over UDP and TCP, and how long anybody waits."""

import socket
import threading
import time
from collections.abc import Iterator

import dns.exception
import dns.flags
import dns.message
import dns.rrset
import pytest

from tests.dns.live_world import HERE, NAME, PATIENCE, ZONE, Names, names
from webapp.dns import authority
from webapp.dns.authority import Authority, Server
from webapp.dns.conversation import WINDOW, converse
from webapp.dns.live import Said
from webapp.errors import Outage

QUESTION = (NAME, "A")
FOUND = Said(frozenset({("A", HERE)}))


@pytest.fixture
def world() -> Iterator[Names]:
    with names() as world:
        world.put()
        yield world


def said(world: Names, **options: bool) -> Said:
    """What the first server says about the name."""
    asking = Authority([world.one.address], seconds=PATIENCE, **options)
    return asking.ask(ZONE, [QUESTION])[world.one.address][QUESTION]


def ways(world: Names) -> list[str]:
    return [way for _, _, way in world.one.log]


def test_udp_is_enough_for_a_short_answer(world: Names) -> None:
    assert said(world) == FOUND
    assert ways(world) == ["udp"]


def test_what_does_not_fit_is_fetched_over_tcp(world: Names) -> None:
    world.one.truncating = True
    assert said(world) == FOUND
    assert ways(world) == ["udp", "tcp"]


def test_a_long_answer_does_not_fit(world: Names) -> None:
    for number in range(40):
        world.put("txt.example.com", "TXT", f'"{number} {"x" * 60}"')
    found = Authority([world.one.address]).ask(ZONE, [("txt.example.com", "TXT")])
    assert len(found[world.one.address]["txt.example.com", "TXT"].records) == 40
    assert ways(world) == ["udp", "tcp"]


def test_tcp_alone_can_be_asked_for(world: Names) -> None:
    assert said(world, tcp_only=True) == FOUND
    assert ways(world) == ["tcp"]


def test_where_udp_does_not_get_through_tcp_is_tried(world: Names) -> None:
    world.one.silent_udp = True
    assert said(world) == FOUND
    assert ways(world) == ["udp", "udp", "udp", "tcp"]


@pytest.mark.parametrize("tcp_only", [True, False])
def test_many_questions_go_over_one_line(world: Names, tcp_only: bool) -> None:
    questions = [(f"n{n}.example.com", "A") for n in range(3 * WINDOW + 7)]
    for name, _ in questions[:60]:
        world.put(name)
    asking = Authority([world.one.address], tcp_only=tcp_only)
    found = asking.ask(ZONE, questions)[world.one.address]
    assert [bool(found[q].records) for q in questions] == [True] * 60 + [False] * (len(questions) - 60)
    assert len(world.one.log) == len(questions)


def test_a_server_that_is_silent_is_given_up_in_time(world: Names) -> None:
    world.one.silent = True
    before = time.monotonic()
    questions = [(f"n{n}.example.com", "A") for n in range(4 * WINDOW)]
    assert converse(("127.0.0.1", world.one.port), questions, seconds=PATIENCE) == {}
    assert time.monotonic() - before < 6 * PATIENCE + 1


def test_all_servers_are_asked_at_once(world: Names) -> None:
    world.one.silent = world.two.silent = True
    before = time.monotonic()
    world.look()
    assert time.monotonic() - before < 2 * 5 * PATIENCE


def test_an_answer_to_another_question_does_not_count() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as liar:
        liar.bind(("127.0.0.1", 0))

        def lie() -> None:
            wire, client = liar.recvfrom(4096)
            asked = dns.message.from_wire(wire)
            other = dns.message.make_query("evil.example.com", "A")
            other.id = asked.id
            for bad in (b"no message", dns.message.make_response(other).to_wire()):
                liar.sendto(bad, client)
            liar.sendto(dns.message.make_response(asked).to_wire(), client)

        thread = threading.Thread(target=lie)
        thread.start()
        found = converse(liar.getsockname(), [QUESTION], seconds=2)
        thread.join()
    assert [str(reply.question[0].name) for reply in found.values()] == [f"{NAME}."]


def test_a_server_that_does_not_know_the_zone_is_no_authority() -> None:
    """Also where it names the servers of somebody above, or anything else that is no delegation from the zone."""
    reply = dns.message.make_response(dns.message.make_query(NAME, "A"))
    for owner, kind, content in ((".", "NS", "a.root-servers.net."), (f"{NAME}.", "TXT", "x")):
        reply.authority.append(dns.rrset.from_text(owner, 60, "IN", kind, content))
    assert authority._said(NAME, ZONE, reply).problem == "does not know the zone example.com."


def test_records_of_other_names_in_an_answer_do_not_count() -> None:
    reply = dns.message.make_response(dns.message.make_query(NAME, "A"))
    reply.flags |= dns.flags.AA
    for owner, kind, content in ((f"{NAME}.", "CNAME", "b.example.com."), ("b.example.com.", "A", HERE)):
        reply.answer.append(dns.rrset.from_text(owner, 60, "IN", kind, content))
    assert authority._said(NAME, ZONE, reply).records == {("CNAME", "b.example.com")}


def test_a_connection_that_the_server_closes_is_opened_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        opened = []

        def close() -> None:
            for _ in range(2):
                opened.append(listener.accept()[0])
                opened[-1].recv(1000)
                opened[-1].close()

        thread = threading.Thread(target=close)
        thread.start()
        assert converse(listener.getsockname(), [QUESTION], tcp_only=True) == {}
        thread.join()
    assert len(opened) == 2


def test_two_queries_never_share_an_id(monkeypatch: pytest.MonkeyPatch, world: Names) -> None:
    ids = iter([7, 7, 7, 8])
    monkeypatch.setattr("dns.entropy.random_16", lambda: next(ids))
    found = converse(("127.0.0.1", world.one.port), [QUESTION, (NAME, "AAAA")])
    assert len(found) == 2


class World:
    """A resolver of a small internet. Remembers what it was asked."""

    def __init__(self, **answers: str | None) -> None:
        self.answers, self.asked = answers, list[str]()

    def __call__(self, name: str, kind: str) -> frozenset[str]:
        self.asked.append(f"{name} {kind}")
        found = self.answers.get(f"{name.partition('.')[0]}_{kind}", "")
        if found is None:
            raise dns.exception.Timeout
        return frozenset(found.split())


def test_the_servers_of_a_zone_are_those_that_it_names() -> None:
    world = World(
        example_NS="ns2.example.net ns1.example.net", ns1_A="192.0.2.1", ns1_AAAA="2001:db8::1", ns2_A=None
    )
    assert Authority(look_up=world).servers_of(ZONE) == [
        Server("ns1.example.net", (("192.0.2.1", 53), ("2001:db8::1", 53))),
        Server("ns2.example.net", ()),
    ]


def test_the_servers_of_a_zone_are_remembered_for_a_while() -> None:
    world, time = World(example_NS="ns1.example.net", ns1_A="192.0.2.1"), [0.0]
    asking = Authority(look_up=world, clock=lambda: time[0])
    for moment in (1.0, 599.0, 602.0):
        time[0] = moment
        asking.servers_of(ZONE)
    assert world.asked.count("example.com NS") == 2


@pytest.mark.parametrize(("answer", "why"), [("", "has no name servers"), (None, "does not answer")])
def test_why_there_are_no_servers_is_told_and_remembered_for_a_moment(answer: str | None, why: str) -> None:
    world, time = World(example_NS=answer), [0.0]
    asking = Authority(look_up=world, clock=lambda: time[0])
    for moment in (0.0, 29.0, 31.0):
        time[0] = moment
        with pytest.raises(Outage, match=why):
            asking.servers_of(ZONE)
    assert world.asked.count("example.com NS") == 2


def test_a_server_without_an_address_does_not_answer() -> None:
    asking = Authority(look_up=World(example_NS="ns1.example.net"))
    assert asking.ask(ZONE, [QUESTION])["ns1.example.net"][QUESTION].problem == "does not answer."


def test_a_server_that_does_not_answer_at_one_address_is_asked_at_the_next(
    world: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authority, "DNS_PORT", world.one.port)
    resolver = World(example_NS="ns1.example.net", ns1_A="127.0.0.2", ns1_AAAA="127.0.0.1")
    asking = Authority(look_up=resolver, seconds=PATIENCE)
    assert asking.ask(ZONE, [QUESTION])["ns1.example.net"][QUESTION] == FOUND


def test_no_question_makes_no_call(world: Names) -> None:
    assert world.authority.ask(ZONE, []) == {world.one.address: {}, world.two.address: {}}


def test_addresses_come_from_the_resolver() -> None:
    assert Authority(look_up=World(home_A="192.0.2.1", home_AAAA="2001:db8::1")).addresses("home.test") == {
        "192.0.2.1", "2001:db8::1",
    }  # fmt: skip
    assert Authority(look_up=World(home_A=None)).addresses("home.test") == frozenset()


def test_addresses_come_from_the_servers_that_are_named(world: Names) -> None:
    assert world.authority.addresses(NAME) == {HERE}
    assert world.authority.addresses("app.example.org") == frozenset()


def test_ipv6_servers_are_written_in_brackets() -> None:
    assert Authority(["[::1]:5353"]).servers_of(ZONE) == [Server("[::1]:5353", (("::1", 5353),))]
