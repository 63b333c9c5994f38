"""The overview page."""

from flask import Blueprint, Response

from webapp.ui import show

blueprint = Blueprint("overview", __name__)


@blueprint.get("/")
def overview() -> Response:
    """Where a signed-in person lands."""
    return show("overview/page.html")
