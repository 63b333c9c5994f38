"""`tiny-forge dns`: the DNS page on the command line."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from webapp.actor import actor
from webapp.config import Config
from webapp.db import now, reading
from webapp.dns import ledger, service
from webapp.dns.changes import Answer, Plan
from webapp.dns.connections import Connection
from webapp.dns.forms import LIVES, STATUSES
from webapp.dns.lines import Line
from webapp.dns.listing import PAGE_SIZES, Filters, listing
from webapp.dns.models import DnsSettings, Status
from webapp.dns.names import parse_name
from webapp.dns.rounds import Rounds
from webapp.errors import ForgeError, InvalidInput, NotFound
from webapp.terminal import as_json, say, table

dns = AppGroup("dns", help="Names and their records.")
Statuses = click.Choice(["", *sorted(map(str, STATUSES))])
Lives = click.Choice(["", *map(str, LIVES)])


@dns.command("list")
@click.option("--status", default="", type=Statuses, help="Only records with this status.")
@click.option("--live", default="", type=Lives, help="Only names that look like this from outside.")
@click.option("--foreign", is_flag=True, help="Also records that are not ours.")
@as_json
def list_(status: str, live: str, foreign: bool, as_json: bool) -> None:
    """List every name with its record."""
    with reading() as session:
        filters = Filters(status=status, live=live, foreign=foreign, size=max(PAGE_SIZES))
        settings = ledger.settings_or_none(session)
        rows = [_facts(line) for line in _all(session, settings, filters)] if settings else []
    table(
        rows,
        ("name", "type", "content", "status", "live", "consumer"),
        as_json=as_json,
        empty="No names yet.",
    )


def _all(session: Session, settings: DnsSettings, filters: Filters) -> Iterator[Line]:
    """The lines of all pages."""
    first = listing(session, settings, filters)
    yield from first.lines
    for number in range(2, first.paging.pages + 1):
        yield from listing(session, settings, replace(filters, page=number)).lines


def _facts(line: Line) -> dict[str, Any]:
    row = line.row
    return {
        "name": line.name,
        "type": line.type,
        "content": line.content,
        "wanted": line.wanted.content if line.wanted else None,
        "ttl": line.ttl,
        "proxied": line.proxied,
        "status": line.status,
        "consumer": f"{row.consumer_type} {row.consumer_id}" if row else None,
        "error": (row.error if row else None) or line.note or None,
        "next_try_at": row.next_try_at if row else None,
        "checked_at": line.checked_at,
        "live": row.live if row else None,
        "live_message": row.live_message if row else None,
        "live_at": row.live_at if row else None,
    }


@dns.command()
@as_json
def plan(as_json: bool) -> None:
    """Show what a round would change, and change nothing."""
    connection_id, _ = _active()
    report, described = _rounds().look(connection_id, keep=False)
    if described is None:
        raise report.error or ForgeError("The plan could not be made.")
    say(described, _in_words(described), as_json=as_json)


def _in_words(plan: Any) -> str:
    lines = [f"Plan for {plan['zone']} ({plan['hash']})"]
    lines += [f"  + create {r['name']} {r['type']} {r['content']}" for r in plan["creates"]]
    for r in plan["updates"]:
        lines.append(
            f"  ~ update {r['name']} {r['old']['type']} {r['old']['content']} -> {r['type']} {r['content']}"
        )
    lines += [f"  - delete {r['name']} {r['type']} {r['content']} ({r['why']})" for r in plan["deletes"]]
    for r in plan["conflicts"]:
        there = ", ".join(f"{x['type']} {x['content']}{_kept_elsewhere(x['mark'])}" for x in r["live"])
        lines.append(f"  ! conflict {r['name']}: wanted {r['type']} {r['content']}, there is {there}")
    lines.append(f"  {plan['unchanged']} as wanted, {plan['foreign']} not ours")
    if plan["reckless"]:
        lines.append("  This is a large part of our records: it needs --yes.")
    return "\n".join(lines)


def _kept_elsewhere(install: str | None) -> str:
    return f" (installation {install})" if install else ""


@dns.command()
@click.option("--yes", is_flag=True, help="Also carry out a plan that changes a large part of our records.")
@click.option("--plan", "plan_hash", help="Carry out only the plan with this hash.")
@as_json
def sync(yes: bool, plan_hash: str | None, as_json: bool) -> None:
    """Run one round now; exit code 1 if any row is not settled afterwards."""
    with reading() as session:
        zones = [(c.id, c.zone_name, c.active) for c in ledger.connections(session)]
    rounds, problems = _rounds(), []
    for connection_id, _, active in zones:
        report = rounds.sync(
            connection_id, approve=_approval(yes), expect=plan_hash if active else None, by=actor()
        )
        if report.error is not None:
            problems.append(report.error.message)
    rounds.let_go()
    with reading() as session:
        left = ledger.unsettled(session)
    facts = {"zones": [name for _, name, _ in zones], "unsettled": left, "errors": problems}
    sentence = "Everything is settled." if not left else f"{left} records are not settled."
    say(facts, "\n".join([*problems, sentence]), as_json=as_json)
    if left or problems:
        raise SystemExit(1)


def _approval(yes: bool) -> Any:
    def approve(_plan: Plan) -> bool:
        return yes

    return approve


@dns.command()
@click.argument("name", required=False)
@click.option("--marked", is_flag=True, help="All names whose records an earlier installation keeps.")
@click.option("--of", "install", help="Which installation, as the comments at the provider name it.")
@as_json
def adopt(name: str | None, marked: bool, install: str | None, as_json: bool) -> None:
    """Make the record that stands in the way of NAME ours; with --marked those of a lost database."""
    connection_id, _ = _active()
    rounds = _rounds()
    if marked:
        rounds.sync(connection_id)  # nothing is changed that is not ours; it finds out what is in the way
        waiting, what = _kept_by(install)
    elif name:
        waiting, what = _in_the_way_of(parse_name(name))
    else:
        raise InvalidInput("Name a record to adopt, or say --marked.")
    for row_id, seen in waiting:
        service.answer(row_id, Answer.ADOPT, seen, at=now())
    report = rounds.sync(connection_id)
    if report.error is not None:
        raise report.error
    with reading() as session:
        answered = [ledger.record(session, row_id) for row_id, _ in waiting]
        left = [row for row in answered if row.status is not Status.SYNCED]
    if left:
        raise ForgeError(left[0].error or f"{left[0].fqdn} could not be adopted yet. It is tried again.")
    say({"adopted": what, "records": len(waiting)}, f"Adopted {what}.", as_json=as_json)


def _in_the_way_of(fqdn: str) -> tuple[list[tuple[int, str]], str]:
    """The conflicts of one name, as they were last seen."""
    with reading() as session:
        rows = [r for r in ledger.by_fqdn(session, [fqdn]) if r.status is Status.CONFLICT]
        # What else is in the way of the name is freed by adopting these.
        adoptable = [row for row in rows if row.is_adoptable]
        waiting = [(row.id, row.answered) for row in adoptable or rows]
    if not waiting:
        raise NotFound(f"No conflict is known for {fqdn}. Run «dns sync» or «dns plan» first.")
    return waiting, fqdn


def _kept_by(install: str | None) -> tuple[list[tuple[int, str]], str]:
    """The conflicts with one other installation of ours. Without a name for it there may only be one."""
    with reading() as session:
        found = [r for r in ledger.wanted(session) if r.status is Status.CONFLICT and r.is_adoptable]
        marks = {row.id: row.seen[0]["mark"] for row in found if row.seen and row.seen[0]["mark"]}
        installs = set(marks.values())
        chosen = install or (next(iter(installs)) if len(installs) == 1 else None)
        waiting = [(row.id, row.answered) for row in found if chosen and marks.get(row.id) == chosen]
    if len(installs) > 1 and install is None:
        raise InvalidInput(
            f"Several installations keep such records: {', '.join(sorted(installs))}. Add --of."
        )
    if not waiting:
        raise NotFound("No name of ours has a record that an earlier installation keeps.")
    return waiting, f"{len(waiting)} record{'' if len(waiting) == 1 else 's'} of installation {chosen}"


@dns.command()
@click.option("--provider", default="cloudflare", show_default=True)
@as_json
def zones(provider: str, as_json: bool) -> None:
    """List the zones that the saved credentials can see."""
    credentials = service.saved_credentials(provider)
    if credentials is None:
        raise InvalidInput("No API token is saved for this provider.")
    found = service.list_zones(provider, credentials, api_url=_config().cloudflare_api_url)
    rows = [{"name": z.name, "id": z.id, "status": z.status, "plan": z.plan} for z in found]
    table(rows, ("name", "id", "status", "plan"), as_json=as_json, empty="The token sees no zone.")


def _active() -> tuple[int, str]:
    with reading() as session:
        connection: Connection | None = ledger.active_connection(session)
        if connection is None:
            raise NotFound("The wildcard is in use, so there are no records to plan.")
        return connection.id, connection.zone_name


def _rounds() -> Rounds:
    config = _config()
    return Rounds(f"command-{os.getpid()}", config.cloudflare_api_url, timedelta(seconds=config.check_every))


def _config() -> Config:
    config: Config = current_app.config["FORGE"]
    return config
