"""The buttons of a host that somebody changed or deleted over there: restore, accept."""

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from webapp.db import now
from webapp.errors import Busy
from webapp.proxy import drift
from webapp.proxy.models import ProxyHost
from webapp.proxy.views import done

blueprint = Blueprint("drift", __name__, url_prefix="/proxies")

WORDS = {
    "restore": "{} is being restored.",
    "accept": "{} is accepted as it is in Nginx Proxy Manager.",
}


def answered(verb: str, host_id: int) -> ProxyHost:
    """Carry out the answer to what the form has shown. Raises as the services do."""
    act = {"restore": drift.restore, "accept": drift.accept}[verb]
    return act(host_id, shown=request.form.get("shown", ""), at=now())


@blueprint.post("/<int:proxy_id>/restore", defaults={"verb": "restore"})
@blueprint.post("/<int:proxy_id>/accept", defaults={"verb": "accept"})
def answer(proxy_id: int, verb: str) -> AnyResponse:
    """Write ours again, or take theirs."""
    return done(WORDS[verb].format(answered(verb, proxy_id).fqdn))


@blueprint.post("/restore-missing")
def restore_missing() -> AnyResponse:
    """Make all hosts again that were deleted. Raises Busy where none is missing (any more)."""
    count = drift.restore_all(missing_only=True, at=now())
    if not count:
        raise Busy("No host is missing any more.")
    return done(f"{count} host{'' if count == 1 else 's'} will be made again.")
