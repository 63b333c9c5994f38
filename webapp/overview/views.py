"""The overview page."""

from flask import Blueprint, Response, url_for

from webapp.db import now, reading
from webapp.deploy.views import config
from webapp.overview import service
from webapp.ui import show

blueprint = Blueprint("overview", __name__)


@blueprint.get("/")
def overview() -> Response:
    """Where a signed-in person lands."""
    with reading() as session:
        found = service.overview(session, now())
    return show(
        "overview/page.html", "overview/_state.html", found=found, apps=found.apps, engine=found.engine,
        busy=found.busy, total=found.total, poll=url_for("overview.overview"), docker_host=config().docker_host,
    )  # fmt: skip
