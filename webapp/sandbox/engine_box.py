"""A container of the engine's stand-in: what it does follows from its image and the time since its start."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from webapp.deploy.engine import Container, ContainerSpec, Health, Login, LogLine, Owner, Restart, State


class Behaviour(StrEnum):
    """What becomes of a container of an image."""

    GOOD = "good"
    SLOW = "slow"
    SICK = "sick"
    CRASH = "crash"
    DEAF = "deaf"
    STUBBORN = "stubborn"


READY_AFTER = {Behaviour.GOOD: 0.6, Behaviour.SLOW: 5.0, Behaviour.STUBBORN: 0.6}
SICK_AFTER, CRASH_AFTER, RESTART_AFTER = 2.0, 0.3, 1.0
"""Seconds: until a bad check counts, until a crash, and from one start of a crash loop to the next."""


@dataclass(frozen=True)
class StoredImage:
    """A tag at the registry, and what its containers do. `login` is what the registry wants to see."""

    reference: str
    id: str
    digest: str
    behaviour: Behaviour
    has_health_check: bool
    port: int
    login: Login | None = None


@dataclass
class Box:
    """One container. `clock` is the engine's."""

    id: str
    name: str
    image: StoredImage
    owner: Owner | None
    made_at: datetime
    spec: ContainerSpec | None = None
    address: str = ""
    policy: Restart = Restart.NO
    started_at: datetime | None = None
    ended_at: datetime | None = None
    code: int | None = None
    log: list[LogLine] = field(default_factory=list)

    @property
    def image_id(self) -> str:
        """The id of its image."""
        return self.image.id

    def start(self, policy: Restart, at: datetime) -> None:
        """It runs from now on."""
        self.policy, self.started_at, self.ended_at, self.code = policy, at, None, None
        self.log += [LogLine(at, text, is_error) for text, is_error in _first_words(self.image.behaviour)]

    def end(self, code: int, at: datetime) -> None:
        """It ends, and stays ended."""
        self.policy = Restart.NO
        if self.started_at is not None and self.ended_at is None:
            self.ended_at, self.code = at, code

    def state(self, at: datetime) -> State:
        """What it does at a moment."""
        if self.started_at is None:
            return State.CREATED
        if self.ended_at is not None:
            return State.EXITED
        if self.image.behaviour is Behaviour.CRASH and self._ran(at) >= CRASH_AFTER:
            if self.policy is Restart.NO:
                return State.EXITED
            return State.RESTARTING if self._ran(at) % RESTART_AFTER >= CRASH_AFTER else State.RUNNING
        return State.RUNNING

    def restarts(self, at: datetime) -> int:
        """How often a crash loop has started it again."""
        looping = self.image.behaviour is Behaviour.CRASH and self.policy is not Restart.NO
        return int(self._ran(at) / RESTART_AFTER) if looping and self.started_at else 0

    def lines(self, at: datetime) -> list[LogLine]:
        """What it wrote; a stubborn one writes on each second."""
        ticks = int(self._ran(at)) if self.image.behaviour is Behaviour.STUBBORN and self.started_at else 0
        begun = self.started_at or at
        told = [LogLine(begun + timedelta(seconds=n), f"tick {n}") for n in range(1, ticks + 1)]
        return self.log + told

    def health(self, at: datetime) -> Health:
        """What its image's check says."""
        if not self.image.has_health_check or self.state(at) is not State.RUNNING:
            return Health.NONE
        if self.image.behaviour is Behaviour.SICK:
            return Health.UNHEALTHY if self._ran(at) >= SICK_AFTER else Health.STARTING
        return Health.HEALTHY if self.is_ready(at) else Health.STARTING

    def is_ready(self, at: datetime) -> bool:
        """Whether it answers on its port."""
        after = READY_AFTER.get(self.image.behaviour)
        return after is not None and self.state(at) is State.RUNNING and self._ran(at) >= after

    def seen(self, at: datetime) -> Container:
        """As the engine reports it."""
        state, health = self.state(at), self.health(at)
        crashed = self.image.behaviour is Behaviour.CRASH and state in (State.EXITED, State.RESTARTING)
        spec = self.spec
        return Container(
            id=self.id,
            name=self.name,
            image_id=self.image.id,
            state=state,
            health=health,
            owner=self.owner,
            exit_code=3 if crashed and self.code is None else self.code,
            restarts=self.restarts(at),
            addresses={spec.network or "bridge": self.address} if spec and state is State.RUNNING else {},
            health_output="not ready" if health is Health.UNHEALTHY else "",
            mounts=spec.mounts if spec else (),
        )

    def _ran(self, at: datetime) -> float:
        return (at - self.started_at) / timedelta(seconds=1) if self.started_at else 0.0


def _first_words(behaviour: Behaviour) -> tuple[tuple[str, bool], ...]:
    if behaviour is Behaviour.CRASH:
        return (("starting", False), ("fatal: no database", True))
    if behaviour is Behaviour.STUBBORN:
        return (("tick 0", False),)
    return (("starting", False), ("listening", False))
