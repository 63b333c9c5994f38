"""Finds the authoritative servers of zones and asks them directly, all at once, without recursion."""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from webapp.dns.conversation import Place, Replies, converse
from webapp.dns.live import Question, Said
from webapp.dns.records import ADDRESSES, normal_content
from webapp.dns.resolver import Ask, ask, zone_of
from webapp.errors import Outage

Found = TypeVar("Found")

log = logging.getLogger(__name__)

KNOWN_FOR, MISSED_FOR = 600.0, 30.0
"""Seconds that a zone's servers, or that they could not be found, are remembered."""

MOST_SERVERS = 13
"""A zone has rarely more than 6, and never more than fit into one answer."""

DNS_PORT = 53


@dataclass(frozen=True)
class Server:
    """A name server with the places to reach it at, best first."""

    name: str
    places: tuple[Place, ...]


@dataclass
class Authority:
    """Asks the authoritative servers of zones; see `live.Asks`. It may be shared by threads, and kept.

    `servers` ("address:port") are asked instead of the zone's own, for every zone, and for addresses as well.
    `tcp_only`: over TCP, and never over UDP first. `seconds` is what one try waits.
    """

    servers: Sequence[str] = ()
    tcp_only: bool = False
    seconds: float = 1.0
    look_up: Ask = ask
    find_zone: Callable[[str], str] = zone_of
    clock: Callable[[], float] = time.monotonic
    _known: dict[str, tuple[float, list[Server] | Outage]] = field(default_factory=dict)
    _zones: dict[str, tuple[float, str | Outage]] = field(default_factory=dict)

    def ask(self, zone: str, questions: Collection[Question]) -> dict[str, dict[Question, Said]]:
        """What each server says to each question. Raises Outage when the servers cannot be found out."""
        servers = self.servers_of(zone)
        if not questions:
            return {server.name: {} for server in servers}
        with ThreadPoolExecutor(len(servers)) as pool:
            replies = pool.map(lambda server: self._answers(server, questions), servers)
            return {
                server.name: {q: _said(q[0], zone, found.get(q)) for q in questions}
                for server, found in zip(servers, replies, strict=True)
            }

    def addresses(self, name: str) -> frozenset[str]:
        """The addresses of a name; empty when there are none, or nobody says."""
        if self.servers:
            said = self.ask("", [(name, kind) for kind in ADDRESSES])
            records = (record for answers in said.values() for s in answers.values() for record in s.records)
            return frozenset(content for kind, content in records if kind in ADDRESSES)
        try:
            return frozenset().union(*(self.look_up(name, kind) for kind in ADDRESSES))
        except dns.exception.DNSException:
            return frozenset()

    def servers_of(self, zone: str) -> list[Server]:
        """The zone's servers, as they are known for some minutes. Raises Outage with why there are none."""
        if self.servers:
            return [_given(text) for text in self.servers]
        return self._remembered(self._known, zone, self._find)

    def zone_of(self, name: str) -> str:
        """The zone that holds the name; empty where the servers are given. Raises Outage when nobody says."""
        return "" if self.servers else self._remembered(self._zones, name, self._find_zone)

    def _remembered(
        self, known: dict[str, tuple[float, Found | Outage]], name: str, find: Callable[[str], Found]
    ) -> Found:
        until, found = known.get(name, (0.0, None))
        if found is None or until <= self.clock():
            try:
                found = find(name)
            except Outage as error:
                found = error
            lasts = MISSED_FOR if isinstance(found, Outage) else KNOWN_FOR
            known[name] = self.clock() + lasts, found
        if isinstance(found, Outage):
            raise found
        return found

    def _find_zone(self, name: str) -> str:
        try:
            return self.find_zone(name)
        except dns.exception.DNSException as error:
            log.info("live: the zone of %s: %s", name, type(error).__name__)
            raise Outage(
                f"The zone of {name} could not be found: the DNS resolver here does not answer."
            ) from error

    def _find(self, zone: str) -> list[Server]:
        try:
            names = sorted(self.look_up(zone, "NS"))[:MOST_SERVERS]
        except dns.exception.DNSException as error:
            log.info("live: %s: NS: %s", zone, type(error).__name__)
            raise Outage(
                f"The name servers of {zone} could not be found: the DNS resolver here does not answer."
            ) from error
        if not names:
            raise Outage(
                f"{zone} has no name servers in public DNS. Is the domain registered, and does it use them?"
            )
        return [Server(name, tuple((address, DNS_PORT) for address in self._places(name))) for name in names]

    def _places(self, name: str) -> list[str]:
        found: list[str] = []
        for kind in sorted(ADDRESSES):
            try:
                found += sorted(self.look_up(name, kind))[:1]
            except dns.exception.DNSException:
                log.info("live: the %s of %s could not be looked up", kind, name)
        return found

    def _answers(self, server: Server, questions: Collection[Question]) -> Replies:
        for place in server.places:
            if found := converse(place, questions, tcp_only=self.tcp_only, seconds=self.seconds):
                return found
        return {}


def _given(text: str) -> Server:
    address, _, port = text.rpartition(":")
    return Server(text, ((address.strip("[]"), int(port)),))


def _said(name: str, zone: str, reply: dns.message.Message | None) -> Said:
    """A reply in our words."""
    if reply is None:
        return Said(problem="does not answer.")
    if reply.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return Said(problem=f"answers {dns.rcode.to_text(reply.rcode())}.")
    if not reply.flags & dns.flags.AA:
        below = _delegation(zone, reply)
        return Said(delegated=below) if below else Said(problem=f"does not know the zone {zone or name}.")
    return Said(frozenset(_records(name, reply)))


def _delegation(zone: str, reply: dns.message.Message) -> str:
    """Below which name the zone refers to other servers; empty when it does not."""
    above = dns.name.from_text(zone)
    for rrset in reply.authority:
        if rrset.rdtype == dns.rdatatype.NS and rrset.name != above and rrset.name.is_subdomain(above):
            return rrset.name.to_text(omit_final_dot=True).lower()
    return ""


def _records(name: str, reply: dns.message.Message) -> Iterable[tuple[str, str]]:
    owner = dns.name.from_text(name)
    for rrset in reply.answer:
        if rrset.name == owner:
            kind = dns.rdatatype.to_text(rrset.rdtype)
            yield from ((kind, _content(kind, item)) for item in rrset)


def _content(kind: str, item: object) -> str:
    if kind == "TXT":
        return b"".join(item.strings).decode(errors="replace")  # type: ignore[attr-defined]
    return normal_content(kind, str(item).rstrip("."))
