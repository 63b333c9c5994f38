"""Everything that can befall one HTTP request to Cloudflare, by name; real on the wire where it can be."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from webapp.sandbox.cloudflare import CloudflareStandIn
from webapp.sandbox.server import Failure, Reply, Request

NOWHERE = "http://127.0.0.1:9/"
PAGE = "<html><head><title>502 Bad Gateway</title></head></html>"


class Crash(BaseException):
    """The process dies here."""


Send = Callable[[], requests.Response]
Act = Callable[[CloudflareStandIn, requests.PreparedRequest, Send], requests.Response]


@dataclass(frozen=True)
class Fault:
    """`act` takes the place of the request. `where` says at which requests it differs from other faults."""

    name: str
    act: Act
    where: Callable[[requests.PreparedRequest], bool] = lambda _request: True


def changes(request: requests.PreparedRequest) -> bool:
    """Whether it is about more than reading."""
    return request.method != "GET"


def is_second_page(request: requests.PreparedRequest) -> bool:
    """Whether it is for the second page of a listing."""
    return parse_qs(urlsplit(str(request.url)).query).get("page") == ["2"]


def _refused(_standin: CloudflareStandIn, request: requests.PreparedRequest, send: Send) -> requests.Response:
    request.url = NOWHERE
    return send()


def _late(seen: bool) -> Act:
    def act(_standin: CloudflareStandIn, _request: requests.PreparedRequest, send: Send) -> requests.Response:
        if seen:
            send().content
        raise requests.ReadTimeout("read timed out")

    return act


def _killed(after: bool) -> Act:
    def act(_standin: CloudflareStandIn, _request: requests.PreparedRequest, send: Send) -> requests.Response:
        if after:
            send().content
        raise Crash

    return act


def _standin(failure: Failure, reply: Reply | None = None) -> Act:
    def act(standin: CloudflareStandIn, _request: requests.PreparedRequest, send: Send) -> requests.Response:
        standin.fail(failure, **({"reply": reply} if reply else {}))
        return send()

    return act


def _shrinks(counted: bool) -> Act:
    """A record goes while its list is read; `counted`: the total says so, too."""

    def act(standin: CloudflareStandIn, _request: requests.PreparedRequest, send: Send) -> requests.Response:
        def shrink(request: Request) -> bool:
            body = standin.handle(request).body
            body["result"] = body["result"][1:]
            body["result_info"]["total_count"] -= counted
            fault.reply = Reply(200, body)
            return True

        fault = standin.fail(Failure.ANSWER, matches=shrink)
        return send()

    return act


def _refusal(status: int, code: int = 0, headers: Any = None) -> Act:
    errors = [{"code": code, "message": "No."}] if code else []
    body = {"result": None, "success": False, "errors": errors, "messages": []}
    return _standin(Failure.ANSWER, Reply(status, body, headers or {}))


LOST = [
    Fault("connection refused", _refused),
    Fault("reset before the change", _standin(Failure.RESET_BEFORE)),
    Fault("reset after the change", _standin(Failure.RESET_AFTER), changes),
    Fault("time-out before the change", _late(False)),
    Fault("time-out after the change", _late(True), changes),
    Fault("truncated JSON", _standin(Failure.TRUNCATE)),
    Fault("second page shrinks", _shrinks(False), is_second_page),
    Fault("second page shrinks and says so", _shrinks(True), is_second_page),
]
ANSWERS = [
    Fault("401", _refusal(401, 10000)),
    Fault("403", _refusal(403, 9109)),
    Fault("404", _refusal(404, 7003)),
    Fault("404 as HTML", _standin(Failure.ANSWER, Reply(404, PAGE))),
    Fault("429", _refusal(429, 10100)),
    Fault("429 with Retry-After", _refusal(429, 10100, {"Retry-After": "120"})),
    Fault("500", _refusal(500, 10000)),
    Fault("500 after the change", _standin(Failure.ANSWER_AFTER, Reply(500, {"errors": []})), changes),
    Fault("502 as HTML", _standin(Failure.ANSWER, Reply(502, PAGE))),
    Fault("502 as HTML after the change", _standin(Failure.ANSWER_AFTER, Reply(502, PAGE)), changes),
    Fault("no success, no reason", _refusal(200)),
    Fault("no success, a reason", _refusal(200, 1004)),
]
DEATHS = [Fault("killed before", _killed(False)), Fault("killed after", _killed(True), changes)]


class Wire(BaseAdapter):
    """The `at`-th request goes over the wire and meets the fault.

    All others are handed to the stand-in as they are: without a socket it answers the same, and sooner.
    """

    def __init__(self, standin: CloudflareStandIn, inner: HTTPAdapter) -> None:
        super().__init__()
        self.standin, self.inner = standin, inner
        self.fault: Fault | None = None
        self.at, self.fired = 0, False
        self.requests: list[requests.PreparedRequest] = []

    def arm(self, fault: Fault | None, at: int = 0) -> None:
        """The fault for the `at`-th request from now on."""
        self.fault, self.at, self.fired, self.requests = fault, at, False, []

    def send(self, request, **kwargs):  # type: ignore[no-untyped-def]
        """One request."""
        self.requests.append(request)
        if self.fault is None or len(self.requests) != self.at:
            return self._handed_over(request)
        self.fired = True
        return self.fault.act(self.standin, request, lambda: self.inner.send(request, **kwargs))

    def blind_writes(self) -> list[str]:
        """Changes after the fault in the zone whose listing it made unreadable."""
        broken, *later = self.requests[self.at - 1 :]
        zone = str(broken.path_url).partition("/dns_records?page=")
        return [r.path_url for r in later if zone[1] and changes(r) and r.path_url.startswith(zone[0])]

    def _handed_over(self, request: requests.PreparedRequest) -> requests.Response:
        parts = urlsplit(str(request.url))
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = request.body if isinstance(request.body, bytes) else b""
        reply, _cut = self.standin.answer(
            Request(str(request.method), parts.path, parse_qs(parts.query), headers, body)
        )
        assert reply is not None
        kind, content = reply.encoded()
        fields = {"Content-Type": kind, **reply.headers}
        raw = HTTPResponse(BytesIO(content), fields, reply.status, preload_content=False)
        return self.inner.build_response(request, raw)

    def close(self) -> None:
        """The session is done with one exchange."""
        self.inner.close()
