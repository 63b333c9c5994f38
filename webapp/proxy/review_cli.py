"""`tiny-forge proxy restore|accept`: answers to what somebody did in Nginx Proxy Manager."""

import click

from webapp.db import now, reading
from webapp.dns.names import parse_name
from webapp.errors import InvalidInput
from webapp.proxy import drift
from webapp.proxy.cli import facts, proxy
from webapp.terminal import as_json, say

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


def _id(name: str) -> int:
    with reading() as session:
        return drift.by_name(session, parse_name(name)).id
