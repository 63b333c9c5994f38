"""Whether a new container is ready for visitors: what the engine says, or what a knock at its port answers."""

import socket
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from webapp import outgoing
from webapp.deploy.engine import Container, Health, State

FAILURES = 3
"""So many failed tries in a row, after the start period, and the container counts as unhealthy."""

QUIET = 0.3
"""A server waits for us to speak first; a port forwarder with nobody behind it hangs up sooner (seconds)."""


class CheckKind(StrEnum):
    """How health is found out. AUTO: the image's own check, and without one a connection to the port."""

    AUTO = "auto"
    HTTP = "http"
    TCP = "tcp"


@dataclass(frozen=True)
class Check:
    """The health check of an app; times in seconds. Failures within `start_period` do not count."""

    kind: CheckKind = CheckKind.AUTO
    path: str = "/"
    status: int = 200
    interval: int = 3
    timeout: int = 5
    start_period: int = 20


class Verdict(StrEnum):
    """What one look at a container tells."""

    READY = "ready"
    NOT_YET = "not yet"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """A verdict with its reason in words."""

    verdict: Verdict
    reason: str = ""


class Probe(Protocol):
    """How a port is knocked at."""

    def listens(self, host: str, port: int, seconds: float) -> bool:
        """Whether somebody takes connections there."""

    def status(self, url: str, seconds: float) -> int | None:
        """The HTTP status an address answers with; None for no answer."""


class NetworkProbe:
    """Knocks for real."""

    def listens(self, host: str, port: int, seconds: float) -> bool:
        """Connect, and see whether the other side stays."""
        try:
            connection = socket.create_connection((host, port), seconds)
        except OSError:
            return False
        with connection:
            connection.settimeout(QUIET)
            try:
                return connection.recv(1) != b""
            except TimeoutError:
                return True
            except OSError:
                return False

    def status(self, url: str, seconds: float) -> int | None:
        """GET, without following redirects."""
        return outgoing.status(url, seconds)


def look(
    container: Container, check: Check, address: tuple[str, int], probe: Probe, *, scheme: str, own: bool
) -> Finding:
    """One look at a new container. `own`: its image has a health check; `address`: where it can be knocked at."""
    if container.restarts or container.state is not State.RUNNING:
        return Finding(Verdict.FAILED, ended(container))
    if check.kind is CheckKind.AUTO and own:
        return _engine_says(container)
    host, port = address
    if check.kind is CheckKind.HTTP:
        url = f"{scheme}://{host}:{port}{check.path}"
        status = probe.status(url, check.timeout)
        if status == check.status:
            return Finding(Verdict.READY, f"{check.path} answers {status}")
        said = f"answers {status}" if status else f"does not answer on {host}:{port}"
        return Finding(Verdict.NOT_YET, f"{check.path} {said}, expected {check.status}")
    if probe.listens(host, port, check.timeout):
        return Finding(Verdict.READY, f"port {port} takes connections")
    return Finding(Verdict.NOT_YET, f"nobody listens on {host}:{port}")


def ended(container: Container) -> str:
    """Why a container does not run, in words."""
    if container.out_of_memory:
        return "the container used more memory than it may and was ended"
    if container.error:
        return f"the container could not start: {container.error}"
    if container.restarts or container.state is State.RESTARTING:
        code = f" with exit code {container.exit_code}" if container.exit_code is not None else ""
        return f"the container keeps ending{code} and being started again"
    if container.state in (State.EXITED, State.DEAD):
        return f"the container ended with exit code {container.exit_code}"
    return f"the container is {container.state}"


def _engine_says(container: Container) -> Finding:
    if container.health is Health.HEALTHY:
        return Finding(Verdict.READY, "the image's health check passes")
    said = f" ({container.health_output})" if container.health_output else ""
    if container.health is Health.UNHEALTHY:
        return Finding(Verdict.FAILED, f"the image's health check fails{said}")
    return Finding(Verdict.NOT_YET, f"the image's health check has not passed yet{said}")
