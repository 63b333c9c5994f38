"""Turns errors into pages or fragments: a plain sentence, the right status, and a reference for the log."""

import logging
import secrets

from flask import Flask, Response, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError

from webapp.errors import ForgeError
from webapp.ui import complain, show, wants_fragment

log = logging.getLogger(__name__)

PLAIN = {
    400: "The browser sent something that could not be understood.",
    403: "That is not allowed.",
    404: "There is no such page. It may have been removed, or the address was mistyped.",
    405: "This address does not take that kind of request.",
    413: "That is too large: at most 1 MB can be sent.",
    415: "That kind of content is not understood here.",
}


def init(app: Flask) -> None:
    """Install the handlers."""
    app.register_error_handler(ForgeError, _forge_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _database_error)


def page(status: int, message: str, reference: str | None = None) -> Response:
    """The error page, or its fragment for htmx.

    What a button of a stale page asks for, and is not there any more, must not cost that page its list.
    """
    shown = show(
        "error.html", "_error.html", status=status, code=status, message=message, reference=reference
    )
    stale = status in {404, 409} and request.method == "POST" and wants_fragment()
    return complain(shown, message) if stale else shown


def _forge_error(error: ForgeError) -> Response:
    return page(error.status, error.message)


def _http_error(error: HTTPException) -> Response:
    if isinstance(error, InternalServerError):
        return _internal(error)
    status = error.code or 500
    description = error.description if getattr(error, "plain", False) else None
    response = page(status, description or PLAIN.get(status, error.name + "."))
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _internal(error: InternalServerError) -> Response:
    reference = secrets.token_hex(4)
    original = error.original_exception
    log.error("internal error %s", reference, exc_info=original)
    return page(
        500, "Something went wrong in the panel itself. Nothing was changed by this request.", reference
    )


def _database_error(error: OperationalError) -> Response:
    reference = secrets.token_hex(4)
    log.error("database error %s: %s", reference, error.orig)
    message = "The database cannot be used right now. Check the disk and the data directory, then try again."
    return page(503, message, reference)
