"""Decides which requests are let in. Everything is refused unless it is listed here or signed in."""

import logging
from contextlib import ExitStack
from urllib.parse import urlencode

from flask import Flask, Response, abort, g, redirect, request, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from webapp.actor import acting_as
from webapp.auth import headers, hosts, origins, sessions
from webapp.auth.paths import local_path, path_within
from webapp.auth.service import account_exists
from webapp.config import Config
from webapp.errorpages import page

log = logging.getLogger("webapp.auth")

PUBLIC = frozenset({"static", "health.healthz", "auth.sign_in", "auth.setup"})
STALE = "This page was open for too long. Reload it and try again."


def init(app: Flask, config: Config) -> None:
    """Install everything that stands before the views; the order below is the order of the checks."""
    app.config.update(
        SESSION_COOKIE_NAME="__Host-tiny_forge" if config.secure_cookies else "tiny_forge",
        SESSION_COOKIE_SECURE=config.secure_cookies,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=int(sessions.ABSOLUTE.total_seconds()),
        WTF_CSRF_SSL_STRICT=False,  # the check of origins does the same, and more
    )
    headers.init(app)
    hosts.init(app, config)
    app.before_request(origins.refuse_foreign)
    app.before_request(_require_sign_in)
    app.before_request(_refuse_nul)
    app.before_request(_begin_acting)
    app.teardown_request(_end_acting)
    CSRFProtect(app)
    app.register_error_handler(CSRFError, _stale_page)


def _require_sign_in() -> AnyResponse | None:
    # No endpoint means that nothing would run: the router answers 404, 405 or the redirect to the final slash.
    if request.endpoint is None or request.endpoint in PUBLIC or current_user.is_authenticated:
        return None
    target = _sign_in_address() if account_exists() else url_for("auth.setup")
    if request.headers.get("HX-Request") == "true":
        return Response("Sign in first.", 401, {"HX-Redirect": target}, mimetype="text/plain")
    return redirect(target, 303)


def _sign_in_address() -> str:
    """The sign-in page, told where the person was: the page in the window, never the address of a fragment."""
    if request.headers.get("HX-Request") == "true":
        back = path_within(request.headers.get("HX-Current-URL"), request.host_url)
    elif request.method == "GET":
        back = local_path(request.full_path.removesuffix("?"))
    else:
        back = path_within(request.referrer, request.host_url)
    address = url_for("auth.sign_in")
    return f"{address}?{urlencode({'next': back})}" if back and back != "/" else address


def _begin_acting() -> None:
    """What the request wishes for is wished by whoever is signed in; static files belong to nobody's session."""
    known = request.endpoint not in PUBLIC and current_user.is_authenticated
    g.acting = ExitStack()
    g.acting.enter_context(acting_as(current_user.name if known else ""))


def _end_acting(_error: BaseException | None) -> None:
    if "acting" in g:
        g.pop("acting").close()


def _refuse_nul() -> None:
    """No name or setting contains a NUL, and databases and file systems fail on it in ugly ways."""
    unsafe = request.method not in origins.SAFE
    if "\0" in request.path or _has_nul(request.args) or (unsafe and _has_nul(request.form)):
        abort(400)


def _has_nul(values: MultiDict[str, str]) -> bool:
    return any("\0" in text for name, texts in values.lists() for text in (name, *texts))


def _stale_page(_error: CSRFError) -> Response:
    log.warning("refused: %s %s without a valid token", request.method, request.endpoint)
    return page(400, STALE)
