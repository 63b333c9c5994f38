"""Whether the world can see a name, before Let's Encrypt is sent to look for it: its zone's servers are asked."""

from collections.abc import Callable, Mapping

from webapp.db import reading
from webapp.dns import ledger
from webapp.dns.live import Asks, Question, Said
from webapp.dns.names import is_within
from webapp.dns.records import ADDRESSES
from webapp.errors import Outage

LEADS = {*ADDRESSES, "CNAME"}


def by_authority(authority: Asks) -> Callable[[str], str | None]:
    """Asks for any record that leads somewhere: where to is told elsewhere, and for a proxied name proves nothing."""

    def visible(name: str) -> str | None:
        questions = [(name, str(kind)) for kind in sorted(ADDRESSES)]
        problem = f"No name servers are known for {name}."
        for zone in _zones(name):
            try:
                return _judge(name, authority.ask(zone, questions))
            except Outage as error:
                problem = error.message
        return problem

    return visible


def _judge(name: str, answers: Mapping[str, Mapping[Question, Said]]) -> str | None:
    """What is in the way, if anything: a server without the record, or that none answers at all.

    One that does not answer is no reason to wait while others do: resolvers go on to the next one, too.
    """
    silent = {}
    for server, known in sorted(answers.items()):
        if any(kind in LEADS for said in known.values() for kind, _ in said.records):
            continue
        problem = next((said.problem for said in known.values() if said.problem), "")
        if not problem:
            return f"{server} does not have a record of {name} yet."
        silent[server] = problem
    if len(silent) < len(answers):
        return None
    return next((f"{server} {problem}" for server, problem in silent.items()), f"Nobody answers for {name}.")


def _zones(name: str) -> list[str]:
    """Where the name may be kept: the zone in use, else the nearest of its parents that has servers."""
    with reading() as session:
        connection = ledger.active_connection(session)
    if connection is not None and is_within(name, connection.zone_name):
        return [connection.zone_name]
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]
