"""The state of the engine's stand-in: images, containers, volumes, faults, and who acts beside the panel."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from urllib.parse import urlsplit

from webapp.deploy.engine import Event, Login, LogLine, Owner, Restart, State
from webapp.errors import EngineError, ForgeError
from webapp.sandbox.engine_box import Behaviour, Box, StoredImage

AWAY = "The container engine does not answer."
TERMINATED, KILLED = 143, 137
"""Exit codes of a process that ended when it was asked to, and of one that had to be ended."""

ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared with, never bound


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
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


class EngineState:
    """One engine and its registry, open to look at and to change. It outlives the panel's restarts.

    `occupied` are ports that others listen on. `volumes` has for each who made it. `calls` lists what the panel
    asked. `on_call` hears of every call, before and after, and may raise anything. A pull takes `pull_seconds`.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], object] = time.sleep,
        pull_seconds: float = 0.0,
    ) -> None:
        self.clock, self.sleep, self.pull_seconds = clock, sleep, pull_seconds
        self.lock = threading.RLock()
        self.registry: dict[str, StoredImage] = {}
        self.images: dict[str, StoredImage] = {}
        self.containers: dict[str, Box] = {}
        self.networks: set[str] = {"bridge"}
        self.volumes: dict[str, str] = {}
        self.occupied: set[int] = set()
        self.words: dict[str, str] = {}
        self.calls: list[tuple[str, str]] = []
        self.faults: list[EngineFault] = []
        self.on_call: Callable[[str, str], None] | None = None
        self.happened: list[tuple[str, Event]] = []
        self.outages = 0
        self._down = False
        self._made = 0
        self._pushes: Counter[str] = Counter()

    @property
    def down(self) -> bool:
        """Whether it does not answer; what is under way when it goes down is lost."""
        return self._down

    @down.setter
    def down(self, value: bool) -> None:
        with self.lock:
            self.outages += value and not self._down
            self._down = value

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
        with self.lock:
            again = self._pushes[reference]
            digest = sha256(f"{reference} {again}".encode() if again else reference.encode()).hexdigest()
            self._pushes[reference] += 1
            self.registry[reference] = StoredImage(
                reference, f"sha256:{digest}", f"{repository}@sha256:{digest}", behaviour, has_health_check, port,
                login,
            )  # fmt: skip

    def put_by_hand(self, name: str, *, install: str = "") -> str:
        """Somebody starts a container of theirs, or of another installation; returns its id."""
        owner = Owner(install, "theirs", 1, 1) if install else None
        image = StoredImage("theirs:1", "sha256:theirs", "", Behaviour.GOOD, False, 80)
        with self.lock:
            box = self.keep(Box(self.new_id(), name, image, owner, self.clock()))
            box.start(Restart.UNLESS_STOPPED, self.clock())
            self.tell(box, "start")
            return box.id

    def stop_by_hand(self, container: str) -> None:
        """Somebody stops a container."""
        with self.lock:
            self.halt(self.containers[container])

    def remove_by_hand(self, container: str) -> None:
        """Somebody removes a container."""
        with self.lock:
            self.drop(self.containers[container])

    def restart_engine(self) -> None:
        """The engine ends and comes back, and with it what is to come back by itself."""
        with self.lock:
            self.outages += 1
            at = self.clock()
            for box in self.containers.values():
                policy, loops = box.policy, box.image.behaviour is Behaviour.CRASH
                if box.state(at) is not State.RUNNING or (loops and policy is not Restart.NO):
                    continue  # a crash loop goes on where it was, so that its restarts still count
                box.end(TERMINATED, at)
                if policy is not Restart.NO:
                    box.start(policy, at)

    def say(self, container_or_tag: str, text: str) -> None:
        """Have containers of a tag, or one container, write a line as soon as they start, or now."""
        with self.lock:
            self.words[container_or_tag] = text
            if box := self.containers.get(container_or_tag):
                box.log.append(LogLine(self.clock(), text))

    def fail(
        self, method: str, *, before: bool, error: ForgeError | None = None, times: int = 1, skip: int = 0
    ) -> EngineFault:
        """Arrange for a call to fail, before or after its change; returns the fault."""
        fault = EngineFault(method, before, error or EngineError(AWAY, will_heal=True), times, skip)
        with self.lock:
            self.faults.append(fault)
        return fault

    def running(self) -> set[str]:
        """Ids of the containers that run."""
        with self.lock:
            at = self.clock()
            return {box.id for box in self.containers.values() if box.state(at) is State.RUNNING}

    def strike(self, method: str, *, before: bool) -> None:
        """Raise what was arranged for this moment of a call."""
        if self.on_call is not None:
            self.on_call(method, "before" if before else "after")
        with self.lock:
            fault = next((f for f in self.faults if f.strikes(method, before=before)), None)
        if fault is not None:
            raise fault.error

    def answer(self) -> None:
        """Raise while the engine is down."""
        if self._down:
            raise EngineError(AWAY, will_heal=True)

    def new_id(self) -> str:
        """An id that nobody had."""
        self._made += 1
        return sha256(f"container {self._made}".encode()).hexdigest()

    def keep(self, box: Box) -> Box:
        """Have a container, at an address that no other has."""
        taken = {other.address for other in self.containers.values()}
        addresses = (f"172.30.{number // 256}.{number % 256}" for number in count(2))
        box.address = next(address for address in addresses if address not in taken)
        self.containers[box.id] = box
        self.tell(box, "create")
        return box

    def halt(self, box: Box) -> None:
        """It ends and stays ended; one that does not run keeps the exit code it has."""
        at = self.clock()
        state = box.state(at)
        if state is State.RUNNING:
            box.end(KILLED if box.image.behaviour is Behaviour.STUBBORN else TERMINATED, at)
            self.tell(box, "die")
        elif state is State.RESTARTING:
            box.end(box.seen(at).exit_code or 0, at)
        else:
            box.policy = Restart.NO

    def drop(self, box: Box) -> None:
        """It is gone."""
        del self.containers[box.id]
        self.tell(box, "destroy")

    def tell(self, box: Box, action: str) -> None:
        """Let listeners know."""
        self.happened.append((box.owner.install if box.owner else "", Event(box.id, action)))


@dataclass
class StandInProbe:
    """See `health.Probe`."""

    engine: EngineState

    def listens(self, host: str, port: int, seconds: float) -> bool:
        """Whether a container that is ready is to be found there."""
        with self.engine.lock:
            at = self.engine.clock()
            return any(
                _is_at(box, host, port) and box.is_ready(at) for box in self.engine.containers.values()
            )

    def status(self, url: str, seconds: float) -> int | None:
        """200, but for /missing."""
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if not self.listens(parts.hostname or "", port, seconds):
            return None
        return 404 if parts.path == "/missing" else 200


def _is_at(box: Box, host: str, port: int) -> bool:
    """Whether what the container listens on is to be found at an address: its own, or one of the machine."""
    if box.spec is None:
        return False
    if (host, port) == (box.address, box.image.port):
        return True
    if box.spec.publish is None or box.spec.port != box.image.port:
        return False
    address, published = box.spec.publish
    return port == published and (address in ANY_ADDRESS or address == host)
