"""All knowledge of htmx: which half of a page to send, and what to tell the browser besides."""

import json
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from flask import Response, make_response, redirect, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

# Sent out from the body: the element that asked may have gone by then.
REFRESH: dict[str, object] = {"forge:refresh": {"target": "body"}}


def wants_fragment() -> bool:
    """Whether htmx asked for a part of the page. A full-page htmx request (history, boost) gets the page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Request-Type") != "full"


def show(page: str, fragment: str | None = None, /, *, status: int = 200, **context: Any) -> Response:
    """Render the fragment for htmx and the page for everybody else.

    Templates see `alone` when they are the whole answer: a title in them then becomes the page's.
    """
    template = fragment if fragment and wants_fragment() else page
    response = make_response(render_template(template, alone=template is fragment, **context), status)
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
    said: dict[str, object] = {"forge:announce": {"message": message}} if message else {}
    return _trigger(response, said | (REFRESH if refresh else {}))


def complain(response: Response, message: str) -> Response:
    """Have the browser show one sentence beside the page, leave what is there, and refresh what listens."""
    response.headers["HX-Reswap"] = "none"
    return _trigger(response, REFRESH | {"forge:complain": {"message": message}})


def tell_news(response: Response) -> Response:
    """Have refreshed what stands beside the fragment that is sent."""
    return _trigger(response, {"forge:news": {"target": "body"}})


def _trigger(response: Response, events: dict[str, object]) -> Response:
    known = json.loads(response.headers.get("HX-Trigger", "{}"))
    response.headers["HX-Trigger"] = json.dumps(known | events)
    return response


def go_back(page: str) -> AnyResponse:
    """Send a browser without scripts back to this page of ours, under the filters that it had there."""
    came, _, query = (request.referrer or "").partition("?")
    here = came == urljoin(request.host_url, page)
    return redirect(f"{page}?{query}" if here and query else page, 303)


def go(location: str) -> AnyResponse:
    """Send the browser to another page of ours: 303, or HX-Redirect for htmx."""
    if wants_fragment():
        return Response(status=200, headers={"HX-Redirect": location})
    return redirect(location, 303)
