"""The DNS records page: the table with its filters, the plan, and what can be done with a row."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from webapp.db import now, reading
from webapp.dns import ledger, service, wildcard
from webapp.dns.changes import Answer, digest
from webapp.dns.connections import Connection
from webapp.dns.desired import Mode
from webapp.dns.forms import LIVES, filters_from
from webapp.dns.listing import PAGE_SIZES, listing
from webapp.dns.models import ConsumerType, DnsSettings
from webapp.errors import InvalidInput
from webapp.ui import announce, current_args, go_back, show, tell_news, wants_fragment

AT_WORK = ("requested", "apply")
TYPES = ("A", "AAAA", "CNAME", "TXT", "MX", "NS", "SRV", "CAA")

blueprint = Blueprint("dns", __name__, url_prefix="/dns")


@blueprint.get("")
def index() -> Response:
    """The table; filters live in the address. The rest of the page hears when it is out of date."""
    context = everything()
    response = show("dns/page.html", "dns/_table.html", **context)
    if not wants_fragment() or request.headers.get("X-Shown") == context["around"]:
        return response
    return tell_news(response)


@blueprint.get("/review")
def review() -> Response:
    """The plan as it stands; polled while the worker is at it. When it has changed, the table has news too."""
    context = everything()
    response = show("dns/page.html", "dns/_review.html", **context)
    as_before = request.headers.get("X-Shown") in (None, context["around"])
    if as_before or context["review_state"] in AT_WORK:
        return response
    return announce(response, refresh=True)


@blueprint.get("/connections")
def connections() -> Response:
    """Zones in use and zones that are being left."""
    return show("dns/page.html", "dns/_connections.html", **everything())


@blueprint.post("/check")
def check() -> AnyResponse:
    """Have the provider listed, or the wildcard looked up."""
    with reading() as session:
        settings = ledger.settings_or_none(session)
        wild = settings is None or settings.mode is Mode.WILDCARD
    if wild:
        wildcard.request_check()
        return changed("dns/_connections.html", "The wildcard is being looked up.")
    service.request_check(at=now())
    return changed("dns/_review.html", "The provider is being read.")


@blueprint.post("/apply")
def apply() -> AnyResponse:
    """Carry out the plan that was shown."""
    service.request_apply(request.form.get("hash", ""))
    return changed("dns/_review.html", "The plan is being applied.")


@blueprint.post("/dismiss")
def dismiss() -> AnyResponse:
    """Put the plan away."""
    service.dismiss_review()
    return changed("dns/_review.html", "The plan is put away.")


@blueprint.post("/records/<int(max=2147483647):record_id>/retry")
def retry(record_id: int) -> AnyResponse:
    """Try a row again now."""
    row = service.retry(record_id, at=now())
    return changed("dns/_table.html", f"{row.fqdn} is tried again.")


@blueprint.post("/records/<int(max=2147483647):record_id>/answer")
def answer(record_id: int) -> AnyResponse:
    """Decide a conflict."""
    try:
        decision = Answer(request.form.get("answer", ""))
    except ValueError:
        raise InvalidInput("Answer with adopt, replace or leave.") from None
    row = service.answer(record_id, decision, request.form.get("seen", ""), at=now())
    words = {
        Answer.ADOPT: "is being adopted",
        Answer.REPLACE: "is being replaced",
        Answer.LEAVE: "is left as it is",
    }
    return changed("dns/_table.html", f"{row.fqdn} {words[decision]}.")


@blueprint.post("/connections/<int(max=2147483647):connection_id>/abandon")
def abandon(connection_id: int) -> AnyResponse:
    """Leave an old zone as it is."""
    zone = service.abandon(connection_id)
    return changed("dns/_connections.html", f"{zone} is abandoned; its records stay as they are.")


def changed(fragment: str, message: str) -> AnyResponse:
    """The part of the page that changed for htmx, else the page again by a redirect."""
    if wants_fragment():
        return tell_news(announce(show("dns/page.html", fragment, **everything()), message))
    flash(message, "success")
    return go_back(url_for("dns.index"))


def everything() -> dict[str, Any]:
    """What the page shows, in a constant number of queries."""
    filters = filters_from(current_args())
    with reading() as session:
        settings = ledger.settings_or_none(session) or DnsSettings(mode=Mode.WILDCARD, base_domain="", ttl=1)
        page = listing(session, settings, filters)
        zones = ledger.connections(session)
        active = next((c for c in zones if c.active), None)
        retiring = [(c, ledger.waiting(session, c.id)) for c in zones if not c.active]
        return {
            "settings": settings,
            "filters": filters,
            "page": page,
            "active": active,
            "retiring": retiring,
            "around": around(active, retiring),
            "plan": active.review if active else None,
            "review_state": active.review_state if active else None,
            "pending": ledger.is_pending(session),
            "sizes": sorted(PAGE_SIZES),
            "lives": LIVES,
            "consumers": list(ConsumerType),
            "types": TYPES,
        }


def around(active: Connection | None, retiring: Sequence[tuple[Connection, int]]) -> str:
    """A fingerprint of what the page shows besides the table: plan, faults, zones that are being left."""
    plan = (active.review_state, (active.review or {}).get("hash"), active.error) if active else ()
    return digest([plan, [(zone.id, zone.error, left) for zone, left in retiring]])
