"""`tiny-forge settings` and `tiny-forge doctor`."""

import sys
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from werkzeug.datastructures import MultiDict

from webapp.config import Config
from webapp.db import now, reading
from webapp.dns.providers.base import Finding
from webapp.errors import InvalidInput
from webapp.health import worker_is_alive
from webapp.settings import probes, service
from webapp.settings.forms import SettingsForm, zone_value
from webapp.terminal import as_json, checked, say, table

settings = AppGroup("settings", help="Show and change the settings.")
SECRET = ("npm_password", "token")
HIDDEN = (*SECRET, "version", "zone_id", "zone_name", "csrf_token")
YES, NO = {"yes", "true", "on", "1"}, {"no", "false", "off", "0"}


@settings.command()
@as_json
def show(as_json: bool) -> None:
    """Show the settings; secrets only as saved or not."""
    facts = _values(_form(None))
    now_saved = service.current()
    facts |= {"npm_password": _saved(now_saved.npm_password_saved), "token": _saved(now_saved.token_saved)}
    facts |= {"watch_seen_at": now_saved.watch.looked_at or "", "watch_message": now_saved.watch.message}
    width = max(map(len, facts))
    lines = "\n".join(f"{name.ljust(width)}  {value}" for name, value in facts.items())
    say(facts, lines, as_json=as_json)


@settings.command("set")
@click.argument("pairs", nargs=-1, required=True, metavar="KEY=VALUE...")
@click.option("--yes", is_flag=True, help="Also when records are going to be created, changed or deleted.")
@as_json
def set_(pairs: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Change settings, with the same checks as the settings page. KEY=- reads the value from standard input."""
    start = _form(None)
    values = {
        field.name: field.data for field in start if field.name not in HIDDEN or field.name == "version"
    }
    for pair in pairs:
        key, value = _pair(pair, start)
        values[key] = value
    form = _form(_as_browser(values))
    if "zone" in {pair.partition("=")[0] for pair in pairs}:
        _look_up_zone(form)
    checked(form)
    wish = form.wish()
    preview = service.preview(wish)
    if preview.asks and not yes:
        raise InvalidInput(
            f"This creates {preview.creates}, changes {preview.updates} and deletes {preview.deletes} records, and "
            f"leaves {len(preview.outside)} names without one. Add --yes to do it."
        )
    service.save(wish, version=form.version.data, at=now())
    say({"saved": [p.partition("=")[0] for p in pairs]}, "The settings are saved.", as_json=as_json)


@click.command()
@as_json
@with_appcontext
def doctor(as_json: bool) -> None:
    """Check every connection; exit code 1 when one does not work."""
    with reading() as session:
        alive = worker_is_alive(session)
    saved, form = service.current(), _form(None)
    findings = [
        Finding("Database", True, "The database can be read and written."),
        Finding("Worker", alive, "A worker is running." if alive else "No worker is running: start «serve»."),
    ]
    findings += probes.npm(form) if saved.npm_url else [Finding("Nginx Proxy Manager", None, "Not set up.")]
    if saved.mode == "managed":
        findings += probes.test_dns(form, _config().cloudflare_api_url)
    else:
        findings.append(Finding("DNS", None, "The wildcard is in use, so no provider is needed."))
    findings += probes.container_engine()
    rows = [{"check": f.name, "result": _result(f), "message": f.message} for f in findings]
    table(rows, ("check", "result", "message"), as_json=as_json, empty="Nothing to check.")
    if any(f.passed is False for f in findings):
        raise SystemExit(1)


def _result(finding: Finding) -> str:
    return "skipped" if finding.passed is None else "ok" if finding.passed else "failed"


def _saved(saved: bool) -> str:
    return "saved" if saved else "not set"


def _pair(pair: str, form: SettingsForm) -> tuple[str, Any]:
    key, equals, value = pair.partition("=")
    if not equals or key not in form or key in {"version", "csrf_token"}:
        known = ", ".join(sorted(f.name for f in form if f.name not in {"version", "csrf_token"}))
        raise InvalidInput(f"«{key}» is not a setting. Write KEY=VALUE with one of: {known}.")
    if value == "-":
        value = sys.stdin.readline().rstrip("\r\n")
    if form[key].type != "BooleanField":
        return key, value
    if value.lower() not in YES | NO:
        raise InvalidInput(f"{key} must be yes or no.")
    return key, value.lower() in YES


def _as_browser(values: dict[str, Any]) -> MultiDict[str, str]:
    """Values as a browser sends them: switches that are off are left out."""
    return MultiDict({name: str(value) for name, value in values.items() if value not in (None, False)})


def _look_up_zone(form: SettingsForm) -> None:
    """A zone may be given by its name; its id comes from the account."""
    if form.chosen_zone() is not None or not form.zone.data:
        return
    found = [zone for zone in probes.zones(form, _config().cloudflare_api_url) if zone.name == form.zone.data]
    if not found:
        raise InvalidInput(f"zone: the token cannot see a zone called {form.zone.data}.")
    form.zone.data = zone_value(found[0])


def _form(data: Any) -> SettingsForm:
    config = _config()
    return SettingsForm.over(data, practice=config.sandbox or config.testing, csrf=False)


def _values(form: SettingsForm) -> dict[str, Any]:
    facts = {field.name: field.data for field in form if field.name not in HIDDEN}
    return {name: value if value is not None else "" for name, value in facts.items()}


def _config() -> Config:
    config: Config = current_app.config["FORGE"]
    return config
