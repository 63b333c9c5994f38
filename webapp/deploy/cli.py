"""`tiny-forge app`: apps on the command line, with the form's validation."""

import sys
from collections.abc import Callable
from typing import Any

import click
from flask.cli import AppGroup
from werkzeug.datastructures import MultiDict

from webapp.db import now, reading
from webapp.deploy import apps, dashboard, rows, service
from webapp.deploy.encryption import asking
from webapp.deploy.forms import app_fields, make_app_form
from webapp.deploy.lines import read_env, write_pairs
from webapp.deploy.models import App
from webapp.terminal import as_json, checked, confirm, say, table

app = AppGroup("app", help="Apps: what is deployed.")

PLAIN = (
    "image", "tag", "port", "subdomain", "command", "memory", "cpus", "pids", "restart", "reach", "network",
    "publish-on", "host-port", "scheme", "check-kind", "check-path", "check-status", "check-interval",
    "check-timeout", "check-start-period", "strategy", "drain", "stop-seconds", "versions-kept",
    "registry-user", "certificate-id", "dns-proxied", "dns-ttl",
)  # fmt: skip
SWITCHES = (
    "drop-all", "ssl-forced", "http2-support", "hsts-enabled", "hsts-subdomains", "allow-websocket-upgrade",
    "block-exploits", "use-dns",
)  # fmt: skip
LISTS = {"env": "env", "volume": "mounts", "label": "labels"}


def fields(command: Callable[..., None]) -> Callable[..., None]:
    """The options that stand for the form's fields."""
    for name in reversed(PLAIN):
        command = click.option(f"--{name}", name.replace("-", "_"))(command)
    for name in SWITCHES:
        command = click.option(f"--{name}/--no-{name}", name.replace("-", "_"), default=None)(command)
    for option, name in LISTS.items():
        help_ = "May be given more than once; replaces what was there."
        command = click.option(f"--{option}", name, multiple=True, help=help_)(command)
    command = click.option(
        "--secret", "secrets", multiple=True, metavar="KEY", help="Value from standard input."
    )(command)
    return click.option("--registry-password", is_flag=True, help="Read it from standard input.")(command)


@app.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List apps with their instances."""
    with reading() as session:
        lines = dashboard.everything(session)
        rows_ = [dashboard.facts(line) for app_line in lines for line in app_line.instances]
        bare = [{"instance": line.app.slug, "name": None} for line in lines if not line.instances]
    columns = ("instance", "name", "version", "image", "state", "reachable")
    table(rows_ + bare, columns, as_json=as_json, empty="No apps yet.")


@app.command()
@click.argument("slug")
@fields
@as_json
def create(slug: str, as_json: bool, **options: Any) -> None:
    """Add the app SLUG, with its first instance."""
    blank = make_app_form(None, csrf=False)
    start = {field.name: field.data for field in blank} | {"slug": slug}
    form = _form(start, None, options)
    made = apps.add_app(form.wish(), form.fqdn, then=asking(form), at=now())
    say(
        {"app": made.slug, "id": made.id},
        f"{made.slug} is added. Deploy it with: deploy {slug}",
        as_json=as_json,
    )


@app.command()
@click.argument("slug")
@fields
@as_json
def update(slug: str, as_json: bool, **options: Any) -> None:
    """Change the app SLUG; what is not given stays."""
    with reading() as session:
        found = rows.app_by_slug(session, slug)
        start = app_fields(found)
    form = _form(start, found, options)
    apps.change_app(found.id, form.wish(), version=form.version.data, then=asking(form), at=now())
    say({"app": slug, "id": found.id}, f"{slug} is saved.", as_json=as_json)


@app.command()
@click.argument("slug")
@click.option("--volumes", is_flag=True, help="Its volumes too, with everything in them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
def delete(slug: str, volumes: bool, yes: bool, as_json: bool) -> None:
    """Remove the app SLUG with its instances, hosts, names and containers."""
    with reading() as session:
        found = rows.app_by_slug(session, slug)
        names = ", ".join(one.fqdn for one in found.instances) or "nothing else"
    confirm(yes, f"Remove {slug} with {names}{' and its volumes' if volumes else ''}?")
    actions = service.remove_app(found.id, volumes=volumes, by="command line", at=now())
    say({"app": slug, "actions": [a.id for a in actions]}, f"{slug} is being removed.", as_json=as_json)


def _form(start: dict[str, Any], found: App | None, options: dict[str, Any]) -> Any:
    """The page's form over the given values; a switch that is off is left out, as browsers do."""
    secrets = read_env(start.get("secrets") or "") | {key: _secret(key) for key in options.pop("secrets")}
    password = options.pop("registry_password")
    given = {
        name: "\n".join(v) if isinstance(v, tuple) else v
        for name, v in options.items()
        if v not in (None, ())
    }
    values = start | given | {"secrets": write_pairs(secrets)}
    if password:
        values["registry_password"] = _secret("the registry password")
    sent = {name: str(value) for name, value in values.items() if value is not None and value is not False}
    form = make_app_form(MultiDict(sent), found, csrf=False)
    checked(form)
    return form


def _secret(name: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"Value of {name}", hide_input=True))
    return sys.stdin.readline().rstrip("\r\n")
