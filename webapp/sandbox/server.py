"""The loopback HTTP server every stand-in runs on: keeps a log, can be slow, and fails on request."""

import json
import socket
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """One request as a stand-in sees it; header names are lower-case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The decoded body. Raises ValueError when it is not JSON."""
        return json.loads(self.body)

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]


@dataclass(frozen=True)
class Reply:
    """What goes back: bytes are sent as they are, str as HTML, anything else as JSON."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[str, bytes]:
        """The content type and the bytes of the body."""
        if isinstance(self.body, bytes):
            return "application/octet-stream", self.body
        if isinstance(self.body, str):
            return "text/html", self.body.encode()
        return "application/json; charset=utf-8", json.dumps(self.body).encode()


class Failure(StrEnum):
    """The ways a request can go wrong; *after* means the change was made all the same."""

    RESET_BEFORE = "reset before the change"
    RESET_AFTER = "reset after the change"
    HANG_BEFORE = "time-out before the change"
    HANG_AFTER = "time-out after the change"
    ANSWER = "answer instead"
    ANSWER_AFTER = "answer after the change"
    TRUNCATE = "truncated body"


@dataclass
class Fault:
    """A failure to apply to the next `times` requests that `matches` says yes to.

    `skip` lets that many matching requests pass first. `seconds` is how long a hanging request is held
    before the connection is dropped. `reply` is used by the two ANSWER kinds.
    """

    failure: Failure
    matches: Callable[[Request], bool] = lambda _request: True
    times: int = 1
    skip: int = 0
    seconds: float = 5.0
    reply: Reply = field(default_factory=lambda: Reply(500, {"error": {"message": "Internal Error"}}))

    def claims(self, request: Request) -> bool:
        """Whether this fault takes the request; counts down its own use."""
        if self.times <= 0 or not self.matches(request):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


class StandIn:
    """Base of the stand-ins: answer `handle(request)` on a loopback port until stopped.

    Requests are handled one at a time, so a stand-in needs no locks of its own. `log` holds every request
    with the status it got (0 where the connection was dropped); `latency` is added to each, in seconds.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.latency = 0.0
        self.faults: list[Fault] = []
        self.log: list[tuple[Request, int]] = []
        self.lock = threading.RLock()
        self._server: _Server | None = None
        self._stopping = threading.Event()

    def handle(self, request: Request) -> Reply:
        """Answer one request; the stand-ins define it."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        """Scheme, host and port, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Listen on loopback (a free port when none was given) and serve in a thread."""
        handler = type("Handler", (_Handler,), {"standin": self})
        self._stopping.clear()
        self._server = _Server(("127.0.0.1", self.port), handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening; later connections are refused until started again (on the same port)."""
        if self._server is not None:
            self._stopping.set()
            self._server.shutdown()
            self._server.server_close()
            self._server.drop_connections()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def fail(self, failure: Failure, **options: Any) -> Fault:
        """Arrange a fault for the next matching request; returns it."""
        fault = Fault(failure, **options)
        self.faults.append(fault)
        return fault

    def answer(self, request: Request) -> tuple[Reply | None, bool]:
        """The reply (None: drop the connection) and whether its body is to be cut short."""
        if self.latency and self._stopping.wait(self.latency):
            self.log.append((request, 0))
            return None, False
        with self.lock:
            fault = next((f for f in self.faults if f.claims(request)), None)
            reply, cut, hold = self._answered(request, fault)
            self.log.append((request, reply.status if reply else 0))
        if hold:
            self._stopping.wait(hold)
        return reply, cut

    def _answered(self, request: Request, fault: Fault | None) -> tuple[Reply | None, bool, float]:
        if fault is None:
            return self.handle(request), False, 0.0
        unmade = (Failure.RESET_BEFORE, Failure.HANG_BEFORE, Failure.ANSWER)
        reply = None if fault.failure in unmade else self.handle(request)
        match fault.failure:
            case Failure.ANSWER | Failure.ANSWER_AFTER:
                return fault.reply, False, 0.0
            case Failure.TRUNCATE:
                return reply, True, 0.0
            case Failure.HANG_BEFORE | Failure.HANG_AFTER:
                return None, False, fault.seconds
        return None, False, 0.0


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, *args: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; a mistake in a stand-in is."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def drop_connections(self) -> None:
        """Close what is still open, as a stopped server would."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(BaseHTTPRequestHandler):
    standin: StandIn
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            self.command,
            parts.path,
            parse_qs(parts.query, keep_blank_values=True),
            {k.lower(): v for k, v in self.headers.items()},
            self.rfile.read(length),
        )
        reply, cut = self.standin.answer(request)
        if reply is None:
            self._reset()
        else:
            self._send(reply, cut)

    def _send(self, reply: Reply, cut: bool) -> None:
        kind, body = reply.encoded()
        if cut:
            body = body[: max(1, len(body) // 2)]
        self.send_response(reply.status)
        for name, value in {"Content-Type": kind, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _reset(self) -> None:
        """Close with a TCP reset, so that the client sees a dropped connection and not an empty answer."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def log_message(self, *_args: object) -> None:
        """The stand-in's own log is enough."""
