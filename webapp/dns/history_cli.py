"""`tiny-forge dns history` and `dns undo`: the history of changes on the command line."""

from typing import Any

import click

from webapp.db import now, reading
from webapp.dns import undo as undoing
from webapp.dns.cli import dns
from webapp.dns.history import HistoryFilters, history
from webapp.dns.journal import Facts, Kind, RecordChange, Result
from webapp.terminal import as_json, say, table

__all__ = ["dns"]


@dns.command("history")
@click.option("--name", default="", help="Only changes of this name.")
@click.option("--kind", default="", type=click.Choice(["", *map(str, Kind)]))
@click.option("--result", default="", type=click.Choice(["", *map(str, Result)]))
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def history_(name: str, kind: str, result: str, limit: int, as_json: bool) -> None:
    """List what was changed at providers, the latest first."""
    with reading() as session:
        page = history(session, HistoryFilters(name=name, kind=kind, result=result), size=limit)
        rows = [_facts(change) for change in page.changes]
    columns = ("id", "at", "name", "kind", "old", "new", "result", "why", "by")
    table(rows, columns, as_json=as_json, empty="Nothing has been changed yet.")


def _facts(change: RecordChange) -> dict[str, Any]:
    consumer = f"{change.consumer_type} {change.consumer_id}" if change.consumer_type else None
    return {
        "id": change.id,
        "at": change.at.isoformat(timespec="seconds"),
        "name": change.fqdn,
        "zone": change.zone,
        "kind": str(change.kind),
        "before": change.before,
        "after": change.after,
        "old": _said(change.before),
        "new": _said(change.after),
        "result": str(change.result),
        "error": change.error,
        "why": change.why,
        "by": change.by or "the panel itself",
        "consumer": consumer,
    }


def _said(facts: Facts | None) -> str | None:
    return f"{facts['type']} {facts['content']}" if facts else None


@dns.command()
@click.argument("change_id", type=click.IntRange(1, 2**31 - 1))
@as_json
def undo(change_id: int, as_json: bool) -> None:
    """Put the record back to what it was before the change; the next round does it."""
    change = undoing.undo(change_id, at=now())
    say(
        {"name": change.fqdn, "change": change.id},
        f"The record of {change.fqdn} is being put back.",
        as_json=as_json,
    )
