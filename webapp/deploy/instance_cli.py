"""`tiny-forge deploy` and `instance`: what is done with instances, on the command line."""

import click
from flask.cli import AppGroup, with_appcontext

from webapp.db import now, reading
from webapp.deploy import dashboard, rows, service
from webapp.deploy.actions import Action, Kind
from webapp.deploy.follow import follow
from webapp.deploy.logs import read as read_log
from webapp.deploy.models import VersionState
from webapp.deploy.power import parse_tag
from webapp.errors import ForgeError, InvalidInput
from webapp.health import worker_is_alive
from webapp.terminal import as_json, confirm, say, table

instance = AppGroup("instance", help="Instances: the running copies of apps.")


@click.command()
@click.argument("target", metavar="APP[/INSTANCE]")
@click.option("--tag", default="", help="Another tag than the usual one.")
@click.option("--wait", is_flag=True, help="Wait for its end; exit code 1 when it fails.")
@as_json
@with_appcontext
def deploy(target: str, tag: str, wait: bool, as_json: bool) -> None:
    """Deploy a new version of an app."""
    with reading() as session:
        found = rows.instance_by_name(session, target)
    _needs_worker(wait)
    action = service.deploy(found.id, parse_tag(tag) if tag else "", by="command line", at=now())
    _told(action, wait, as_json, f"Deploying {action.reference} to {found.fqdn}.")


@instance.command("list")
@as_json
def list_instances(as_json: bool) -> None:
    """List instances."""
    with reading() as session:
        found = [
            dashboard.facts(line) for app_line in dashboard.everything(session) for line in app_line.instances
        ]
    columns = ("instance", "name", "version", "image", "state", "why")
    table(found, columns, as_json=as_json, empty="No instances yet.")


@instance.command()
@click.argument("target", metavar="APP[/INSTANCE]")
@click.option("--tail", default=100, show_default=True, type=click.IntRange(1, 5000))
@click.option("--timestamps", is_flag=True)
@as_json
def logs(target: str, tail: int, timestamps: bool, as_json: bool) -> None:
    """Show the last lines of its container's log."""
    with reading() as session:
        version = rows.current_version(session, rows.instance_by_name(session, target).id)
    for line in read_log(version, tail):
        if as_json:
            say({"at": line.at, "text": line.text, "error": line.is_error}, "", as_json=True)
        else:
            click.echo(f"{line.at:%Y-%m-%dT%H:%M:%SZ} {line.text}" if timestamps and line.at else line.text)


def _operation(kind: Kind, text: str) -> None:
    @instance.command(str(kind), help=f"{text} an instance.")
    @click.argument("target", metavar="APP[/INSTANCE]")
    @click.option("--wait", is_flag=True, help="Wait for its end; exit code 1 when it fails.")
    @as_json
    def operate(target: str, wait: bool, as_json: bool) -> None:
        with reading() as session:
            found = rows.instance_by_name(session, target)
        _needs_worker(wait)
        action = service.operate(found.id, kind, by="command line", at=now())
        _told(action, wait, as_json, f"{text}: {found.title}.")


for _kind, _text in ((Kind.START, "Start"), (Kind.STOP, "Stop"), (Kind.RESTART, "Restart")):
    _operation(_kind, _text)


@instance.command()
@click.argument("target", metavar="APP[/INSTANCE]")
@click.option("--to", "number", type=int, help="Number of the version; the one before when left out.")
@click.option("--wait", is_flag=True, help="Wait for its end; exit code 1 when it fails.")
@as_json
def rollback(target: str, number: int | None, wait: bool, as_json: bool) -> None:
    """Go back to a kept version."""
    with reading() as session:
        found = rows.instance_by_name(session, target)
        kept = [v for v in rows.versions(session, [found.id]) if v.state is VersionState.KEPT]
        kept.sort(key=lambda v: v.current_since or v.created_at, reverse=True)
    chosen = next((v for v in kept if number is None or v.number == number), None)
    if chosen is None:
        known = ", ".join(str(v.number) for v in kept) or "none"
        raise InvalidInput(f"There is no such version to go back to. Kept: {known}.")
    _needs_worker(wait)
    action = service.roll_back(found.id, chosen.id, by="command line", at=now())
    _told(action, wait, as_json, f"Going back to version {chosen.number} of {found.title}.")


@instance.command()
@click.argument("target", metavar="APP[/INSTANCE]")
@click.option("--volumes", is_flag=True, help="Its volumes too, with everything in them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Wait for its end; exit code 1 when it fails.")
@as_json
def remove(target: str, volumes: bool, yes: bool, wait: bool, as_json: bool) -> None:
    """Remove an instance with its host, name and containers."""
    with reading() as session:
        found = rows.instance_by_name(session, target)
    confirm(yes, f"Remove {found.title} with {found.fqdn}{' and its volumes' if volumes else ''}?")
    _needs_worker(wait)
    action = service.remove(found.id, volumes=volumes, by="command line", at=now())
    _told(action, wait, as_json, f"{found.title} is being removed.")


def _told(action: Action, wait: bool, as_json: bool, sentence: str) -> None:
    """Say what was begun, or follow it to its end."""
    if wait:
        raise SystemExit(follow(action.id, as_json=as_json))
    say({"action": action.id, "kind": action.kind, "title": action.title}, sentence, as_json=as_json)


def _needs_worker(wait: bool) -> None:
    with reading() as session:
        alive = worker_is_alive(session)
    if alive:
        return
    hint = "No worker is running: start «tiny-forge serve»."
    if wait:
        raise ForgeError(f"{hint} Waiting would be in vain.")
    click.echo(f"{hint} It is done as soon as one runs.", err=True)
