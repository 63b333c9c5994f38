"""All knowledge of htmx: which half of a page to send, and what to tell the browser besides."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Response, make_response, redirect, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse


def wants_fragment() -> bool:
    """Whether htmx asked for a part of the page. A full-page htmx request (history, boost) gets the page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Request-Type") != "full"


def show(page: str, fragment: str | None = None, /, *, status: int = 200, **context: Any) -> Response:
    """Render the fragment for htmx and the page for everybody else."""
    template = fragment if fragment and wants_fragment() else page
    response = make_response(render_template(template, **context), status)
    response.vary.add("HX-Request")
    return response


def is_poll() -> bool:
    """Whether the page asks by itself, without anybody having done anything."""
    return request.headers.get("X-Poll") == "1"


def current_args() -> MultiDict[str, str]:
    """The query of the address that the browser shows: a fragment keeps the filters of its page."""
    if request.args or not wants_fragment():
        return request.args
    shown = urlsplit(request.headers.get("HX-Current-URL", "")).query
    return MultiDict(parse_qsl(shown))


def announce(response: Response, message: str = "", *, refresh: bool = False) -> Response:
    """Have the browser say one sentence to people who cannot see the change, and refresh what listens."""
    events: dict[str, object] = {"forge:announce": {"message": message}} if message else {}
    if refresh:
        events["forge:refresh"] = {}
    response.headers["HX-Trigger"] = json.dumps(events)
    return response


def go(location: str) -> AnyResponse:
    """Send the browser to another page of ours: 303, or HX-Redirect for htmx."""
    if wants_fragment():
        return Response(status=200, headers={"HX-Redirect": location})
    return redirect(location, 303)
