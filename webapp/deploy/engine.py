"""What the panel asks of a container engine, in plain values: `docker` speaks it, the sandbox imitates it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from webapp.errors import EngineError


class Restart(StrEnum):
    """When the engine starts a container again by itself."""

    NO = "no"
    ON_FAILURE = "on-failure"
    UNLESS_STOPPED = "unless-stopped"


class MountKind(StrEnum):
    """A volume that the engine keeps, or a folder of the machine."""

    VOLUME = "volume"
    BIND = "bind"


@dataclass(frozen=True)
class Mount:
    """What a container sees at `target`: a volume by its name, or a folder by its absolute path."""

    kind: MountKind
    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class Owner:
    """Whose container it is, as its labels say: installation, app's slug, ids of instance and version."""

    install: str
    app: str
    instance: int
    version: int


@dataclass(frozen=True)
class ContainerSpec:
    """A container as it is created. What it may be given is here; there is no way to ask for more.

    `image` is an image id or a reference the engine has. `network` is a user-made bridge, created when it is
    not there; blank is the engine's default one. `publish` is address and port on the machine that lead to
    `port`. `memory` in bytes, `cpus` in cores, `pids` in processes; 0 means no limit. `drop_all` takes every
    capability away, not only the ones that few images need.
    """

    name: str
    image: str
    owner: Owner
    port: int
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    command: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    network: str = ""
    publish: tuple[str, int] | None = None
    memory: int = 0
    cpus: float = 0.0
    pids: int = 0
    restart: Restart = Restart.UNLESS_STOPPED
    drop_all: bool = False


class State(StrEnum):
    """What the engine says a container is doing."""

    CREATED = "created"
    RUNNING = "running"
    RESTARTING = "restarting"
    PAUSED = "paused"
    EXITED = "exited"
    DEAD = "dead"


class Health(StrEnum):
    """What the image's own health check says; NONE where the image has none."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True)
class Container:
    """A container as the engine reports it.

    A list knows less than a look at one container: `exit_code`, `restarts`, `addresses` (by network),
    `health_output` and `mounts` may be missing from a list. `owner` is None where labels of ours are not complete.
    """

    id: str
    name: str
    image_id: str
    state: State
    health: Health
    owner: Owner | None
    exit_code: int | None = None
    out_of_memory: bool = False
    restarts: int = 0
    addresses: Mapping[str, str] = field(default_factory=dict)
    health_output: str = ""
    error: str = ""
    mounts: tuple[Mount, ...] = ()


@dataclass(frozen=True)
class Image:
    """An image the engine has. `digest` is the registry's name for it, blank for one that was never pulled."""

    id: str
    digest: str = ""
    has_health_check: bool = False
    ports: tuple[int, ...] = ()


@dataclass(frozen=True)
class Login:
    """An account at a registry."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Layer:
    """How far one layer of an image is: bytes done and bytes in all, where the engine knows them."""

    id: str
    status: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Usage:
    """What a container uses at the moment: processors in cores, memory in bytes (0: no limit known)."""

    cpus: float
    memory: int
    memory_limit: int
    pids: int


@dataclass(frozen=True)
class LogLine:
    """One line a container wrote, escape sequences removed; `at` is None without time stamps."""

    at: datetime | None
    text: str
    is_error: bool = False


@dataclass(frozen=True)
class Event:
    """Something happened to a container of ours."""

    container: str
    action: str


@dataclass(frozen=True)
class EngineInfo:
    """Which engine it is: its release, and the release of the interface that is spoken with it."""

    version: str
    api: str
    name: str = ""


class PortTaken(EngineError):
    """Another process listens on the port on the machine already."""


class Gone(EngineError):
    """The container or image is not there any more."""


class Engine(Protocol):
    """One engine, bound to one installation's mark.

    Every method may raise EngineError; its `will_heal` says that waiting may help (the engine does not answer,
    restarts or is busy). Nothing that does not carry our mark is ever started, stopped, changed or removed:
    such a call raises EngineError. Every call has a time limit.
    """

    def info(self) -> EngineInfo:
        """Which engine answers."""

    def pull(self, image: str, login: Login | None, progress: Callable[[Layer], None]) -> Image:
        """Have the engine fetch `repository:tag`; `progress` may raise to give up."""

    def image(self, image: str) -> Image | None:
        """An image by id or reference, if the engine has it."""

    def create(self, spec: ContainerSpec) -> str:
        """Make a container without starting it; returns its id. The network is made when it is missing."""

    def start(self, container: str, restart: Restart) -> None:
        """Start it, with this restart policy; one that runs is left alone. Raises Gone and PortTaken."""

    def stop(self, container: str, seconds: int) -> None:
        """Keep the engine from restarting it, ask it to end, and end it after so many seconds.

        One that is stopped or gone is no error.
        """

    def remove(self, container: str) -> None:
        """Remove it, running or not; volumes that have a name stay. One that is gone is no error."""

    def remove_volume(self, name: str) -> None:
        """Remove a volume; one that is gone is no error. Raises EngineError while a container uses it."""

    def container(self, container: str) -> Container | None:
        """A close look at one container, by id; also at one that is not ours."""

    def containers(self) -> list[Container]:
        """Every container with this installation's mark, stopped ones too."""

    def logs(self, container: str, tail: int, *, since: datetime | None = None) -> list[LogLine]:
        """The last lines it wrote, with time stamps. Raises Gone."""

    def usage(self, container: str) -> Usage | None:
        """What it uses now; None when it does not run."""

    def events(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """What happens to containers of ours from now on.

        Ends when `stop` says so (asked at least once a second) and when the engine ends the stream.
        """
