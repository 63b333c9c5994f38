"""A stand-in for the container engine: images of your choice, containers that live by the clock, and faults."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from webapp.deploy.engine import (
    Container,
    ContainerSpec,
    EngineInfo,
    Event,
    Gone,
    Health,
    Image,
    Layer,
    Login,
    LogLine,
    MountKind,
    PortTaken,
    Restart,
    State,
    Usage,
)
from webapp.errors import EngineError
from webapp.sandbox.engine_box import Behaviour, Box, StoredImage
from webapp.sandbox.engine_world import AWAY, EngineState

__all__ = ["Behaviour", "EngineStandIn", "SandboxEngine"]

LAYERS, STEPS = (4_200_000, 31_500_000, 900_000), 8
LISTEN_EVERY = 0.05
MEMORY = 24 * 1024 * 1024


class EngineStandIn(EngineState):
    """One engine with its registry. A panel that starts anew is bound to the same one again."""

    def bound(self, install: str) -> "SandboxEngine":
        """The engine as an installation of the panel sees it."""
        return SandboxEngine(self, install)


class SandboxEngine:
    """See `Engine`. Of each call either everything has happened when it raises, or nothing."""

    def __init__(self, state: EngineState, install: str) -> None:
        self._it = state
        self._install = install

    @contextmanager
    def _called(self, method: str, argument: str = "") -> Iterator[None]:
        self._begin(method, argument)
        with self._it.lock:
            self._it.answer()
            yield
        self._it.strike(method, before=False)

    def _begin(self, method: str, argument: str) -> None:
        self._it.calls.append((method, argument))
        self._it.strike(method, before=True)

    def info(self) -> EngineInfo:
        """Which engine answers."""
        with self._called("info"):
            return EngineInfo("stand-in", "1.41", "sandbox")

    def pull(self, image: str, login: Login | None, progress: Callable[[Layer], None]) -> Image:
        """Have the engine fetch an image."""
        it = self._it
        self._begin("pull", image)
        with it.lock:
            it.answer()
            found, outages = self._offered(image, login), it.outages
        for layer in _layers(it):
            progress(layer)  # without the lock: others go on meanwhile
            if it.outages != outages:
                raise EngineError(AWAY, will_heal=True)
        with it.lock:
            it.answer()
            it.images[found.id] = it.images[image] = found
        it.strike("pull", before=False)
        return _shown(found)

    def _offered(self, image: str, login: Login | None) -> StoredImage:
        found = self._it.registry.get(image)
        if image.startswith("nowhere."):
            raise EngineError("The registry cannot be reached.", will_heal=True)
        if found is None:
            raise EngineError(f"The registry has no {image}. Check the name and the tag.")
        if found.login is not None and found.login != login:
            raise EngineError("The registry refuses the account. Check it in the app's settings.")
        return found

    def image(self, image: str) -> Image | None:
        """An image, if the engine has it."""
        with self._called("image", image):
            return _shown(found) if (found := self._it.images.get(image)) else None

    def create(self, spec: ContainerSpec) -> str:
        """Make a container."""
        with self._called("create", spec.name):
            it = self._it
            image = it.images.get(spec.image)
            if spec.owner.install != self._install:
                raise EngineError("A container can only be made with the mark of this installation.")
            if image is None:
                raise Gone(f"The engine does not have the image {spec.image}.")
            if any(box.name == spec.name for box in it.containers.values()):
                raise EngineError(f"Another container is called {spec.name}.")
            it.networks.add(spec.network or "bridge")
            for mount in spec.mounts:
                if mount.kind is MountKind.VOLUME:
                    it.volumes.setdefault(mount.source, self._install)
            return it.keep(Box(it.new_id(), spec.name, image, spec.owner, it.clock(), spec)).id

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
            it.tell(box, "start")

    def _take_port(self, box: Box) -> None:
        if box.spec is None or box.spec.publish is None:
            return
        port = box.spec.publish[1]
        specs = [self._it.containers[number].spec for number in self._it.running()]
        if port in self._it.occupied or port in [spec.publish[1] for spec in specs if spec and spec.publish]:
            raise PortTaken(f"Port {port} of this machine is taken.")

    def stop(self, container: str, seconds: int) -> None:
        """Stop it."""
        with self._called("stop", container):
            if box := self._ours(container):
                self._it.halt(box)

    def remove(self, container: str) -> None:
        """Remove it."""
        with self._called("remove", container):
            if box := self._ours(container):
                self._it.drop(box)

    def remove_volume(self, name: str) -> None:
        """Remove a volume that was made for a container of ours."""
        with self._called("remove_volume", name):
            it = self._it
            if name not in it.volumes:
                return
            for box in it.containers.values():
                if box.spec and name in [mount.source for mount in box.spec.mounts]:
                    raise EngineError(f"The volume {name} is in use by {box.name}.")
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
            return [box.seen(at) for box in self._it.containers.values() if self._is_ours(box)]

    def logs(self, container: str, tail: int, *, since: datetime | None = None) -> list[LogLine]:
        """The last lines."""
        with self._called("logs", container):
            box = self._it.containers.get(container)
            if box is None:
                raise Gone("The container is not there any more.")
            lines = box.lines(box.ended_at or self._it.clock())  # one that has ended writes no more
            return [line for line in lines if since is None or (line.at and line.at >= since)][
                -max(1, tail) :
            ]

    def usage(self, container: str) -> Usage | None:
        """What it uses."""
        with self._called("usage", container):
            if container not in self._it.running():
                return None
            box = self._it.containers[container]
            limit = box.spec.memory if box.spec else 0
            return Usage(cpus=0.03, memory=min(MEMORY, limit // 2 or MEMORY), memory_limit=limit, pids=3)

    def events(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """What happens from now on."""
        with self._called("events"):
            return self._listen(stop, len(self._it.happened), self._turns(), self._it.outages)

    def _listen(
        self, stop: Callable[[], bool], heard: int, turns: dict[str, str], outages: int
    ) -> Iterator[Event]:
        it = self._it
        while not stop():
            with it.lock:
                told, heard = it.happened[heard:], len(it.happened)
                before, turns = turns, self._turns()
                ended = it.outages != outages
            yield from (event for install, event in told if install == self._install)
            yield from (Event(c, turn) for c, turn in turns.items() if turn != before.get(c))
            if ended:
                return
            time.sleep(LISTEN_EVERY)  # real time: whoever listens does so in a thread of its own

    def _turns(self) -> dict[str, str]:
        """What our containers came to by themselves, as the clock has it, in the words of events."""
        at, turns = self._it.clock(), {}
        for box in filter(self._is_ours, self._it.containers.values()):
            health = box.health(at)
            if health in (Health.HEALTHY, Health.UNHEALTHY):
                turns[box.id] = f"health_status: {health}"
            elif box.ended_at is None and box.state(at) in (State.EXITED, State.RESTARTING):
                turns[box.id] = "die"
        return turns

    def _is_ours(self, box: Box) -> bool:
        return box.owner is not None and box.owner.install == self._install

    def _ours(self, container: str) -> Box | None:
        box = self._it.containers.get(container)
        if box is not None and not self._is_ours(box):
            raise EngineError(f"The container {box.name} does not carry our mark, so it is left alone.")
        return box


def _layers(it: EngineState) -> Iterator[Layer]:
    """How a pull goes on, in the time it takes."""
    for number, size in enumerate(LAYERS):
        for step in range(STEPS + 1):
            if step and it.pull_seconds:
                it.sleep(it.pull_seconds / len(LAYERS) / STEPS)
            yield Layer(f"layer{number}", "Downloading", size * step // STEPS, size)
        yield Layer(f"layer{number}", "Pull complete", size, size)


def _shown(image: StoredImage) -> Image:
    return Image(image.id, image.digest, image.has_health_check, (image.port,))
