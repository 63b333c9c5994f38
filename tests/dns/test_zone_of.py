"""In which zone a name is: looked up, remembered for some minutes, and not asked for where the servers are given."""

import dns.exception
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import dns.rrset
import pytest

from webapp.dns import resolver
from webapp.dns.authority import KNOWN_FOR, MISSED_FOR, Authority
from webapp.errors import Outage

NAME, ZONE = "app.example.com", "example.com"


class Zones:
    """What finds zones; None is a resolver that does not answer."""

    def __init__(self, found: str | None) -> None:
        self.found, self.asked, self.time = found, 0, 0.0
        self.authority = Authority(find_zone=self.find, clock=lambda: self.time)

    def find(self, _name: str) -> str:
        self.asked += 1
        if self.found is None:
            raise dns.exception.Timeout
        return self.found


def test_the_zone_is_remembered_for_a_while() -> None:
    zones = Zones(ZONE)
    for moment in (0.0, KNOWN_FOR - 1, KNOWN_FOR + 1):
        zones.time = moment
        assert zones.authority.zone_of(NAME) == ZONE
    assert zones.asked == 2


def test_a_resolver_that_does_not_answer_is_told_and_asked_again_in_a_moment() -> None:
    zones = Zones(None)
    for moment in (0.0, MISSED_FOR - 1, MISSED_FOR + 1):
        zones.time = moment
        with pytest.raises(Outage, match=f"The zone of {NAME} could not be found"):
            zones.authority.zone_of(NAME)
    assert zones.asked == 2


def test_servers_that_are_given_are_asked_about_every_zone() -> None:
    assert Authority(["127.0.0.1:53"], find_zone=Zones(None).find).zone_of(NAME) == ""


def test_the_system_s_resolver_finds_where_a_zone_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another name stands in between, it does not count: it may be the apex of somebody's zone."""

    def resolve(_self: object, name: dns.name.Name, kind: object, *_rest: object, **_more: object) -> object:
        query = dns.message.make_query(name, "SOA")
        reply = dns.message.make_response(query)
        soa = "ns1.example.net. root.example.net. 1 2 3 4 5"
        if name.to_text() == f"{NAME}.":
            reply.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", "example.net."))
            reply.answer.append(dns.rrset.from_text("example.net.", 60, "IN", "SOA", soa))
        else:
            reply.answer.append(dns.rrset.from_text(name, 60, "IN", "SOA", soa))
        whole = dns.message.from_wire(reply.to_wire())
        return dns.resolver.Answer(name, dns.rdatatype.SOA, dns.rdataclass.IN, whole)

    monkeypatch.setattr(dns.resolver.Resolver, "resolve", resolve)
    assert resolver.zone_of(NAME) == ZONE
