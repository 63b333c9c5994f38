"""What an operator is told when the container engine does not do what was asked. Pure."""

import re
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from webapp.deploy.docker_text import clean
from webapp.deploy.engine import Gone, Login, PortTaken
from webapp.errors import EngineError

_PORT = re.compile(r"(?:0\.0\.0\.0|[0-9.]+|\[[0-9a-f:]+\]):(\d{1,5})\b")
_NO_SUCH = re.compile(r"no such (?:container|image|volume)", re.IGNORECASE)
_BUSY = re.compile(
    r"shutting down|shutdown|is starting|not running|transport is closing|context (?:canceled|deadline)"
    r"|connection error|unavailable|is already in progress",
    re.IGNORECASE,
)
_UNREACHABLE = re.compile(
    r"dial (?:tcp|udp)|no such host|i/o timeout|tls handshake timeout|client\.timeout|connection re(?:fused|set)"
    r"|unexpected http status: 5|: EOF\b|unexpected EOF|received unexpected|network is unreachable"
    r"|server misbehaving|context deadline|timeout exceeded",
    re.IGNORECASE,
)
_UNAUTHORIZED = re.compile(
    r"no basic auth|unauthorized|authentication required|incorrect username|denied|login required|forbidden",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Call:
    """What is asked of the engine: in words ("start blog"), as a request, and whether it changes something."""

    doing: str
    request: str
    changing: bool = False


def unreachable(host: str, call: Call, error: BaseException) -> EngineError:
    """For an engine that gives no answer, or half of one."""
    causes = list(_causes(error))
    for cause in causes:
        sentence = _no_connection(host, cause)
        if sentence:
            return EngineError(sentence, will_heal=True)
    late = any(isinstance(cause, TimeoutError) for cause in causes)
    why = "did not answer in time" if late else "broke the connection"
    could = f"could not confirm that it did {call.doing}" if call.changing else f"could not {call.doing}"
    return EngineError(f"The container engine {why}, so the panel {could}.", will_heal=True)


def _no_connection(host: str, cause: BaseException) -> str:
    path = urlsplit(host).path
    if isinstance(cause, FileNotFoundError):
        return (
            f"There is no socket of a container engine at {path}. Start Docker, mount the socket into the "
            f"panel's container ({path}:{path}), or set DOCKER_HOST to where the engine listens."
        )
    if isinstance(cause, PermissionError):
        return (
            f"The panel may not use {path}. Add its user to the group that owns the socket "
            "(in Compose: group_add), or set DOCKER_HOST to a socket proxy."
        )
    if isinstance(cause, ConnectionRefusedError):
        return (
            f"The container engine does not run: nobody answers at {host}. Start it, or correct DOCKER_HOST."
        )
    if isinstance(cause, socket.gaierror):
        return f"The name in {host} cannot be resolved. Correct DOCKER_HOST."
    return ""


def _causes(error: BaseException, depth: int = 8) -> Iterator[BaseException]:
    """The error and everything behind it: libraries wrap what the system says."""
    yield error
    if depth == 0:
        return
    inner = [error.__cause__, error.__context__, getattr(error, "reason", None), *error.args]
    for cause in inner:
        if isinstance(cause, BaseException):
            yield from _causes(cause, depth - 1)


def no_version(host: str, status: int, words: str) -> EngineError:
    """For an answer to the very first question that no engine would give."""
    if status == 403 or status >= 500:
        return refused(Call("say which version it is", "GET /version"), status, words)
    return EngineError(f"What answers at {host} is not a container engine. Correct DOCKER_HOST.")


def unreadable(call: Call) -> EngineError:
    """For an answer that no engine gives."""
    return EngineError(
        f"The container engine sent an answer that cannot be read, so the panel could not {call.doing}."
    )


def refused(call: Call, status: int, words: str, secrets: Iterable[str] = ()) -> EngineError:
    """For an answer that says no. `words` are the engine's own; `secrets` are left out of them."""
    said = _without(clean(words, 300).strip().rstrip("."), secrets)
    if status == 403:
        return EngineError(
            f"The socket proxy in front of the container engine refuses {call.request}. Allow it there."
        )
    if status == 404 and _NO_SUCH.search(words):
        return Gone(f"The container engine could not {call.doing}: {said}.")
    if status >= 500 and _taken(words):
        port = _PORT.search(words)
        which = f"Port {port[1]}" if port else "The port"
        return PortTaken(f"{which} of this machine is taken by something else.")
    if status in (502, 503, 504):
        return EngineError(
            "The container engine is not ready: it starts, stops, or is too busy.", will_heal=True
        )
    heals = bool(_BUSY.search(words)) and status in (409, 500)
    return EngineError(
        f"The container engine could not {call.doing}: {said or f'error {status}'}.", will_heal=heals
    )


def _taken(words: str) -> bool:
    return "port is already allocated" in words or "address already in use" in words


def cut_short(call: Call) -> EngineError:
    """For a stream that ended without saying that all is done."""
    return EngineError(f"The container engine could not confirm that it did {call.doing}.", will_heal=True)


def pull_refused(call: Call, reference: str, login: Login | None, status: int, words: str) -> EngineError:
    """For a pull that did not even begin."""
    if status in (404, 500) and not _BUSY.search(words):
        return not_pulled(reference, words, login)
    return refused(call, status, words, [login.password] if login else [])


def not_pulled(reference: str, words: str, login: Login | None) -> EngineError:
    """For an image that could not be pulled, from the words of the engine and the registry."""
    repository, _, tag = reference.rpartition(":")
    registry = repository.partition("/")[0] if "/" in repository else "the registry"
    text = words.lower()
    if "manifest unknown" in text or ("manifest" in text and "not found" in text) or "name unknown" in text:
        return EngineError(f"The registry has no {reference}. Check the name, and the tag {tag}.")
    if "no matching manifest" in text:
        return EngineError(f"There is no {reference} for the processor of this machine.")
    if "no space left" in text:
        return EngineError(f"The disk of the container engine is full, so it could not pull {reference}.")
    if "toomanyrequests" in text or "rate limit" in text:
        return EngineError(
            f"The registry allows no more pulls for now, so {reference} waits.", will_heal=True
        )
    if _UNREACHABLE.search(words) and not _UNAUTHORIZED.search(words):
        return EngineError(
            f"The container engine cannot reach {registry} to pull {reference}.", will_heal=True
        )
    return _not_allowed(reference, registry, words, login)


def _not_allowed(reference: str, registry: str, words: str, login: Login | None) -> EngineError:
    if "does not exist" in words and login is None:
        return EngineError(
            f"The registry has no {reference}, or it is private and wants a user name and password."
        )
    if _UNAUTHORIZED.search(words) and login is None:
        return EngineError(
            f"{registry} wants a user name and password for {reference}. Enter them in the app."
        )
    if _UNAUTHORIZED.search(words):
        return EngineError(
            f"{registry} does not accept the user name and password for {reference}, "
            "or they do not allow it. Correct them in the app."
        )
    said = _without(clean(words, 300).strip().rstrip("."), [login.password] if login else [])
    return EngineError(f"The container engine could not pull {reference}: {said}.")


def _without(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "•••") if len(secret) > 3 else text
    return text
