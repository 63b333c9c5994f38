"""What is done with one instance: deploy, go back, start, stop, restart, change, remove; its log and its usage."""

import re
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from webapp.db import now, reading
from webapp.deploy import apps, dashboard, rows, service
from webapp.deploy.actions import Kind
from webapp.deploy.connection import glance
from webapp.deploy.engine import LogLine
from webapp.deploy.forms import make_instance_form
from webapp.deploy.logs import read as read_log
from webapp.deploy.models import Instance, Version
from webapp.deploy.power import parse_tag
from webapp.deploy.views import beside, by, done, refuse_tag
from webapp.errors import Busy, EngineError, ForgeError, InvalidInput, NotFound
from webapp.proxy.drift_views import WORDS, answered
from webapp.proxy.instances import host_of
from webapp.ui import go, show

blueprint = Blueprint("instance", __name__, url_prefix="/instances")

TAILS = (100, 500, 2000)
KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")


def key() -> str | None:
    """What tells a double click from a second wish."""
    sent = request.form.get("key", "")
    return sent if KEY.fullmatch(sent) else None


@blueprint.get("/<int:instance_id>")
def show_instance(instance_id: int) -> AnyResponse:
    """An instance is shown on the page of its app."""
    with reading() as session:
        return go(url_for("deploy.app", slug=rows.instance(session, instance_id).app.slug))


@blueprint.post("/<int:instance_id>/deploy")
def deploy(instance_id: int) -> AnyResponse:
    """Deploy a tag; blank: the usual one."""
    tag = request.form.get("tag", "").strip()
    try:
        tag = parse_tag(tag) if tag else ""
    except InvalidInput as error:
        return refuse_tag(_instance(instance_id), tag, error.message)
    action = service.deploy(instance_id, tag, by=by(), key=key(), at=now())
    return go(url_for("action.show_action", action_id=action.id))


@blueprint.post("/<int:instance_id>/rollback")
def roll_back(instance_id: int) -> AnyResponse:
    """Go back to a kept version."""
    sent = request.form.get("version", "")
    version = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else 0
    action = service.roll_back(instance_id, version, by=by(), key=key(), at=now())
    return go(url_for("action.show_action", action_id=action.id))


@blueprint.post("/<int:instance_id>/start", defaults={"verb": "start"})
@blueprint.post("/<int:instance_id>/stop", defaults={"verb": "stop"})
@blueprint.post("/<int:instance_id>/restart", defaults={"verb": "restart"})
def operate(instance_id: int, verb: str) -> AnyResponse:
    """Start, stop or restart."""
    action = service.operate(instance_id, Kind(verb), by=by(), key=key(), at=now())
    doing = {"start": "started", "stop": "stopped", "restart": "restarted"}[verb]
    return done(action.title.partition("/")[0], f"{action.title} is being {doing}.")


@blueprint.post("/<int:instance_id>/host/restore", defaults={"verb": "restore"})
@blueprint.post("/<int:instance_id>/host/accept", defaults={"verb": "accept"})
def answer_host(instance_id: int, verb: str) -> AnyResponse:
    """What to do about a proxy host that somebody changed or deleted over there."""
    with reading() as session:
        found, host = rows.instance(session, instance_id), host_of(session, instance_id)
    if host is None:
        raise NotFound(f"{found.title} has no proxy host.")
    return done(found.app.slug, WORDS[verb].format(answered(verb, host.id).fqdn))


@blueprint.get("/<int:instance_id>/edit")
def edit(instance_id: int) -> Response:
    """The form of an instance."""
    found = _instance(instance_id)
    start = {"name": found.name, "fqdn": found.fqdn, "tag": found.tag}
    return _form(make_instance_form(None, found.app, start), found)


@blueprint.post("/<int:instance_id>/edit")
def update(instance_id: int) -> AnyResponse:
    """Save a changed instance; another name moves at once."""
    found = _instance(instance_id)
    form = make_instance_form(request.form, found.app)
    form.name.data = found.name
    if not form.validate():
        return _form(form, found, status=422)
    try:
        apps.change_instance(instance_id, form.tag.data, form.full_name, at=now())
    except (Busy, InvalidInput) as error:
        beside(form, error, "fqdn")
        return _form(form, found, status=error.status)
    flash(f"{found.title} is saved.", "success")
    return go(url_for("deploy.app", slug=found.app.slug))


def _form(form: Any, found: Instance, status: int = 200) -> Response:
    page = {"form": form, "app": found.app, "instance": found}
    return show("deploy/instance.html", "deploy/_instance_form.html", status=status, **page)


@blueprint.get("/<int:instance_id>/remove")
def ask_remove(instance_id: int) -> Response:
    """What goes with an instance."""
    with reading() as session:
        found = rows.instance(session, instance_id)
        line, versions = dashboard.of_instance(session, found), rows.versions(session, [instance_id])
        return show("deploy/remove_instance.html", None, line=line, app=found.app, versions=versions)


@blueprint.post("/<int:instance_id>/remove")
def remove(instance_id: int) -> AnyResponse:
    """Remove an instance."""
    volumes = request.form.get("volumes") == "y"
    action = service.remove(instance_id, volumes=volumes, by=by(), at=now())
    return go(url_for("action.show_action", action_id=action.id))


@blueprint.get("/<int:instance_id>/log")
def log(instance_id: int) -> Response:
    """The page of a container's log; the lines come by themselves."""
    found, version = _with_version(instance_id)
    return show("deploy/log.html", None, instance=found, version=version, tails=TAILS, **_asked())


@blueprint.get("/<int:instance_id>/log/lines")
def log_lines(instance_id: int) -> Response:
    """The lines themselves, asked from the engine."""
    found, version = _with_version(instance_id)
    lines, problem = _read_log(version, _asked()["tail"])
    read: dict[str, Any] = {"lines": lines, "problem": problem}
    page: dict[str, Any] = {"instance": found, "version": version, "tails": TAILS}
    return show("deploy/log.html", "deploy/_log.html", **page, **read, **_asked())


@blueprint.get("/<int:instance_id>/log/download")
def download(instance_id: int) -> Response:
    """The log as a text file."""
    found, version = _with_version(instance_id)
    lines, problem = _read_log(version, 5000)
    if problem:
        raise EngineError(problem)
    text = "".join(f"{_stamp(line.at)}{line.text}\n" for line in lines)
    name = f"{found.app.slug}-{found.name}-{now():%Y%m%d-%H%M%S}.log"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, mimetype="text/plain", headers=headers)


def _stamp(at: datetime | None) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ} " if at else ""


@blueprint.get("/<int:instance_id>/usage")
def usage(instance_id: int) -> Response:
    """Processor and memory at the moment, asked from the engine."""
    found, version = _with_version(instance_id)
    used, problem = None, None
    try:
        with glance() as engine:
            used = engine.usage(version.container_id) if version and version.container_id else None
    except ForgeError as error:
        problem = error.message
    return show("deploy/usage.html", "deploy/_usage.html", instance=found, usage=used, problem=problem)


def _read_log(version: Version | None, tail: int) -> tuple[list[LogLine], str | None]:
    try:
        return read_log(version, tail), None
    except ForgeError as error:
        return [], error.message


def _asked() -> dict[str, Any]:
    tail = request.args.get("tail", type=int, default=TAILS[0])
    return {
        "tail": tail if tail in TAILS else TAILS[0],
        "follow": request.args.get("follow", "1") == "1",
        "stamps": request.args.get("stamps") == "1",
    }


def _instance(instance_id: int) -> Instance:
    with reading() as session:
        found = rows.instance(session, instance_id)
        if found.removing:
            raise NotFound(f"{found.title} is being removed.")
        return found


def _with_version(instance_id: int) -> tuple[Instance, Version | None]:
    with reading() as session:
        return rows.instance(session, instance_id), rows.current_version(session, instance_id)
