"""The history page: what was changed at providers, when, why and by whom; and how to put it back."""

from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from webapp.db import now, reading
from webapp.dns import ledger, undo
from webapp.dns.history import filters_from, history
from webapp.dns.journal import Kind, Result
from webapp.dns.models import ConsumerType
from webapp.dns.views import changed
from webapp.errors import Busy
from webapp.ui import current_args, go, show

blueprint = Blueprint("history", __name__, url_prefix="/dns/history")


@blueprint.get("")
def index() -> Response:
    """The list; filters live in the address."""
    return show("dns/history.html", "dns/_history.html", **_everything())


def _everything() -> dict[str, Any]:
    filters = filters_from(current_args())
    with reading() as session:
        active = ledger.active_connection(session)
        return {
            "filters": filters,
            "page": history(session, filters),
            "active_zone": active.zone_name if active else None,
            "kinds": list(Kind),
            "results": list(Result),
            "consumers": list(ConsumerType),
        }


@blueprint.get("/<int(max=2147483647):change_id>/undo")
def confirm(change_id: int) -> Response:
    """Show what putting the change back means, and ask."""
    change, problem = undo.entry(change_id), undo.problem(change_id)
    return show("dns/undo.html", change=change, problem=problem, present=undo.present(change_id))


@blueprint.post("/<int(max=2147483647):change_id>/undo")
def put_back(change_id: int) -> AnyResponse:
    """Make the reverse wish."""
    change = undo.undo(change_id, at=now())
    flash(f"The record of {change.fqdn} is being put back.", "success")
    return go(url_for("dns.index", q=change.fqdn))


@blueprint.post("/records/<int(max=2147483647):record_id>/follow")
def follow(record_id: int) -> AnyResponse:
    """Have a record follow the settings again, or let go of one that was put back by hand."""
    row = undo.unpin(record_id, shown=request.form.get("name"), at=now())
    if row.wanted and row.next_try_at is None:
        raise Busy(f"The record of {row.fqdn} follows the settings already.")
    told = f"{row.fqdn} follows the settings again." if row.wanted else f"{row.fqdn} is let go."
    return changed("dns/_table.html", told)
