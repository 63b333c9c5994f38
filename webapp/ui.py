"""All knowledge of htmx: which half of a page to send, and what to tell the browser besides."""

import json
from typing import Any

from flask import Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse


def wants_fragment() -> bool:
    """Whether htmx asked for a part of the page. A full-page htmx request (history, boost) gets the page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Request-Type") != "full"


def show(page: str, fragment: str | None = None, *, status: int = 200, **context: Any) -> Response:
    """Render the fragment for htmx and the page for everybody else."""
    template = fragment if fragment and wants_fragment() else page
    response = make_response(render_template(template, **context), status)
    response.vary.add("HX-Request")
    return response


def announce(response: Response, message: str) -> Response:
    """Have the browser put one sentence into the live region, for people who cannot see the change."""
    response.headers["HX-Trigger"] = json.dumps({"forge:announce": {"message": message}})
    return response


def go(location: str) -> AnyResponse:
    """Send the browser to another page of ours: 303, or HX-Redirect for htmx."""
    if wants_fragment():
        return Response(status=204, headers={"HX-Redirect": location})
    return redirect(location, 303)
