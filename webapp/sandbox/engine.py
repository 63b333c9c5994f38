"""A stand-in for the container engine: images of your choice, containers that live by the clock, and faults."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from webapp.deploy.engine import (
    Container,
    ContainerSpec,
    EngineInfo,
    Event,
    Gone,
    Image,
    Layer,
    Login,
    LogLine,
    MountKind,
    Owner,
    PortTaken,
    Restart,
    State,
    Usage,
)
from webapp.errors import EngineError, ForgeError
from webapp.sandbox.engine_box import Behaviour, Box, StoredImage

__all__ = ["Behaviour", "EngineStandIn", "SandboxEngine"]

LAYERS = (4_200_000, 31_500_000, 900_000)
LISTEN_EVERY = 0.05
AWAY = "The container engine does not answer."


@dataclass
class EngineFault:
    """An error for the next `times` calls of a method, before or after its change; `skip` calls pass first."""

    method: str
    before: bool
    error: ForgeError
    times: int = 1
    skip: int = 0

    def strikes(self, method: str, *, before: bool) -> bool:
        """Whether this call is the one; counts down."""
        if (method, before) != (self.method, self.before) or self.times <= 0:
            return False
        self.skip -= 1
        if self.skip >= 0:
            return False
        self.times -= 1
        return True


@dataclass
class EngineStandIn:
    """The state of one engine and its registry, open to look at and to change. It outlives the panel's restarts.

    `down`: it does not answer. `occupied` are ports that others listen on. `calls` lists what the panel asked.
    `on_call` hears of every call, before and after, and may raise anything. A pull takes `pull_seconds`.
    """

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], object] = time.sleep
    pull_seconds: float = 0.0
    down: bool = False
    occupied: set[int] = field(default_factory=set)
    registry: dict[str, StoredImage] = field(default_factory=dict)
    images: dict[str, StoredImage] = field(default_factory=dict)
    containers: dict[str, Box] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    faults: list[EngineFault] = field(default_factory=list)
    on_call: Callable[[str, str], None] | None = None
    lock: Any = field(default_factory=threading.RLock)
    happened: list[tuple[str, str]] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def bound(self, install: str) -> "SandboxEngine":
        """The engine as an installation of the panel sees it."""
        return SandboxEngine(self, install)

    @property
    def probe(self) -> "StandInProbe":
        """Knocks at ports as the containers would answer."""
        return StandInProbe(self)

    def put_image(
        self, repository: str, tag: str, *, behaviour: Behaviour = Behaviour.GOOD, has_health_check: bool = False,
        port: int = 8080, login: Login | None = None,
    ) -> None:  # fmt: skip
        """A tag at the registry; pushed again, it is another image."""
        reference = f"{repository}:{tag}"
        digest = sha256(f"{reference} {len(self.registry)}".encode()).hexdigest()
        self.registry[reference] = StoredImage(
            reference, f"sha256:{digest}", f"{repository}@sha256:{digest}", behaviour, has_health_check, port, login
        )  # fmt: skip

    def put_by_hand(self, name: str, *, install: str = "") -> str:
        """Somebody starts a container of theirs, or of another installation; returns its id."""
        owner = Owner(install, "theirs", 1, 1) if install else None
        image = StoredImage("theirs:1", "sha256:theirs", "", Behaviour.GOOD, False, 80)
        box = self.keep(Box(self.new_id(), name, image, owner, self.clock()))
        box.start(Restart.UNLESS_STOPPED, self.clock())
        return box.id

    def stop_by_hand(self, container: str) -> None:
        """Somebody stops a container."""
        self.containers[container].end(137, self.clock())
        self.tell(container, "die")

    def remove_by_hand(self, container: str) -> None:
        """Somebody removes a container."""
        del self.containers[container]
        self.tell(container, "destroy")

    def restart_engine(self) -> None:
        """The engine ends and comes back, and with it what is to come back by itself."""
        for box in self.containers.values():
            if box.state(self.clock()) is not State.RUNNING:
                continue
            policy = box.policy
            box.end(0, self.clock())
            if policy is not Restart.NO:
                box.start(policy, self.clock())

    def say(self, container_or_tag: str, text: str) -> None:
        """Have containers of a tag, or one container, write a line as soon as they start, or now."""
        self.words[container_or_tag] = text
        for box in self.containers.values():
            if box.id == container_or_tag:
                box.log.append(LogLine(self.clock(), text))

    def fail(
        self, method: str, *, before: bool, error: ForgeError | None = None, times: int = 1, skip: int = 0
    ) -> None:
        """Arrange for a call to fail, before or after its change."""
        self.faults.append(
            EngineFault(method, before, error or EngineError(AWAY, will_heal=True), times, skip)
        )

    def running(self) -> set[str]:
        """Ids of the containers that run."""
        return {box.id for box in self.containers.values() if box.state(self.clock()) is State.RUNNING}

    def new_id(self) -> str:
        """An id that nobody had."""
        self.count += 1
        return sha256(f"container {self.count}".encode()).hexdigest()

    def keep(self, box: Box) -> Box:
        """Have a container."""
        box.address = f"172.30.0.{len(self.containers) % 250 + 2}"
        self.containers[box.id] = box
        return box

    def tell(self, container: str, action: str) -> None:
        """Let listeners know."""
        self.happened.append((container, action))


@dataclass
class StandInProbe:
    """See `health.Probe`."""

    engine: EngineStandIn

    def listens(self, host: str, port: int, seconds: float) -> bool:
        """Whether a running container is to be found there."""
        at = self.engine.clock()
        for box in list(self.engine.containers.values()):
            if (
                box.spec
                and (host, port) in (box.spec.publish, (box.address, box.image.port))
                and box.is_ready(at)
            ):
                return True
        return False

    def status(self, url: str, seconds: float) -> int | None:
        """200, but for /missing."""
        host, _, rest = url.partition("://")[2].partition(":")
        port, _, path = rest.partition("/")
        if not self.listens(host, int(port), seconds):
            return None
        return 404 if path == "missing" else 200


class SandboxEngine:
    """See `Engine`."""

    def __init__(self, stand_in: EngineStandIn, install: str) -> None:
        self._it = stand_in
        self._install = install

    @contextmanager
    def _called(self, method: str, argument: str = "") -> Iterator[None]:
        it = self._it
        it.calls.append((method, argument))
        self._strike(method, before=True)
        if it.down:
            raise EngineError(AWAY, will_heal=True)
        with it.lock:
            yield
        self._strike(method, before=False)

    def _strike(self, method: str, *, before: bool) -> None:
        if self._it.on_call is not None:
            self._it.on_call(method, "before" if before else "after")
        for fault in self._it.faults:
            if fault.strikes(method, before=before):
                raise fault.error

    def info(self) -> EngineInfo:
        """Which engine answers."""
        with self._called("info"):
            return EngineInfo("stand-in", "1.41", "sandbox")

    def pull(self, image: str, login: Login | None, progress: Callable[[Layer], None]) -> Image:
        """Have the engine fetch an image."""
        with self._called("pull", image):
            found = self._it.registry.get(image)
            if image.startswith("nowhere."):
                raise EngineError("The registry cannot be reached.", will_heal=True)
            if found is None:
                raise EngineError(f"The registry has no {image}. Check the name and the tag.")
            if found.login is not None and found.login != login:
                raise EngineError("The registry refuses the account. Check it in the app's settings.")
        self._download(progress)
        with self._it.lock:
            self._it.images[found.id] = self._it.images[image] = found
        return _shown(found)

    def _download(self, progress: Callable[[Layer], None]) -> None:
        steps = 8
        for number, size in enumerate(LAYERS):
            for step in range(steps + 1):
                progress(Layer(f"layer{number}", "Downloading", size * step // steps, size))
                if self._it.pull_seconds:
                    self._it.sleep(self._it.pull_seconds / len(LAYERS) / steps)
            progress(Layer(f"layer{number}", "Pull complete", size, size))

    def image(self, image: str) -> Image | None:
        """An image, if the engine has it."""
        with self._called("image", image):
            found = self._it.images.get(image)
            return _shown(found) if found else None

    def create(self, spec: ContainerSpec) -> str:
        """Make a container."""
        with self._called("create", spec.name):
            it = self._it
            image = it.images.get(spec.image)
            if image is None:
                raise Gone(f"The engine does not have the image {spec.image}.")
            if any(box.name == spec.name for box in it.containers.values()):
                raise EngineError(f"Another container is called {spec.name}.")
            for mount in spec.mounts:
                if mount.kind is MountKind.VOLUME:
                    it.volumes.setdefault(mount.source, self._install)
            box = it.keep(Box(it.new_id(), spec.name, image, spec.owner, it.clock(), spec))
            it.tell(box.id, "create")
            return box.id

    def start(self, container: str, restart: Restart) -> None:
        """Start it."""
        with self._called("start", container):
            it, box = self._it, self._ours(container)
            if box is None:
                raise Gone("The container is not there any more.")
            if box.state(it.clock()) in (State.RUNNING, State.RESTARTING):
                box.policy = restart
                return
            self._take_port(box)
            box.start(restart, it.clock())
            if words := it.words.get(box.image.reference.rpartition(":")[2]):
                box.log.append(LogLine(it.clock(), words))
            it.tell(container, "start")

    def _take_port(self, box: Box) -> None:
        if box.spec is None or box.spec.publish is None:
            return
        port, running = box.spec.publish[1], self._it.running()
        others = (b for b in self._it.containers.values() if b.id in running and b.spec and b.spec.publish)
        if port in self._it.occupied or any(
            b.spec and b.spec.publish and b.spec.publish[1] == port for b in others
        ):
            raise PortTaken(f"Port {port} of this machine is taken.")

    def stop(self, container: str, seconds: int) -> None:
        """Stop it."""
        with self._called("stop", container):
            box = self._ours(container)
            if box is None:
                return
            box.end(143, self._it.clock())
            self._it.tell(container, "die")

    def remove(self, container: str) -> None:
        """Remove it."""
        with self._called("remove", container):
            if self._ours(container) is not None:
                del self._it.containers[container]
                self._it.tell(container, "destroy")

    def remove_volume(self, name: str) -> None:
        """Remove a volume that was made for a container of ours."""
        with self._called("remove_volume", name):
            it = self._it
            if name not in it.volumes:
                return
            users = [
                b.name for b in it.containers.values() if b.spec and name in [m.source for m in b.spec.mounts]
            ]
            if users:
                raise EngineError(f"The volume {name} is in use by {users[0]}.")
            if it.volumes[name] != self._install:
                raise EngineError(f"The volume {name} was not made here, so it stays.")
            del it.volumes[name]

    def container(self, container: str) -> Container | None:
        """A close look."""
        with self._called("container", container):
            box = self._it.containers.get(container)
            return box.seen(self._it.clock()) if box else None

    def containers(self) -> list[Container]:
        """Every container of ours."""
        with self._called("containers"):
            at = self._it.clock()
            return [
                b.seen(at)
                for b in self._it.containers.values()
                if b.owner and b.owner.install == self._install
            ]

    def logs(self, container: str, tail: int, *, since: datetime | None = None) -> list[LogLine]:
        """The last lines."""
        with self._called("logs", container):
            box = self._it.containers.get(container)
            if box is None:
                raise Gone("The container is not there any more.")
            lines = box.lines(self._it.clock())
            return [line for line in lines if since is None or (line.at and line.at >= since)][-tail:]

    def usage(self, container: str) -> Usage | None:
        """What it uses."""
        with self._called("usage", container):
            if container not in self._it.running():
                return None
            box = self._it.containers[container]
            limit = box.spec.memory if box.spec else 0
            return Usage(cpus=0.03, memory=24 * 1024 * 1024, memory_limit=limit, pids=3)

    def events(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """What happens from now on."""
        with self._called("events"):
            heard, healths = len(self._it.happened), self._healths()
        return self._listen(stop, heard, healths)

    def _listen(self, stop: Callable[[], bool], heard: int, healths: dict[str, str]) -> Iterator[Event]:
        while not stop() and not self._it.down:
            with self._it.lock:
                news = self._it.happened[heard:]
                heard += len(news)
                now = self._healths()
            news += [(c, f"health_status: {h}") for c, h in now.items() if h != healths.get(c, "starting")]
            healths = now
            yield from (Event(c, action) for c, action in news if self._is_ours(c))
            time.sleep(LISTEN_EVERY)

    def _healths(self) -> dict[str, str]:
        at = self._it.clock()
        found = {box.id: str(box.health(at)) for box in self._it.containers.values()}
        return {number: health for number, health in found.items() if health in ("healthy", "unhealthy")}

    def _is_ours(self, container: str) -> bool:
        box = self._it.containers.get(container)
        return box is None or (box.owner is not None and box.owner.install == self._install)

    def _ours(self, container: str) -> Box | None:
        box = self._it.containers.get(container)
        if box is not None and not self._is_ours(container):
            raise EngineError(f"The container {box.name} does not carry our mark, so it is left alone.")
        return box


def _shown(image: StoredImage) -> Image:
    return Image(image.id, image.digest, image.has_health_check, (image.port,))
