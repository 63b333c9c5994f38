"""`tiny-forge proxy restore|accept|adopt`: answers to what somebody did in Nginx Proxy Manager."""

from typing import Any

import click

from webapp.db import now, reading
from webapp.dns.names import parse_name
from webapp.errors import Busy, InvalidInput
from webapp.proxy import adoption, drift
from webapp.proxy.adoption import Candidate
from webapp.proxy.cli import facts, proxy
from webapp.terminal import as_json, confirm, say, table

__all__ = ["proxy"]


@proxy.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Every host that was changed or deleted.")
@as_json
def restore(name: str | None, every: bool, as_json: bool) -> None:
    """Write the host of NAME again as it is wanted here; of an instance, too."""
    if every is (name is not None):
        raise InvalidInput("Name one proxy, or say --all.")
    if name is None:
        count = drift.restore_all(at=now())
        say({"restored": count}, f"{count} host{'' if count == 1 else 's'} being restored.", as_json=as_json)
        return
    host = drift.restore(_id(name), at=now())
    say(facts(host), f"{host.fqdn} is being restored.", as_json=as_json)


@proxy.command()
@click.argument("name")
@as_json
def accept(name: str, as_json: bool) -> None:
    """Keep the host of NAME as it is in Nginx Proxy Manager; where it was deleted there, the proxy goes."""
    host = drift.accept(_id(name), at=now())
    what = "is being removed" if host.removing else "is accepted as it is in Nginx Proxy Manager"
    say(facts(host), f"{name} {what}.", as_json=as_json)


@proxy.command()
@click.argument("name", required=False)
@click.option("--list", "listing", is_flag=True, help="List the hosts that were made by hand.")
@click.option("--dns/--no-dns", "use_dns", default=True, help="Keep a DNS record of the name.")
@click.option("--of", help="The other installation of Tiny Forge that made it, and that is lost for good.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
def adopt(name: str | None, listing: bool, use_dns: bool, of: str | None, yes: bool, as_json: bool) -> None:
    """Keep the hand-made host of NAME here; nothing changes for visitors."""
    if listing is (name is not None):
        raise InvalidInput("Name one host, or say --list.")
    if name is None:
        with reading() as session:
            rows = [_candidate(one) for one in adoption.candidates(session, of)]
        table(
            rows, ("id", "name", "to", "why_not"), as_json=as_json, empty="Every host is kept here already."
        )
        return
    found = adoption.by_name(parse_name(name), of)
    if found.why_not is not None:
        raise Busy(found.why_not)
    confirm(yes, f"{found.names} forwards to {found.facts['forward']}. Adopt it as it is?")
    host = adoption.adopt(found.id, shown=found.shown, use_dns=use_dns, of=of, at=now())
    say(facts(host), f"{host.fqdn} is being adopted.", as_json=as_json)


def _candidate(one: Candidate) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.names,
        "to": one.facts["forward"],
        "adoptable": one.why_not is None,
        "why_not": one.why_not,
    }


def _id(name: str) -> int:
    with reading() as session:
        return drift.by_name(session, parse_name(name)).id
