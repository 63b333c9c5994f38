"""The proxies page: list, create, edit, turn on and off, remove."""

from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from webapp.db import now, reading
from webapp.dns import ledger
from webapp.dns.models import ConsumerType
from webapp.errors import Busy, InvalidInput, Stale
from webapp.paging import page_from
from webapp.proxy import drift, listing, service
from webapp.proxy.certificates import listing as certificates
from webapp.proxy.certificates import service as requests
from webapp.proxy.certificates.holders import encryption_of
from webapp.proxy.certificates.models import Holder
from webapp.proxy.forms import ProxyForm, as_fields, encrypted, make_form
from webapp.proxy.models import HostStatus
from webapp.ui import announce, current_args, go, go_back, show, wants_fragment

blueprint = Blueprint("proxy", __name__, url_prefix="/proxies")


@blueprint.get("")
def index() -> Response:
    """The list; filters live in the address."""
    return show("proxy/page.html", "proxy/_list.html", **listing_asked())


@blueprint.get("/new")
def new() -> Response:
    """An empty form."""
    return show("proxy/edit.html", "proxy/_form.html", form=make_form(None), proxy=None)


@blueprint.post("/new")
def create() -> AnyResponse:
    """Make a proxy."""
    form = make_form(request.form)
    if not form.validate():
        return show("proxy/edit.html", "proxy/_form.html", status=422, form=form, proxy=None)
    try:
        host = service.create(form.wish(), then=encrypted(form), at=now())
    except (Busy, InvalidInput) as error:
        return refused(form, error, None)
    flash(f"{host.fqdn} is on its way.", "success")
    return go(url_for("proxy.index"))


@blueprint.get("/<int:proxy_id>")
def edit(proxy_id: int) -> Response:
    """The form of one proxy, with what is known about it."""
    with reading() as session:
        host = service.get(session, proxy_id)
        form = make_form(None, as_fields(host))
        records = ledger.by_consumer(session, host.consumer)
        answer = drift.answers(session, [host]).get(host.id)
        page: dict[str, Any] = {"form": form, "proxy": host, "records": records, "answer": answer}
        page["asked"] = requests.of_holders(session, Holder.PROXY, [host.id]).get(host.id)
        return show("proxy/edit.html", "proxy/_form.html", **page)


@blueprint.post("/<int:proxy_id>")
def update(proxy_id: int) -> AnyResponse:
    """Save a changed proxy."""
    with reading() as session:
        host = service.get(session, proxy_id)
        shown = {"id": host.id, "fqdn": host.fqdn}
        form = make_form(request.form, encryption_of(host))
    if not form.validate():
        return show("proxy/edit.html", "proxy/_form.html", status=422, form=form, proxy=shown)
    try:
        wish, version = form.wish(), form.version.data
        service.update(proxy_id, wish, version=version, then=encrypted(form), at=now())
    except (Busy, InvalidInput) as error:
        return refused(form, error, shown)
    flash(f"{form.fqdn} is saved.", "success")
    return go(url_for("proxy.index"))


@blueprint.get("/<int:proxy_id>/remove")
def ask_remove(proxy_id: int) -> Response:
    """What will go, before it goes."""
    with reading() as session:
        host = service.get(session, proxy_id)
        records = ledger.by_consumer(session, host.consumer)
        return show("proxy/remove.html", None, proxy=host, records=records)


@blueprint.post("/<int:proxy_id>/remove")
def remove(proxy_id: int) -> AnyResponse:
    """Give up host and name."""
    host = service.remove(proxy_id, at=now())
    flash(f"{host.fqdn} is being removed.", "success")
    return go(url_for("proxy.index"))


@blueprint.post("/<int:proxy_id>/enable")
def enable(proxy_id: int) -> AnyResponse:
    """Serve it again."""
    return done(f"{service.switch(proxy_id, enabled=True, at=now()).fqdn} is being turned on.")


@blueprint.post("/<int:proxy_id>/disable")
def disable(proxy_id: int) -> AnyResponse:
    """Stop serving it; its name stays."""
    return done(f"{service.switch(proxy_id, enabled=False, at=now()).fqdn} is being turned off.")


@blueprint.post("/<int:proxy_id>/retry")
def retry(proxy_id: int) -> AnyResponse:
    """Try again now."""
    return done(f"{service.retry(proxy_id, at=now()).fqdn} is tried again.")


def done(message: str) -> AnyResponse:
    """The list again, as a fragment for htmx, else by a redirect."""
    if wants_fragment():
        return announce(show("proxy/page.html", "proxy/_list.html", **listing_asked()), message)
    flash(message, "success")
    return go_back(url_for("proxy.index"))


def listing_asked() -> dict[str, Any]:
    """The list under the filters and the page of the address; as many queries, however many proxies there are."""
    args = current_args()
    text, status = args.get("q", "").strip(), args.get("status", "")
    with reading() as session:
        hosts, paging = listing.page(session, text, status, page_from(args.get("page", "")))
        claims = ledger.statuses(session, ConsumerType.STANDALONE, {h.id for h in hosts})
        tries = [row.next_try_at for rows in claims.values() for row in rows]
        return {
            "hosts": hosts,
            "paging": paging,
            "claims": claims,
            "answers": drift.answers(session, hosts),
            "missing": drift.missing(session),
            "npm": service.npm_settings_or_none(session),
            "certificates": certificates.by_id(session, now()),
            "requests": requests.of_holders(session, Holder.PROXY, {h.id for h in hosts}),
            "text": text,
            "chosen": status,
            "statuses": list(HostStatus),
            "pending": any(tries) or any(host.next_try_at for host in hosts),
        }


def refused(form: ProxyForm, error: Busy | InvalidInput, proxy: Any) -> Response:
    """The form again with what is wrong beside its field, or on top when the page is out of date."""
    if isinstance(error, Stale):
        form.form_errors.append(error.message)
    else:
        field = form._fields.get(getattr(error, "field", None), form.name)
        field.errors = [*field.errors, error.message]
    return show("proxy/edit.html", "proxy/_form.html", status=error.status, form=form, proxy=proxy)
