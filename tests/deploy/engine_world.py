"""What the contract of engines needs of an engine's surroundings, and the values its tests share."""

import time
from contextlib import AbstractContextManager
from typing import Protocol

from webapp.deploy.engine import Container, ContainerSpec, Engine, Login, Owner

INSTALL = "install-1"
OWNER = Owner(INSTALL, "blog", 7, 3)
PORT = 8080
PATIENCE = 15.0
UNKNOWN = "f" * 64
"""The id of nothing."""


class EngineWorld(Protocol):
    """One engine with a registry, and the same verbs for somebody who acts beside the panel.

    Images by kind: `good` listens on PORT and has no health check; `healthy` has one that passes; `sick` one that
    fails with the words "not ready"; `crash` writes "starting", and "fatal: no database" as an error, and ends with
    code 3; `stubborn` writes a line each second and does not end when asked to; `locked` is `good` at a registry
    that wants `login`.
    """

    @property
    def engine(self) -> Engine:
        """The engine under test, bound to the installation INSTALL."""

    @property
    def login(self) -> Login:
        """An account at the registry of `locked`."""

    def reference(self, kind: str) -> str:
        """The `repository:tag` of a kind of image, at a registry that answers."""

    def nowhere(self) -> str:
        """A reference at a registry that does not answer."""

    def forget(self, reference: str) -> None:
        """Take an image away from the engine; the registry keeps it."""

    def by_hand(self, name: str, *, install: str = "") -> str:
        """Somebody makes and starts a container: without labels, or marked as another installation's."""

    def stop_by_hand(self, container: str) -> None:
        """Somebody stops a container of ours."""

    def remove_by_hand(self, container: str) -> None:
        """Somebody removes a container of ours."""

    def volume_by_hand(self, name: str) -> None:
        """Somebody makes a volume."""

    def has_volume(self, name: str) -> bool:
        """Whether the engine has such a volume."""

    def free_port(self) -> int:
        """A port of the machine that nobody listens on."""

    def occupied(self, port: int) -> AbstractContextManager[None]:
        """Somebody listens on a port of the machine, for a while."""

    def stop_engine(self) -> None:
        """The engine does not answer any more."""

    def start_engine(self) -> None:
        """The engine answers again."""


def pulled(world: EngineWorld, kind: str) -> str:
    """The id of an image of this kind, which the engine has."""
    login = world.login if kind == "locked" else None
    return world.engine.pull(world.reference(kind), login, lambda layer: None).id


def spec(world: EngineWorld, kind: str = "good", **fields: object) -> ContainerSpec:
    """A container of ours of this kind, with the fields that matter to a test."""
    defaults: dict[str, object] = {"name": "forge-blog-prod-3", "owner": OWNER, "port": PORT}
    return ContainerSpec(**{**defaults, "image": pulled(world, kind), **fields})  # type: ignore[arg-type]


def made(world: EngineWorld, kind: str = "good", **fields: object) -> str:
    """The id of a container of ours that was made."""
    return world.engine.create(spec(world, kind, **fields))


def started(world: EngineWorld, kind: str = "good", **fields: object) -> str:
    """The id of a container of ours that was made and started."""
    wanted = spec(world, kind, **fields)
    number = world.engine.create(wanted)
    world.engine.start(number, wanted.restart)
    return number


def seen(world: EngineWorld, container: str) -> Container:
    """A close look at a container that is there."""
    found = world.engine.container(container)
    assert found is not None
    return found


def eventually(holds, seconds: float = PATIENCE) -> bool:  # type: ignore[no-untyped-def]
    """Whether something comes to hold in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return bool(holds())
