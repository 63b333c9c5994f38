"""One HTTP exchange with Nginx Proxy Manager, and which failures leave a change in doubt."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from webapp.errors import ProxyError
from webapp.outgoing import Forbidden

SIZE_LIMIT = 8 * 1024 * 1024


class Lost(Exception):
    """A changing request went out and no usable answer came back: it may have been carried out.

    `timed_out` says that it may even be carried out later.
    """

    def __init__(self, timed_out: bool) -> None:
        super().__init__("no usable answer to a change")
        self.timed_out = timed_out


class NotNpm(ProxyError):
    """Something else answers at the address; where NPM has answered before, that may be what stands in for it."""


class NotAllowed(ProxyError):
    """The account is not let in, or may not do it; where it was before, it may be again."""


@dataclass(frozen=True)
class Answer:
    """A JSON answer."""

    status: int
    data: Any

    @property
    def message(self) -> str:
        """NPM's own words for an error, in one line; empty when it had none."""
        error = self.data.get("error") if isinstance(self.data, dict) else None
        text = error.get("message") if isinstance(error, dict) else error
        return " ".join(str(text or "").split())[:300]

    @property
    def lines(self) -> list[str]:
        """What a command behind the request printed; only errors about certificates say so."""
        debug = self.data.get("debug") if isinstance(self.data, dict) else None
        stack = debug.get("stack") if isinstance(debug, dict) else None
        return [str(line) for line in stack] if isinstance(stack, list) else []

    @property
    def doubtful(self) -> bool:
        """Whether a bad token may be the reason: releases disagree about how they say that."""
        expired = self.status == 400 and self.message == "Token has expired"
        return self.status >= 500 or expired or self.denied

    @property
    def denied(self) -> bool:
        """Whether the account is not allowed to, once its token is known to be good."""
        hidden = self.status == 404 and "Not Found - /" in self.message
        return self.status in (401, 403) or hidden


@dataclass(frozen=True)
class Transport:
    """Sends requests to one NPM. Timeouts are in seconds: connect, read.

    `before_each` is called before each request; what it raises keeps the request from being sent.
    """

    url: str
    session: requests.Session
    verify_tls: bool
    read_timeout: tuple[float, float]
    write_timeout: tuple[float, float]
    before_each: Callable[[], None] = lambda: None

    def send(
        self,
        method: str,
        path: str,
        body: Any,
        token: str,
        *,
        changing: bool = False,
        timeout: tuple[float, float] | None = None,
    ) -> Answer:
        """Send one request; `path` is below /api. Raises ProxyError, and Lost for a `changing` one in doubt."""
        self.before_each()
        # Each change makes NPM reload the very nginx in front of it, which drops idle connections: none is kept.
        headers = {"Accept": "application/json", "Connection": "close"}
        try:
            with self.session.request(
                method,
                f"{self.url}/api{path}",
                json=body,
                headers=headers,
                auth=_Bearer(token),
                timeout=timeout or (self.write_timeout if changing else self.read_timeout),
                allow_redirects=False,
                verify=self.verify_tls,
                stream=True,
            ) as response:
                content = _content(response)
        except requests.RequestException as error:
            raise self._failed(error, changing) from error
        finally:
            self.session.close()
        return self._understood(response, content, changing)

    def not_npm(self) -> ProxyError:
        """For an address where something else answers."""
        return NotNpm(
            f"{self.url} does not answer like Nginx Proxy Manager. "
            "Enter the address of its admin pages, such as http://npm.lan:81."
        )

    def _failed(self, error: requests.RequestException, changing: bool) -> Exception:
        if isinstance(error, Forbidden):
            return ProxyError(
                f"{self.url} is an address that the panel never talks to: link-local and cloud metadata "
                "addresses are refused. Enter the address of Nginx Proxy Manager's admin pages."
            )
        if "certificate verify failed" in str(error).lower():
            return ProxyError(
                f"The TLS certificate of {self.url} is not trusted by this machine. "
                "Give Nginx Proxy Manager a trusted one, or turn verification off in the settings."
            )
        if _never_sent(error):
            return ProxyError(
                f"Nginx Proxy Manager cannot be reached at {self.url}. "
                "Check the address, and that it is running.",
                will_heal=True,
            )
        timed_out = isinstance(error, requests.Timeout) or "timed out" in str(error)
        if changing:
            return Lost(timed_out)
        if isinstance(error, requests.exceptions.SSLError):
            return ProxyError(f"{self.url} does not speak TLS. Check whether it should be http or https.")
        reason = "did not answer in time" if timed_out else "closed the connection without answering"
        return ProxyError(f"Nginx Proxy Manager at {self.url} {reason}.", will_heal=True)

    def _understood(self, response: requests.Response, content: bytes | None, changing: bool) -> Answer:
        if 300 <= response.status_code < 400:
            target = urlsplit(response.headers.get("Location", ""))
            place = f"{target.scheme}://{target.netloc.rpartition('@')[2]}" if target.netloc else "elsewhere"
            raise ProxyError(f"{self.url} redirects to {place}. Enter the address that it redirects to.")
        try:
            if content is None:
                raise ValueError
            return Answer(response.status_code, json.loads(content))
        except ValueError as error:
            if changing:
                raise Lost(timed_out=response.status_code == 504) from error
            raise self._unreadable(response.status_code, content) from error

    def _unreadable(self, status: int, content: bytes | None) -> ProxyError:
        if status in (502, 503, 504):
            return ProxyError(
                f"Nginx Proxy Manager at {self.url} is still starting, or its backend is down ({status}).",
                will_heal=True,
            )
        if content is None or content[:1] in (b"{", b"["):
            return ProxyError(
                f"Nginx Proxy Manager at {self.url} sent an answer that cannot be read.", will_heal=True
            )
        return self.not_npm()


class _Bearer(requests.auth.AuthBase):
    """Sets the token; its presence also keeps a netrc file from replacing it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def base_address(url: str) -> str:
    """The address without a trailing slash or /api. Raises ProxyError when it is no web address."""
    try:
        parts = urlsplit(url.strip())
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or "@" in parts.netloc or parts.query or parts.fragment:
        raise ProxyError("The address of Nginx Proxy Manager must look like http://npm.lan:81.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix('/api')}"


def _content(response: requests.Response) -> bytes | None:
    """The body, None when it is larger than anything NPM has to say."""
    content = bytearray()
    for chunk in response.iter_content(65536):
        content += chunk
        if len(content) > SIZE_LIMIT:
            return None
    return bytes(content)


def _never_sent(error: requests.RequestException) -> bool:
    """Whether no connection came about, so that nothing can have been changed."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    early = (requests.ConnectTimeout, requests.exceptions.ProxyError)
    return isinstance(reason, NewConnectionError) or isinstance(error, early)
