"""The pages of adoption: hosts in Nginx Proxy Manager that are not ours, and the review of one of them."""

from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from webapp.db import now, reading
from webapp.errors import Busy, InvalidInput
from webapp.proxy import adoption, outcomes, service
from webapp.ui import go, show

blueprint = Blueprint("adoption", __name__, url_prefix="/proxies/adopt")


@blueprint.get("")
def index() -> Response:
    """Every host that is not ours, as last read."""
    with reading() as session:
        npm = service.npm_settings_or_none(session)
        return show("proxy/adopt.html", None, candidates=adoption.candidates(session), npm=npm)


@blueprint.post("/read")
def read() -> AnyResponse:
    """Have the list read again."""
    outcomes.look_again()
    flash("Nginx Proxy Manager is being read. Reload this page in a moment.", "success")
    return go(url_for("adoption.index"))


@blueprint.get("/<int:npm_host_id>")
def review(npm_host_id: int) -> Response:
    """What would be taken over from one of them."""
    return _review(npm_host_id)


@blueprint.post("/<int:npm_host_id>")
def adopt(npm_host_id: int) -> AnyResponse:
    """Adopt it as it was shown; one that changed since is shown anew."""
    use_dns = request.form.get("use_dns") == "y"
    shown = request.form.get("shown", "")
    try:
        host = adoption.adopt(npm_host_id, shown=shown, use_dns=use_dns, at=now())
    except (Busy, InvalidInput) as error:
        return _review(npm_host_id, status=error.status, problem=error.message, use_dns=use_dns)
    flash(f"{host.fqdn} is being adopted.", "success")
    return go(url_for("proxy.index"))


def _review(npm_host_id: int, status: int = 200, **page: Any) -> Response:
    with reading() as session:
        found = adoption.candidate(session, npm_host_id)
        values = adoption.taken_over(session, found.facts)
    known: dict[str, Any] = {"problem": None, "use_dns": True} | page
    return show(
        "proxy/adopt_review.html",
        "proxy/_adopt_review.html",
        status=status,
        found=found,
        values=values,
        **known,
    )
