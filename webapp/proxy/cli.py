"""`tiny-forge proxy`: standalone proxies on the command line, with the form's validation."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import click
from flask.cli import AppGroup
from werkzeug.datastructures import MultiDict

from webapp.db import now, reading
from webapp.dns import ledger
from webapp.dns.models import ConsumerType
from webapp.dns.names import parse_name
from webapp.errors import InvalidInput
from webapp.proxy import listing, service
from webapp.proxy.certificates.choice import WAYS
from webapp.proxy.certificates.holders import FLAGS
from webapp.proxy.forms import ProxyForm, as_fields, encrypted, make_form
from webapp.proxy.models import ProxyHost
from webapp.terminal import as_json, checked, say, table

proxy = AppGroup("proxy", help="Standalone proxies.")

SWITCHES = {
    "ssl_forced": "--force-ssl/--no-force-ssl",
    "http2_support": "--http2/--no-http2",
    "hsts_enabled": "--hsts/--no-hsts",
    "hsts_subdomains": "--hsts-subdomains/--no-hsts-subdomains",
    "allow_websocket_upgrade": "--websockets/--no-websockets",
    "block_exploits": "--block-exploits/--no-block-exploits",
    "enabled": "--enabled/--disabled",
    "use_dns": "--dns/--no-dns",
}


def fields(command: Callable[..., None]) -> Callable[..., None]:
    """The options that stand for the form's fields."""
    for name, flags in SWITCHES.items():
        command = click.option(flags, name, default=None)(command)
    help_ = f"Id at Nginx Proxy Manager; 0: none. {', '.join(WAYS)}: ask for one."
    command = click.option("--certificate", "certificate_id", help=help_)(command)
    command = click.option("--dns-proxied", type=click.Choice(["default", "yes", "no"]))(command)
    return click.option("--ttl", "dns_ttl", type=int, help="Seconds; 1: automatic.")(command)


@proxy.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the proxies."""
    with reading() as session:
        hosts = listing.matching(session)
        claims = ledger.statuses(session, ConsumerType.STANDALONE, [h.id for h in hosts])
        rows = [facts(host) | {"dns": [str(r.status) for r in claims.get(host.id, [])]} for host in hosts]
    table(rows, ("id", "name", "to", "status", "error"), as_json=as_json, empty="No proxies yet.")


def facts(host: ProxyHost) -> dict[str, Any]:
    return {
        "id": host.id,
        "name": host.fqdn,
        "to": f"{host.forward_scheme}://{host.forward_host}:{host.forward_port}",
        "enabled": host.enabled,
        "status": "removing" if host.removing else str(host.status),
        "error": host.error,
        "next_try_at": host.next_try_at,
        "npm_host_id": host.npm_host_id,
        "differences": differences(host),
    }


def differences(host: ProxyHost) -> list[dict[str, str]]:
    """What somebody changed over there."""
    found = host.seen["differences"] if host.is_astray and host.seen else []
    return [dict(zip(("what", "ours", "theirs"), difference, strict=True)) for difference in found]


@proxy.command()
@click.argument("name")
@click.option("--to", required=True, help="Where it goes, for example http://192.168.1.20:8080.")
@fields
@as_json
def create(name: str, to: str, as_json: bool, **options: Any) -> None:
    """Create a proxy for NAME."""
    start = {"name": name, "forward_scheme": "http", "allow_websocket_upgrade": True, "block_exploits": True}
    start |= {"enabled": True, "use_dns": True, "certificate_id": 0, "dns_proxied": "default"}
    form = _form(start | _target(to), options)
    host = service.create(form.wish(), then=encrypted(form), at=now())
    _say(host, "is on its way", as_json)


@proxy.command()
@click.argument("name")
@click.option("--name", "new_name", help="The new name.")
@click.option("--to", help="Where it goes, for example http://192.168.1.20:8080.")
@fields
@as_json
def update(name: str, new_name: str | None, to: str | None, as_json: bool, **options: Any) -> None:
    """Change the proxy called NAME; what is not given stays."""
    with reading() as session:
        host = service.by_name(session, parse_name(name))
        start, proxy_id = as_fields(host), host.id
    if new_name:
        start["name"] = new_name
    form = _form(start | (_target(to) if to else {}), options)
    _say(service.update(proxy_id, form.wish(), then=encrypted(form), at=now()), "is saved", as_json)


@proxy.command()
@click.argument("name")
@as_json
def delete(name: str, as_json: bool) -> None:
    """Delete the proxy called NAME, its host and its record."""
    with reading() as session:
        proxy_id = service.by_name(session, parse_name(name)).id
    _say(service.remove(proxy_id, at=now()), "is being removed", as_json)


def _target(to: str) -> dict[str, Any]:
    try:
        parts = urlsplit(to if "://" in to else f"http://{to}")
        port = parts.port if parts.port is not None else {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError as error:
        raise InvalidInput("--to: this address cannot be read.") from error
    extra = (parts.path.rstrip("/"), parts.query, parts.fragment, parts.username, parts.password)
    if any(extra) or not parts.hostname:
        raise InvalidInput("--to: enter scheme, host and port, for example http://192.168.1.20:8080.")
    return {"forward_scheme": parts.scheme, "forward_host": parts.hostname, "forward_port": port}


def _form(start: dict[str, Any], options: dict[str, Any]) -> ProxyForm:
    """The page's form over the given values; a switch that is off is left out, as browsers do."""
    values = start | {name: value for name, value in options.items() if value is not None}
    saved = {name: start.get(name, False) for name in ("certificate_id", *FLAGS)}
    sent = {name: value for name, value in values.items() if value is not None and value is not False}
    form = make_form(MultiDict({name: str(value) for name, value in sent.items()}), saved, csrf=False)
    checked(form)
    return form


def _say(host: ProxyHost, what: str, as_json: bool) -> None:
    say(facts(host), f"{host.fqdn} {what}.", as_json=as_json)
