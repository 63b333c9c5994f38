"""The certificates page: what there is, what was asked for, and a form to ask for more."""

from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from webapp.db import now, reading
from webapp.dns import challenge, ledger
from webapp.errors import Busy, InvalidInput
from webapp.proxy.certificates import listing, service
from webapp.proxy.certificates.forms import RequestForm
from webapp.proxy.certificates.service import said
from webapp.proxy.service import npm_settings_or_none
from webapp.ui import announce, go, show, wants_fragment

blueprint = Blueprint("certificates", __name__, url_prefix="/certificates")


@blueprint.get("")
def index() -> Response:
    """The list, and the form."""
    return show("certificates/page.html", "certificates/_list.html", form=make_form(None), **page())


@blueprint.post("")
def ask() -> AnyResponse:
    """Ask for a certificate."""
    form = make_form(request.form)
    if not form.validate():
        return again(form, 422)
    try:
        row = service.ask(form.wish(), at=now())
    except (Busy, InvalidInput) as error:
        form.names.errors = [*form.names.errors, error.message]
        return again(form, error.status)
    flash(f"A certificate for {said(row.names)} is asked for.", "success")
    return go(url_for("certificates.index"))


@blueprint.post("/requests/<int:request_id>/retry")
def retry(request_id: int) -> AnyResponse:
    """Try again now."""
    return done(f"{said(service.retry(request_id, at=now()).names)} is tried again.")


@blueprint.post("/requests/<int:request_id>/forget")
def forget(request_id: int) -> AnyResponse:
    """Cancel a request, or put its story away."""
    return done(f"The request for {said(service.forget(request_id).names)} is gone.")


@blueprint.post("/<int:certificate_id>/renew")
def renew(certificate_id: int) -> AnyResponse:
    """Ask for a new certificate in place of this one."""
    return done(f"{said(service.renew(certificate_id, at=now()).names)} is being renewed.")


def make_form(data: Any, start: dict[str, Any] | None = None, *, csrf: bool = True) -> RequestForm:
    """The form over posted data."""
    with reading() as session:
        dns = ledger.settings_or_none(session)
        around = {"base": dns.base_domain if dns else "", "zone": challenge.zone_name(session)}
    return RequestForm(data, data=start, meta={} if csrf else {"csrf": False}, **around)


def again(form: RequestForm, status: int) -> Response:
    """The page with what is wrong in the form; as a fragment the form alone."""
    return show("certificates/page.html", "certificates/_form.html", status=status, form=form, **page())


def page() -> dict[str, Any]:
    """What the page shows; a constant number of queries, however many certificates there are."""
    with reading() as session:
        requests = service.requests(session)
        return {
            "lines": listing.lines(session, now()),
            "requests": requests,
            "npm": npm_settings_or_none(session),
            "pending": any(row.next_try_at for row in requests),
            "progress": listing.progress,
            "steps": listing.steps,
        }


def done(message: str) -> AnyResponse:
    """The list again, as a fragment for htmx, else by a redirect."""
    if wants_fragment():
        return announce(show("certificates/page.html", "certificates/_list.html", **page()), message)
    flash(message, "success")
    return go(url_for("certificates.index"))
