"""The settings page: save with a preview, and the buttons that test what is entered."""

from typing import Any

from flask import Blueprint, Response, current_app, flash, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from webapp.config import Config
from webapp.db import now
from webapp.errors import Busy, ForgeError, InvalidInput
from webapp.settings import probes, service
from webapp.settings.forms import SettingsForm
from webapp.ui import go, show

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


@blueprint.get("")
def index() -> Response:
    """The form, as it is saved."""
    return page(make_form(None))


@blueprint.post("")
def save() -> AnyResponse:
    """Save, or show first what saving would do to records."""
    form = make_form(request.form)
    if not form.validate():
        return page(form, status=422)
    wish = form.wish()
    try:
        preview = service.preview(wish)
        if preview.asks:
            draft = service.keep_draft(wish, version=form.version.data, at=now())
            return show(
                "settings/confirm.html", "settings/_confirm.html", preview=preview, wish=wish, draft=draft
            )
        service.save(wish, version=form.version.data, at=now())
    except (InvalidInput, Busy) as error:
        return refused(form, error)
    return saved()


@blueprint.post("/confirm")
def confirm() -> AnyResponse:
    """Save what was previewed."""
    try:
        service.confirm(request.form.get("draft", ""), at=now())
    except Busy as error:
        return refused(make_form(None), error)
    return saved()


@blueprint.post("/test/npm")
def test_npm() -> Response:
    """Sign in to Nginx Proxy Manager with what is entered."""
    form = make_form(request.form)
    findings = probes.npm(form)
    return result(form, "settings/_findings.html", findings=findings, place="npm")


@blueprint.post("/test/dns")
def test_dns() -> Response:
    """Prove the permissions of the token that is entered, or of the saved one."""
    form = make_form(request.form)
    findings = probes.test_dns(form, config().cloudflare_api_url)
    return result(form, "settings/_findings.html", findings=findings, place="dns")


@blueprint.post("/zones")
def zones() -> Response:
    """Fill the zone selector from the account."""
    form = make_form(request.form)
    problem = None
    try:
        form.offer_zones(probes.zones(form, config().cloudflare_api_url))
    except ForgeError as error:
        problem = error.message
    return result(form, "settings/_zone.html", zone_problem=problem, zone_by_hand=problem is not None)


@blueprint.post("/public-address")
def public_address() -> Response:
    """Propose the address under which the internet sees this machine."""
    form = make_form(request.form)
    found, problem = probes.public_address(config().address_sources)
    if found:
        form.ipv4.data = found.get(4, form.ipv4.data)
        form.ipv6.data = found.get(6, form.ipv6.data)
    return result(form, "settings/_addresses.html", address_problem=problem, address_found=found)


def config() -> Config:
    """What came from the environment."""
    found: Config = current_app.config["FORGE"]
    return found


def make_form(data: object) -> SettingsForm:
    """The form over posted data, or over what is saved."""
    return SettingsForm.over(data, practice=config().sandbox or config().testing)


def saved() -> AnyResponse:
    """Back to the page, with a word of success."""
    flash("The settings are saved.", "success")
    return go(url_for("settings.index"))


def refused(form: SettingsForm, error: InvalidInput | Busy) -> Response:
    """The form again, with the error beside its field or on top."""
    field = getattr(error, "field", None)
    if field in form:
        form[field].errors = [*form[field].errors, error.message]
    else:
        form.form_errors.append(error.message)
    return page(form, status=error.status)


def page(form: SettingsForm, status: int = 200, **context: Any) -> Response:
    """The whole page around a form."""
    return show("settings/page.html", "settings/_form.html", status=status, form=form, **context)


def result(form: SettingsForm, fragment: str, **context: Any) -> Response:
    """The answer of a button: its fragment, or the page with everything that was entered still in it."""
    return show("settings/page.html", fragment, form=form, **context)
