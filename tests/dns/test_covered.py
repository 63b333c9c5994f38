"""What the answers of name servers mean for a name that the wildcard is to serve. The servers are made up."""

from collections.abc import Collection

import pytest

from webapp.dns.covered import Elsewhere, Wish, look
from webapp.dns.live import Content, Liveness, Question, Said, Verdict
from webapp.dns.records import RecordType
from webapp.errors import Outage

NAME, ZONE = "app.example.com", "example.com"
HERE, HERE6, THERE, THERE6 = "192.0.2.1", "2001:db8::1", "198.51.100.7", "2001:db8::99"
A, AAAA = Wish(NAME, RecordType.A, HERE), Wish(NAME, RecordType.AAAA, HERE6)
ALIAS = Wish(NAME, RecordType.CNAME, "home.example.net")


class Servers:
    """Name servers by zone, with what each answers to everything, and a resolver. Remembers who was asked."""

    def __init__(self, *answers: Collection[Content] | Said) -> None:
        self.zones: dict[str, list[Said]] = {ZONE: [self.said(answer) for answer in answers]}
        self.resolver: dict[str, set[str]] = {}
        self.asked: list[str] = []

    @staticmethod
    def said(answer: Collection[Content] | Said) -> Said:
        return answer if isinstance(answer, Said) else Said(frozenset(answer))

    def zone_of(self, name: str) -> str:
        if not self.zones:
            raise Outage("Nobody knows the zone.")
        return ZONE

    def ask(self, zone: str, questions: Collection[Question]) -> dict[str, dict[Question, Said]]:
        self.asked.append(zone)
        if zone not in self.zones:
            raise Outage(f"{zone} has no servers.")
        return {
            f"ns{n}": {q: self._answer(said, q) for q in questions}
            for n, said in enumerate(self.zones[zone], 1)
        }

    def _answer(self, said: Said, question: Question) -> Said:
        records = frozenset(r for r in said.records if r[0] in (question[1], "CNAME"))
        return Said(records, said.problem, said.delegated)

    def addresses(self, name: str) -> frozenset[str]:
        return frozenset(self.resolver.get(name, ()))

    def look(self, wish: Wish = A) -> Verdict | Elsewhere:
        return look(wish.above, {1: wish}, self)[1]


def test_the_servers_address_everywhere_is_live() -> None:
    servers = Servers([("A", HERE), ("AAAA", THERE6)], [("A", HERE)])
    assert servers.look() == Verdict(Liveness.LIVE, f"All 2 name servers answer {HERE}.")
    assert Servers([("AAAA", HERE6)]).look(AAAA) == Verdict(
        Liveness.LIVE, f"The name server answers {HERE6}."
    )


def test_the_wildcard_may_be_another_name_for_the_server() -> None:
    servers = Servers([("CNAME", ZONE)])
    servers.resolver[ZONE] = {HERE, HERE6}
    assert servers.look() == Verdict(Liveness.LIVE, f"The name server answers {HERE}.")
    assert servers.look(AAAA) == Verdict(Liveness.LIVE, f"The name server answers {HERE6}.")


def test_another_name_that_leads_nowhere_is_told() -> None:
    found = Servers([("CNAME", "gone.example.net")]).look()
    assert found == Verdict(
        Liveness.NOT_YET,
        "It is another name for gone.example.net, and an IPv4 address of that could not be found.",
    )


@pytest.mark.parametrize("answer", [("CNAME", "home.example.net"), ("A", HERE)])
def test_a_name_that_stands_for_the_server_is_home_itself_and_by_its_addresses(answer: Content) -> None:
    servers = Servers([answer])
    servers.resolver["home.example.net"] = {HERE, HERE6}
    found = servers.look(ALIAS)
    assert isinstance(found, Verdict)
    assert found.liveness is Liveness.LIVE


def test_a_name_for_the_server_that_nobody_can_look_up_leaves_it_open() -> None:
    assert Servers([("A", HERE)]).look(ALIAS) == Verdict(
        Liveness.UNKNOWN,
        f"It answers {HERE}, and not home.example.net; where home.example.net leads could not be looked up.",
    )


def test_other_addresses_are_not_wrong_before_somebody_has_been_there() -> None:
    servers = Servers([("A", THERE), ("A", "104.16.0.1"), ("AAAA", THERE6)])
    assert servers.look() == Elsewhere(
        ("104.16.0.1", THERE), f"It answers 104.16.0.1, {THERE}, and not {HERE}"
    )
    servers.resolver["home.example.net"] = {HERE}
    found = servers.look(ALIAS)
    assert isinstance(found, Elsewhere)
    assert found.addresses == ("104.16.0.1", THERE, THERE6)


def test_the_servers_address_beside_another_is_not_enough() -> None:
    assert Servers([("A", HERE), ("A", THERE)]).look() == Elsewhere(
        (THERE,), f"It answers {THERE}, and not {HERE}"
    )


def test_servers_that_do_not_agree_make_it_not_yet() -> None:
    assert Servers([("A", HERE)], [("A", THERE)]).look() == Verdict(
        Liveness.NOT_YET, f"It answers {THERE}, and not {HERE}, at 1 of 2 name servers."
    )
    assert Servers([("A", HERE)], []).look() == Verdict(
        Liveness.NOT_YET, "ns2 does not have an IPv4 address for it; 1 of 2 name servers do."
    )


@pytest.mark.parametrize(
    ("wish", "what"), [(A, "an IPv4 address"), (AAAA, "an IPv6 address"), (ALIAS, "an address")]
)
def test_a_name_that_nothing_serves_is_not_there(wish: Wish, what: str) -> None:
    assert Servers([], []).look(wish) == Verdict(
        Liveness.NOT_YET,
        f"No name server has {what} for it, neither by the wildcard nor by a record of its own.",
    )


def test_a_server_that_is_silent_makes_it_unknown() -> None:
    assert Servers([("A", HERE)], Said(problem="does not answer.")).look() == Verdict(
        Liveness.UNKNOWN, "ns2 does not answer."
    )


@pytest.mark.parametrize("cut", [NAME, "b.example.com"])
def test_other_servers_that_the_zone_refers_to_are_asked(cut: str) -> None:
    """With those that lead elsewhere, the zone being asked once for all names together."""
    name = NAME if cut == NAME else "app.b.example.com"
    servers = Servers(Said(delegated=cut))
    servers.zones[cut] = [Servers.said([("A", HERE)])]
    assert servers.look(Wish(name, RecordType.A, HERE)) == Verdict(
        Liveness.LIVE, f"The name server answers {HERE}."
    )
    assert servers.asked == [ZONE, cut]


def test_a_referral_to_somewhere_else_is_not_followed() -> None:
    servers = Servers(Said(delegated="other.example.com"))
    assert servers.look() == Verdict(Liveness.UNKNOWN, "ns1 refers to the servers of another name.")
    assert servers.asked == [ZONE]


def test_a_zone_or_servers_that_cannot_be_found_are_told() -> None:
    servers = Servers(Said(delegated=NAME))
    assert servers.look() == Verdict(Liveness.UNKNOWN, f"{NAME} has no servers.")
    servers.zones.clear()
    assert servers.look() == Verdict(Liveness.UNKNOWN, "Nobody knows the zone.")


def test_names_of_one_zone_are_asked_about_together() -> None:
    servers = Servers([("A", HERE)])
    look("example.com", {n: Wish(f"n{n}.example.com", RecordType.A, HERE) for n in range(9)}, servers)
    assert servers.asked == [ZONE]


@pytest.mark.parametrize(
    ("name", "above"),
    [
        (NAME, ZONE),
        ("*.example.com", ZONE),
        ("a.b.example.com", "b.example.com"),
        ("example.com", "example.com"),
    ],
)
def test_the_zone_is_looked_for_above_the_name(name: str, above: str) -> None:
    assert Wish(name, RecordType.A, HERE).above == above


def test_a_visit_has_the_last_word_once_the_proof_has_had_its_time() -> None:
    away = Elsewhere((THERE,), "It answers there")
    there, other = Verdict(Liveness.LIVE, "Hello."), Verdict(Liveness.NOT_YET, "Nobody.")
    assert away.awaited().liveness is Liveness.NOT_YET
    assert away.visited(there, soon=False) == Verdict(
        Liveness.LIVE, "It answers there, but leads to this installation: its proof is there.", elsewhere=True
    )
    assert away.visited(other, soon=True) == Verdict(
        Liveness.NOT_YET, "It answers there. Nobody.", elsewhere=True
    )
    assert away.visited(other, soon=False).liveness is Liveness.WRONG
