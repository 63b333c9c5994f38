"""The app pages: list, add, change, remove; and one app with its instances, versions and history."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, flash, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from webapp.config import Config
from webapp.db import now, reading
from webapp.deploy import apps, dashboard, lines, rows, service
from webapp.deploy.encryption import asked_for, asking
from webapp.deploy.forms import AppForm, make_app_form, make_instance_form
from webapp.deploy.models import App, Instance, VersionState
from webapp.dns import ledger
from webapp.errors import Busy, InvalidInput, Stale
from webapp.paging import page_from
from webapp.proxy import drift
from webapp.ui import announce, current_args, go, show, wants_fragment

PAGE_SIZE = 50

blueprint = Blueprint("deploy", __name__, url_prefix="/apps")


def by() -> str:
    """Who asks."""
    return str(current_user.name)


@blueprint.get("")
def index() -> Response:
    """Every app."""
    return show("deploy/page.html", "deploy/_apps.html", **listing())


def listing() -> dict[str, Any]:
    """What the table of apps shows; the filter and the page live in the address."""
    args = current_args()
    text, page = args.get("q", "").strip().replace("\0", "")[:100], page_from(args.get("page", ""))
    with reading() as session:
        ids, paging = rows.apps_like(session, text, page, PAGE_SIZE)
        found = dashboard.some(session, ids)
        return {
            "apps": found,
            "text": text,
            "paging": paging,
            "engine": rows.engine_state_or_none(session),
            "docker_host": config().docker_host,
            "busy": any(line.is_busy for line in found),
        }


def config() -> Config:
    """What came from the environment."""
    found: Config = current_app.config["FORGE"]
    return found


@blueprint.get("/new")
def new() -> Response:
    """An empty form."""
    return form_page(make_app_form(None), None)


@blueprint.post("/new")
def create() -> AnyResponse:
    """Add an app with its first instance."""
    form = make_app_form(request.form)
    if not form.validate():
        return form_page(form, None, status=422)
    try:
        app = apps.add_app(form.wish(), form.fqdn, then=asking(form), at=now())
    except (Busy, InvalidInput) as error:
        return refused(form, error, None)
    flash(f"{app.slug} is added. Deploy it when you are ready.", "success")
    return go(url_for("deploy.app", slug=app.slug))


@blueprint.get("/<slug>")
def app(slug: str) -> Response:
    """One app."""
    return show("deploy/app.html", "deploy/_app.html", **app_page(slug))


def app_page(slug: str) -> dict[str, Any]:
    """What the page of an app shows."""
    with reading() as session:
        found = rows.app_by_slug(session, slug)
        line = dashboard.of_app(session, found)
        every = rows.versions(session, [one.id for one in found.instances])
        return {
            "line": line,
            "versions": dashboard.by_instance([one for one in every if one.state is not VersionState.NEW]),
            "history": rows.recent(session, found.id),
            "engine": rows.engine_state_or_none(session),
            "docker_host": config().docker_host,
            "takeover": dashboard.takeover_of(found),
            "headline": dashboard.headline,
            "answers": drift.answers(session, [one.host for one in line.instances if one.host]),
            "busy": line.is_busy,
            "refused": None,
        }


@dataclass(frozen=True)
class Refused:
    """A tag that cannot be deployed, as it was typed, and why."""

    instance: int
    tag: str
    message: str


def refuse_tag(instance: Instance, tag: str, message: str) -> Response:
    """The page of the app again, with what is wrong beside the tag."""
    page = app_page(instance.app.slug) | {"refused": Refused(instance.id, tag, message)}
    return show("deploy/app.html", "deploy/_app.html", status=422, **page)


@blueprint.get("/<slug>/edit")
def edit(slug: str) -> Response:
    """The form of an app."""
    found = _app(slug)
    return form_page(make_app_form(None, found), found)


@blueprint.post("/<slug>/edit")
def update(slug: str) -> AnyResponse:
    """Save a changed app."""
    found = _app(slug)
    form = make_app_form(request.form, found)
    form.slug.data = found.slug
    if not form.validate():
        return form_page(form, found, status=422)
    try:
        apps.change_app(found.id, form.wish(), version=form.version.data, then=asking(form), at=now())
    except (Busy, InvalidInput) as error:
        return refused(form, error, found)
    text = f"{found.slug} is saved. What concerns its containers takes effect with the next deploy."
    flash(text, "success")
    return go(url_for("deploy.app", slug=slug))


@blueprint.get("/<slug>/remove")
def ask_remove(slug: str) -> Response:
    """What goes with an app."""
    with reading() as session:
        found = rows.app_by_slug(session, slug)
        line = dashboard.of_app(session, found)
        versions = rows.versions(session, [one.id for one in found.instances])
        containers = sum(version.container_id is not None for version in versions)
        return show("deploy/remove_app.html", None, line=line,
                    versions=dashboard.by_instance(versions), containers=containers)  # fmt: skip


@blueprint.post("/<slug>/remove")
def remove(slug: str) -> AnyResponse:
    """Remove an app with everything that belongs to it."""
    volumes = request.form.get("volumes") == "y"
    actions = service.remove_app(_app(slug).id, volumes=volumes, by=by(), at=now())
    flash(f"{slug} is being removed." if actions else f"{slug} is removed.", "success")
    return go(url_for("deploy.index"))


@blueprint.get("/<slug>/instances/new")
def new_instance(slug: str) -> Response:
    """An empty form for another instance."""
    found = _app(slug)
    return show("deploy/instance.html", "deploy/_instance_form.html",
                form=make_instance_form(None, found), app=found, instance=None)  # fmt: skip


@blueprint.post("/<slug>/instances/new")
def create_instance(slug: str) -> AnyResponse:
    """Add an instance."""
    found = _app(slug)
    form = make_instance_form(request.form, found)
    page = {"form": form, "app": found, "instance": None}
    if not form.validate():
        return show("deploy/instance.html", "deploy/_instance_form.html", status=422, **page)
    try:
        made = apps.add_instance(found.id, form.name.data, form.tag.data, form.full_name, at=now())
    except (Busy, InvalidInput) as error:
        beside(form, error, "fqdn")
        return show("deploy/instance.html", "deploy/_instance_form.html", status=error.status, **page)
    flash(f"{slug}/{made.name} is added. Deploy it when you are ready.", "success")
    return go(url_for("deploy.app", slug=slug))


def _app(slug: str) -> App:
    with reading() as session:
        return rows.app_by_slug(session, slug)


def form_page(form: AppForm, app: App | None, status: int = 200) -> Response:
    """The page around the form."""
    retype = conceal(form) if request.method == "POST" else False
    with reading() as session:
        dns = ledger.settings_or_none(session)
    return show("deploy/edit.html", "deploy/_form.html", status=status, form=form, app=app, dns=dns,
                binds_dir=config().binds_dir, retype=retype, asked=asked_for(app))  # fmt: skip


def conceal(form: AppForm) -> bool:
    """Take what was typed as secrets out of the form; returns whether there was anything.

    A key whose value is lost by this stays without its equals sign, so that it is not taken for «keep the saved
    value». Text that is no list of keys is not shown at all, nor what the message says about it.
    """
    typed = form.secrets.data or ""
    try:
        pairs = lines.read_env(typed)
    except InvalidInput as error:
        line, colon, _ = error.message.partition(":")
        form.secrets.errors = [f"{line if colon else 'Secrets'}: write KEY=VALUE, and each key once."]
        saved = [entry["key"] for entry in form.app.env if entry["secret"]] if form.app else []
        form.secrets.data = "\n".join(saved)
        return True
    form.secrets.data = "\n".join(key if value else f"{key}=" for key, value in pairs.items())
    return any(pairs.values())


def refused(form: AppForm, error: Busy | InvalidInput, app: App | None) -> Response:
    """The form again with what is wrong beside its field, or on top when the page is out of date."""
    beside(form, error, "subdomain")
    return form_page(form, app, status=error.status)


def beside(form: Any, error: Busy | InvalidInput, otherwise: str) -> None:
    """Put an error beside the field it names."""
    if isinstance(error, Stale):
        form.form_errors.append(error.message)
        return
    name = getattr(error, "field", None)
    field = form[name if name and name in form else otherwise]
    field.errors = [*field.errors, error.message]


def done(slug: str, message: str) -> AnyResponse:
    """The app's page again, as a fragment for htmx, else by a redirect."""
    if wants_fragment():
        return announce(show("deploy/app.html", "deploy/_app.html", **app_page(slug)), message)
    flash(message, "success")
    return go(url_for("deploy.app", slug=slug))
