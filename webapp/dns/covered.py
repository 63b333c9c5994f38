"""How a name looks that the wildcard is to serve: what its servers answer, compared with the server's address. Pure.

The wildcard is kept by hand, at any DNS service, and may be proxied: other addresses than the server's are not
wrong before somebody has been there.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol, TypeVar

from webapp.dns.live import (
    ANY_ADDRESS,
    Asks,
    Content,
    Liveness,
    Said,
    Verdict,
    ipv4_first,
    questions_for,
    servers_answer,
    together,
)
from webapp.dns.names import is_within
from webapp.dns.records import ADDRESSES, RecordType
from webapp.errors import Outage

Key = TypeVar("Key", bound=Hashable)
Addresses = frozenset[str]
AddressesOf = Callable[[str], Addresses]


@dataclass(frozen=True)
class Wish:
    """That a name leads to the server. `content` is its address, or with a CNAME the name that stands for it."""

    name: str
    type: RecordType
    content: str

    @property
    def above(self) -> str:
        """The name whose zone is asked; the zone refers to others where the name itself is handed over."""
        above = self.name.partition(".")[2]
        return above if "." in above else self.name

    @property
    def is_alias(self) -> bool:
        """Whether a name stands for the server."""
        return self.type == RecordType.CNAME

    def fits(self, address: str) -> bool:
        """Whether the address is of the IP version that is wanted."""
        return self.is_alias or (":" in address) is (self.type == RecordType.AAAA)

    def is_home(self, there: Addresses, home: Addresses) -> bool:
        """Whether an answer leads to the server: to just its address, or to one of those that its name has."""
        return bool(there & home) if self.is_alias else there == home


@dataclass(frozen=True)
class Elsewhere:
    """All servers answer, and lead to addresses that are not the server's: IPv4 first. `message` says so."""

    addresses: tuple[str, ...]
    message: str

    def awaited(self) -> Verdict:
        """Before anybody has been there."""
        text = f"{self.message}. Whether that leads here is about to be proven."
        return Verdict(Liveness.NOT_YET, text, elsewhere=True)

    def visited(self, visit: Verdict, *, soon: bool) -> Verdict:
        """After a visit; `soon`: the proof may still be on its way to the proxy host."""
        if visit.liveness is Liveness.LIVE:
            text = f"{self.message}, but leads to this installation: its proof is there."
            return Verdict(Liveness.LIVE, text, elsewhere=True)
        liveness = Liveness.NOT_YET if soon else Liveness.WRONG
        return Verdict(liveness, f"{self.message}. {visit.message}", elsewhere=True)


class Finds(Asks, Protocol):
    """Also knows in which zone a name is."""

    def zone_of(self, name: str) -> str:
        """The zone that holds the name. Raises Outage when that cannot be found out."""
        ...


def look(above: str, wishes: Mapping[Key, Wish], authority: Finds) -> dict[Key, Verdict | Elsewhere]:
    """How names look that are in one zone, the zone of `above`, or handed over below it.

    Never raises: what cannot be found out is UNKNOWN. It waits for servers, so no page may call it.
    """
    try:
        zone = authority.zone_of(above)
    except Outage as error:
        return dict.fromkeys(wishes, Verdict(Liveness.UNKNOWN, error.message))
    return _look(zone, wishes, authority, cache(authority.addresses))


def _look(
    zone: str, wishes: Mapping[Key, Wish], authority: Asks, addresses: AddressesOf
) -> dict[Key, Verdict | Elsewhere]:
    """Ask the zone's servers, and where they refer to others, which are nearer to the name, ask those."""
    questions = {q for wish in wishes.values() for q in questions_for(wish.name, ANY_ADDRESS)}
    try:
        answers = authority.ask(zone, sorted(questions))
    except Outage as error:
        return dict.fromkeys(wishes, Verdict(Liveness.UNKNOWN, error.message))
    found: dict[Key, Verdict | Elsewhere] = {}
    below: dict[str, dict[Key, Wish]] = {}
    for key, wish in wishes.items():
        said = {server: together(wish.name, ANY_ADDRESS, known) for server, known in answers.items()}
        if nearer := _referral(wish.name, said.values()):
            below.setdefault(nearer, {})[key] = wish
        else:
            found[key] = _judge(wish, said, addresses)
    for nearer, some in below.items():
        found |= _look(nearer, some, authority, addresses)
    return found


def _referral(name: str, said: Iterable[Said]) -> str:
    """At which name other servers take over: this one, or one above it."""
    return next((s.delegated for s in said if s.delegated and is_within(name, s.delegated)), "")


def _judge(wish: Wish, said: Mapping[str, Said], addresses: AddressesOf) -> Verdict | Elsewhere:
    for server, s in said.items():
        if problem := s.problem or (s.delegated and "refers to the servers of another name."):
            return Verdict(Liveness.UNKNOWN, f"{server} {problem}")
    found = {server: _found(wish, s.records, addresses) for server, s in said.items()}
    missing = sorted(server for server, there in found.items() if not there)
    if missing:
        alias = next((c for s in said.values() for kind, c in s.records if kind == RecordType.CNAME), "")
        return Verdict(Liveness.NOT_YET, _missing(wish, missing, len(found), alias))
    return _compare(wish, found, addresses)


def _compare(wish: Wish, found: Mapping[str, Addresses], addresses: AddressesOf) -> Verdict | Elsewhere:
    """Where every server leads somewhere."""
    home = frozenset({wish.content}) | (addresses(wish.content) if wish.is_alias else frozenset())
    away = {server: there - home for server, there in found.items() if not wish.is_home(there, home)}
    if not away:
        there = ", ".join(sorted(next(iter(found.values()))))
        return Verdict(Liveness.LIVE, f"{servers_answer(len(found))} {there}.")
    others = sorted(frozenset().union(*away.values()), key=ipv4_first)
    message = f"It answers {', '.join(others)}, and not {wish.content}"
    if wish.is_alias and len(home) == 1:
        return Verdict(Liveness.UNKNOWN, f"{message}; where {wish.content} leads could not be looked up.")
    if len(away) < len(found):
        return Verdict(Liveness.NOT_YET, f"{message}, at {len(away)} of {len(found)} name servers.")
    return Elsewhere(tuple(others), message)


def _found(wish: Wish, records: frozenset[Content], addresses: AddressesOf) -> Addresses:
    """Where a server's answer leads, by other names too; the server's own name stands for itself."""
    if wish.is_alias and (RecordType.CNAME, wish.content) in records:
        return frozenset({wish.content})
    there = {content for kind, content in records if kind in ADDRESSES}
    for kind, content in records:
        if kind == RecordType.CNAME:
            there |= addresses(content)
    return frozenset(address for address in there if wish.fits(address))


def _missing(wish: Wish, missing: Sequence[str], asked: int, alias: str) -> str:
    what = {RecordType.A: "an IPv4 address", RecordType.AAAA: "an IPv6 address"}.get(wish.type, "an address")
    if alias:
        return f"It is another name for {alias}, and {what} of that could not be found."
    if len(missing) == asked:
        return f"No name server has {what} for it, neither by the wildcard nor by a record of its own."
    return f"{missing[0]} does not have {what} for it; {asked - len(missing)} of {asked} name servers do."
