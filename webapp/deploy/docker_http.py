"""Exchanges with a container engine: time limits, and every failure as a sentence. Only here the SDK is known."""

import json
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from docker import APIClient
from docker.errors import APIError, DockerException, StreamParseError
from docker.types import CancellableStream
from urllib3.exceptions import HTTPError

from webapp.deploy import docker_errors
from webapp.deploy.docker_errors import Call
from webapp.deploy.ticking import ticking
from webapp.errors import EngineError

T = TypeVar("T")
Json = dict[str, Any]
Messages = Generator[Json | None, None, None]
Explain = Callable[[int, str], EngineError]
"""Turns the status and the words of a refusal into what the operator is told."""

TICK = 0.5

# The SDK raises its own errors, those of requests (which are OSErrors), and while it streams those of urllib3.
_FAULTS = (DockerException, OSError, HTTPError, StreamParseError)
_ODD = (KeyError, TypeError, ValueError, AttributeError)


class _Client(APIClient):
    """The SDK's client without its surprises."""

    def request(self, *what: Any, **options: Any) -> Any:
        """Send a request: always with a time limit, never with proxies or passwords of the environment."""
        self.trust_env = False
        # A connection for each request: one that the engine closed meanwhile would leave a change in doubt.
        self.headers["Connection"] = "close"
        if options.get("timeout") is None:
            options["timeout"] = self.timeout
        return super().request(*what, **options)


@dataclass
class Http:
    """Speaks with one engine. Time limits in seconds: `look` for reading, `change`, and `silence` of a stream.

    Clients are made when they are needed, and made anew after a failure: the engine may have become another.
    """

    host: str
    look: int
    change: int
    silence: int
    _clients: dict[int, _Client] = field(default_factory=dict)

    def ask(self, call: Call, work: Callable[[Any], T], secrets: Iterable[str] = ()) -> T:
        """What the engine answers. Raises EngineError; Gone for what it does not have, PortTaken."""
        client = self._client(self.change if call.changing else self.look, call)
        with self._explaining(
            call, lambda status, words: docker_errors.refused(call, status, words, secrets)
        ):
            return work(client)

    def chunks(self, call: Call, path: str, params: Json) -> Iterator[bytes]:
        """The bytes of a long answer."""
        client = self._client(self.look, call)
        with self._explaining(call), _sent(client, "GET", path, params=params) as answer:
            yield from answer.iter_content(65536)

    def pulling(self, call: Call, params: Json, headers: dict[str, str], explain: Explain) -> Messages:
        """The messages of a pull, and None in between when nothing is heard."""
        client = self._client(self.silence, call)
        return self._messages(
            call, lambda: _sent(client, "POST", "/images/create", params=params, headers=headers), explain
        )

    def subscribed(self, call: Call, path: str, params: Json) -> Messages:
        """The messages of a subscription, which has begun, and None in between when nothing is heard."""
        answer = self.ask(call, lambda client: _endless(client, _sent(client, "GET", path, params=params)))
        return self._messages(call, lambda: answer, None)

    def _messages(self, call: Call, opened: Callable[[], Any], explain: Explain | None) -> Messages:
        answers: list[Any] = []

        def read() -> Iterator[Json]:
            with opened() as answer:
                answers.append(answer)
                for line in answer.iter_lines(8192):
                    if line:
                        yield json.loads(line)

        try:
            with self._explaining(call, explain):
                yield from ticking(read, TICK, _FAULTS + _ODD)
        finally:
            for answer in answers:
                _hang_up(answer)

    def _client(self, seconds: int, call: Call) -> Any:
        client = self._clients.get(seconds)
        if client is None:
            asking = Call(call.doing, "GET /version")
            with self._explaining(asking, lambda *said: docker_errors.no_version(self.host, *said)):
                client = _Client(self.host, version="auto", timeout=seconds, num_pools=64)
            self._clients[seconds] = client
        return client

    @contextmanager
    def _explaining(self, call: Call, explain: Explain | None = None) -> Iterator[None]:
        try:
            yield
        except _FAULTS as error:
            said = _said(error)
            if said is not None:
                raise (explain or partial(docker_errors.refused, call))(*said) from error
            self._clients.clear()
            raise docker_errors.unreachable(self.host, call, error) from error
        except _ODD as error:
            raise docker_errors.unreadable(call) from error


def _sent(client: Any, method: str, path: str, **options: Any) -> Any:
    """The answer to a request, of which only the head was read. The SDK's own calls lose how a stream ended."""
    url = f"{client.base_url}/v{client.api_version}{path}"
    answer = client.request(method, url, stream=True, **options)
    answer.raise_for_status()
    return answer


def _endless(client: Any, answer: Any) -> Any:
    """An answer that may be silent for as long as it likes."""
    client._disable_socket_timeout(client._get_raw_response_socket(answer))
    return answer


def _said(error: BaseException) -> tuple[int, str] | None:
    """Status and words of a refusal; None where there was no answer. The SDK wraps what came while it connects."""
    answer = getattr(error, "response", None)
    if answer is None:
        return _said(error.__cause__) if isinstance(error.__cause__, APIError) else None
    try:
        return answer.status_code, str(answer.json()["message"])
    except (ValueError, KeyError, TypeError, OSError):
        return answer.status_code, ""


def _hang_up(answer: Any) -> None:
    """Close a stream that another thread reads."""
    with suppress(OSError, AttributeError):
        CancellableStream(iter(()), answer).close()
