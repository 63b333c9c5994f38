"""Everything that can befall one HTTP request to Nginx Proxy Manager, by name; real on the wire where it can be."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from webapp.sandbox.npm import NpmStandIn
from webapp.sandbox.server import Failure, Reply, Request

NOWHERE = "http://127.0.0.1:9"
PAGE = "<html><head><title>502 Bad Gateway</title></head></html>"


class Crash(BaseException):
    """The process dies here."""


Send = Callable[[], requests.Response]
Act = Callable[[NpmStandIn, requests.PreparedRequest, Send], requests.Response]


@dataclass(frozen=True)
class Fault:
    """`act` takes the place of the request. `after`: it differs from others only where something is changed."""

    name: str
    act: Act
    after: bool = False
    kills: bool = False


def _refused(npm: NpmStandIn, request: requests.PreparedRequest, send: Send) -> requests.Response:
    request.url = f"{NOWHERE}/"
    return send()


def _late(seen: bool) -> Act:
    def act(npm: NpmStandIn, request: requests.PreparedRequest, send: Send) -> requests.Response:
        if seen:
            send().content
        raise requests.ReadTimeout("read timed out")

    return act


def _killed(after: bool) -> Act:
    def act(npm: NpmStandIn, request: requests.PreparedRequest, send: Send) -> requests.Response:
        if after:
            send().content
        raise Crash

    return act


def _standin(failure: Failure, reply: Reply | None = None) -> Act:
    def act(npm: NpmStandIn, request: requests.PreparedRequest, send: Send) -> requests.Response:
        npm.fail(failure, **({"reply": reply} if reply else {}))
        return send()

    return act


def _expired(npm: NpmStandIn, request: requests.PreparedRequest, send: Send) -> requests.Response:
    npm.expire_tokens()
    return send()


def _broken(npm: NpmStandIn, request: requests.PreparedRequest, send: Send) -> requests.Response:
    """Somebody deletes a certificate that a host of theirs uses: no write succeeds until that is mended."""
    npm.nginx.lost_certificates.add(1)
    npm.certificates.rows.pop(1, None)
    return send()


def _answer(status: int, message: str = "", headers: Any = None, failure: Failure = Failure.ANSWER) -> Act:
    body = {"error": {"code": status, "message": message or "Internal Error"}}
    return _standin(failure, Reply(status, body, headers or {}))


BROKEN = Fault("a broken file elsewhere", _broken)
FAULTS = [
    Fault("connection refused", _refused),
    Fault("reset before the change", _standin(Failure.RESET_BEFORE)),
    Fault("reset after the change", _standin(Failure.RESET_AFTER), after=True),
    Fault("time-out before the change", _late(False)),
    Fault("time-out after the change", _late(True), after=True),
    Fault("401", _answer(401, "Permission Denied")),
    Fault("403", _answer(403, "Permission Denied")),
    Fault("404 of a path", _answer(404, "Not Found - /nginx/proxy-hosts")),
    Fault("404 of a number", _answer(404, "Not Found - 7")),
    Fault("429", _answer(429, "Slow down")),
    Fault("429 with Retry-After", _answer(429, "Slow down", {"Retry-After": "30"})),
    Fault("500", _answer(500)),
    Fault("500 after the change", _answer(500, failure=Failure.ANSWER_AFTER), after=True),
    Fault("502 as HTML", _standin(Failure.ANSWER, Reply(502, PAGE))),
    Fault("502 as HTML after the change", _standin(Failure.ANSWER_AFTER, Reply(502, PAGE)), after=True),
    Fault("truncated JSON", _standin(Failure.TRUNCATE)),
    Fault("token expired", _expired),
    BROKEN,
    Fault("killed before", _killed(False), kills=True),
    Fault("killed after", _killed(True), after=True, kills=True),
]


class Wire(BaseAdapter):
    """The `at`-th request goes over the wire and meets the fault; counts what is under way.

    All others are handed to the stand-in as they are: without a socket it answers the same, and sooner.
    """

    def __init__(self, npm: NpmStandIn, inner: HTTPAdapter) -> None:
        super().__init__()
        self.npm, self.inner = npm, inner
        self.fault, self.at, self.fired = None, 0, False
        self.methods: list[str] = []
        self.writing = self.overlaps = 0

    def arm(self, fault: Fault | None, at: int = 0) -> None:
        """The fault for the `at`-th request from now on."""
        self.fault, self.at, self.fired, self.methods = fault, at, False, []

    def send(self, request, **kwargs):  # type: ignore[no-untyped-def]
        """One request."""
        self.methods.append(request.method)
        changes = request.method != "GET"
        self.writing += changes
        self.overlaps += self.writing > 1
        try:
            if self.fault is None or len(self.methods) != self.at:
                return self._handed_over(request)
            self.fired = True
            return self.fault.act(self.npm, request, lambda: self.inner.send(request, **kwargs))
        finally:
            self.writing -= changes

    def _handed_over(self, request: requests.PreparedRequest) -> requests.Response:
        parts = urlsplit(str(request.url))
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = request.body if isinstance(request.body, bytes) else b""
        reply, _cut = self.npm.answer(
            Request(str(request.method), parts.path, parse_qs(parts.query), headers, body)
        )
        assert reply is not None
        kind, content = reply.encoded()
        raw = HTTPResponse(BytesIO(content), {"Content-Type": kind}, reply.status, preload_content=False)
        return self.inner.build_response(request, raw)

    def close(self) -> None:
        """The session is done with one exchange."""
        self.inner.close()
