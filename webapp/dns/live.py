"""Whether the world sees a name: what the zone's authoritative servers answer, compared with what is wanted."""

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from webapp.dns.records import ADDRESSES, RecordType
from webapp.errors import Outage

Content = tuple[str, str]
"""A type and a content in normal form, see `records.normal_content`."""

Question = tuple[str, str]
"""A name and the type that is asked for."""

Key = TypeVar("Key", bound=Hashable)


class Liveness(StrEnum):
    """What a look at the world showed. NOT_YET: nothing there, or not at all servers; WRONG: something else."""

    LIVE = "live"
    NOT_YET = "not yet"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """What was found, with a sentence that says why.

    `elsewhere`: at other addresses than the server's, in front of which somebody may stand.
    """

    liveness: Liveness
    message: str
    elsewhere: bool = False


@dataclass(frozen=True)
class Said:
    """One server's answer: the records at that very name. `problem`: why there is none.

    `delegated` is the name at which the zone hands over to other servers, where the answer was that.
    """

    records: frozenset[Content] = frozenset()
    problem: str = ""
    delegated: str = ""


ANY_ADDRESS: frozenset[Content] = frozenset((str(kind), "") for kind in ADDRESSES)
"""Stands for what a proxied name answers: addresses that prove nothing."""

Answers = Mapping[str, Mapping[Question, Said]]
"""By server."""


class Asks(Protocol):
    """Asks the authoritative servers of zones, and the system's resolver; see `authority.Authority`."""

    def ask(self, zone: str, questions: Collection[Question]) -> Answers:
        """What each server says to each question. Raises Outage when the servers cannot be found out."""
        ...

    def addresses(self, name: str) -> frozenset[str]:
        """The addresses of any name in the world; empty when there are none, or nobody says."""
        ...


def visible(zone: str, name: str, wanted: frozenset[Content], authority: Asks) -> Verdict:
    """Whether every authoritative server of the zone answers just this for the name.

    For each type in `wanted` exactly these contents have to be there; other types do not matter, but a CNAME
    that stands in their place does. Never raises: what cannot be found out is UNKNOWN, with the reason. It
    waits for servers, some seconds at most, so no page may call it. Not for names that Cloudflare proxies:
    their answers prove nothing.
    """
    return check(zone, {name: (name, wanted)}, authority)[name]


def check(
    zone: str, wishes: Mapping[Key, tuple[str, frozenset[Content]]], authority: Asks
) -> dict[Key, Verdict]:
    """`visible` for many names of one zone, which costs hardly more than for one."""
    questions = {q for name, wanted in wishes.values() for q in questions_for(name, wanted)}
    try:
        answers = authority.ask(zone, sorted(questions))
    except Outage as error:
        return dict.fromkeys(wishes, Verdict(Liveness.UNKNOWN, error.message))
    return {key: judge(name, wanted, answers, authority) for key, (name, wanted) in wishes.items()}


def questions_for(name: str, wanted: Iterable[Content]) -> set[Question]:
    """What to ask: a CNAME shows in the answer to every question, also where the provider puts addresses for it."""
    kinds = {kind for kind, _ in wanted}
    asked = (ADDRESSES if kind == RecordType.CNAME else {kind} for kind in kinds)
    return {(name, str(kind)) for some in asked for kind in some}


def judge(name: str, wanted: frozenset[Content], answers: Answers, authority: Asks) -> Verdict:
    """What the servers' answers mean for one name."""
    said = {server: together(name, wanted, known) for server, known in answers.items()}
    delegated = next((s.delegated for s in said.values() if s.delegated), None)
    if delegated:
        return _delegated(delegated)
    seen = {server: s.records for server, s in said.items() if not s.problem}
    other = {server: records for server, records in seen.items() if records != wanted}
    if other and not _is_flattened(wanted, other, authority):
        return _not_there(wanted, other, len(seen))
    problem = next((f"{server} {s.problem}" for server, s in said.items() if s.problem), None)
    if problem or not seen:
        rest = f" {len(seen)} {'other has' if len(seen) == 1 else 'others have'} the record." if seen else ""
        return Verdict(Liveness.UNKNOWN, f"{problem or 'No name server is known.'}{rest}")
    return Verdict(Liveness.LIVE, f"{servers_answer(len(seen))} {_texts(next(iter(seen.values())))}.")


def at_the_edge(name: str, answers: Answers) -> list[str] | Verdict:
    """The addresses that all servers answer for a proxied name, IPv4 first; or the verdict, while they do not."""
    said = {server: together(name, ANY_ADDRESS, known) for server, known in answers.items()}
    found = sorted({c for s in said.values() for kind, c in s.records if kind in ADDRESSES}, key=ipv4_first)
    for server, s in said.items():
        if s.delegated:
            return _delegated(s.delegated)
        if s.problem:
            return Verdict(Liveness.UNKNOWN, f"{server} {s.problem}")
        if not s.records:
            which = f"{server} does not have" if found else "No name server has"
            return Verdict(Liveness.NOT_YET, f"{which} the record yet.")
    return found


def ipv4_first(address: str) -> tuple[bool, str]:
    """Sorts addresses."""
    return ":" in address, address


def _delegated(name: str) -> Verdict:
    return Verdict(Liveness.WRONG, f"{name} is delegated to other name servers, so this record is not used.")


def together(name: str, wanted: frozenset[Content], known: Mapping[Question, Said]) -> Said:
    """All that one server said about the name."""
    said = [known[question] for question in sorted(questions_for(name, wanted))]
    return Said(
        frozenset().union(*(s.records for s in said)),
        next((s.problem for s in said if s.problem), ""),
        next((s.delegated for s in said if s.delegated), ""),
    )


def _not_there(wanted: frozenset[Content], other: Mapping[str, frozenset[Content]], asked: int) -> Verdict:
    server, records = min(other.items(), key=lambda item: (not item[1], item[0]))
    if not records and len(other) == asked:
        return Verdict(Liveness.NOT_YET, f"No name server has the record yet ({_texts(wanted)}).")
    found = f"answers {_texts(records)}" if records else "does not have the record"
    if len(other) < asked:
        have = f"{asked - len(other)} of {asked} name servers answer {_texts(wanted)}"
        return Verdict(Liveness.NOT_YET, f"{have}; {server} {found}.")
    return Verdict(Liveness.WRONG, f"{server} {found}; wanted is {_texts(wanted)}.")


def _is_flattened(
    wanted: frozenset[Content], other: Mapping[str, frozenset[Content]], authority: Asks
) -> bool:
    """Whether the servers put the target's addresses where we have a CNAME, as some do at the zone's apex."""
    target = next((content for kind, content in wanted if kind == RecordType.CNAME), None)
    if target is None or not all(records and _are_addresses(records) for records in other.values()):
        return False
    real = authority.addresses(target)
    return all(real & {content for _, content in records} for records in other.values())


def _are_addresses(records: Iterable[Content]) -> bool:
    return all(kind in ADDRESSES for kind, _ in records)


def servers_answer(count: int) -> str:
    """The beginning of a sentence."""
    return "The name server answers" if count == 1 else f"All {count} name servers answer"


def _texts(records: Iterable[Content]) -> str:
    """Contents for people; the type only where it is not plain to see."""
    shown = (content if kind in ADDRESSES else f"{kind} {content}" for kind, content in sorted(records))
    return ", ".join(shown)
