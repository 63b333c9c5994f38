"""`tiny-forge cert`: certificates on the command line, with the form's validation."""

import json
from typing import Any

import click
from flask.cli import AppGroup
from werkzeug.datastructures import MultiDict

from webapp.db import now, reading
from webapp.proxy.certificates import listing, service
from webapp.proxy.certificates.models import CertificateRequest, Challenge
from webapp.proxy.certificates.service import said
from webapp.proxy.certificates.views import make_form
from webapp.terminal import as_json, checked, say, table

cert = AppGroup("cert", help="Certificates at Nginx Proxy Manager.")

COLUMNS = ("id", "name", "provider", "expires_on", "state", "used_by")
REQUEST_COLUMNS = ("id", "names", "challenge", "phase", "error", "next_try_at")


@cert.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the certificates that there are, and the requests for more."""
    with reading() as session:
        lines = [line.facts() for line in listing.lines(session, now())]
        requests = [listing.request_facts(row) for row in service.requests(session)]
    if as_json:
        found = {"certificates": lines, "requests": requests}
        click.echo(json.dumps(found, indent=2, default=str))
        return
    table([_flat(line) for line in lines], COLUMNS, as_json=False, empty="No certificates, as last read.")
    if requests:
        click.echo()
        table([_flat(row) for row in requests], REQUEST_COLUMNS, as_json=False, empty="")


@cert.command()
@click.argument("names", nargs=-1, required=True)
@click.option(
    "--dns", is_flag=True,
    help="Prove the names by DNS challenge: sends the saved Cloudflare token to Nginx Proxy Manager.",
)  # fmt: skip
@as_json
def request(names: tuple[str, ...], dns: bool, as_json: bool) -> None:
    """Ask for a certificate for NAMES; a wildcard such as *.example.com needs --dns."""
    challenge = Challenge.DNS if dns else Challenge.HTTP
    form = make_form(MultiDict({"names": " ".join(names), "challenge": str(challenge)}), csrf=False)
    checked(form)
    _say(service.ask(form.wish(), at=now()), "is asked for", as_json)


@cert.command()
@click.argument("request_id", type=int)
@as_json
def retry(request_id: int, as_json: bool) -> None:
    """Try the request REQUEST_ID again now."""
    _say(service.retry(request_id, at=now()), "is tried again", as_json)


@cert.command()
@click.argument("request_id", type=int)
@as_json
def forget(request_id: int, as_json: bool) -> None:
    """Cancel or forget the request REQUEST_ID; a certificate that is there stays."""
    with reading() as session:
        facts = listing.request_facts(service.get(session, request_id))
    service.forget(request_id)
    say(facts, f"The request for {said(facts['names'])} is gone.", as_json=as_json)


@cert.command()
@click.argument("certificate_id", type=int)
@as_json
def renew(certificate_id: int, as_json: bool) -> None:
    """Have the certificate CERTIFICATE_ID of Let's Encrypt renewed."""
    _say(service.renew(certificate_id, at=now()), "is being renewed", as_json)


def _say(row: CertificateRequest, what: str, as_json: bool) -> None:
    say(listing.request_facts(row), f"A certificate for {said(row.names)} {what}.", as_json=as_json)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Lists as text, for a table."""
    return {key: ", ".join(value) if isinstance(value, list) else value for key, value in row.items()}
