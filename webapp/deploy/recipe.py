"""How one version of an instance runs: all that is needed to make its container, frozen at its deploy. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from webapp.deploy.engine import ContainerSpec, Mount, MountKind, Owner, Restart
from webapp.deploy.health import Check, CheckKind

MEBIBYTE = 1024 * 1024
LEAST_SECRET = 4
"""Characters: hiding shorter values would make every text unreadable, and hide nothing."""


class Reach(StrEnum):
    """How Nginx Proxy Manager reaches a container: by its name on a shared network, or by a port of this machine."""

    NETWORK = "network"
    PORT = "port"


class Strategy(StrEnum):
    """How a new version takes over. AUTO: blue-green, unless something forbids two copies."""

    AUTO = "auto"
    BLUE_GREEN = "blue-green"
    STOP_FIRST = "stop-first"


@dataclass(frozen=True)
class Recipe:
    """How a version runs. `secrets` are the names in `env` whose values nobody may see.

    Memory in MiB, `cpus` in cores (0: no limit), `drain` and `stop_seconds` in seconds. `publish_on` is the
    address of this machine where the port is published, `host_port` a fixed port there.
    """

    image: str
    tag: str
    port: int
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    memory: int = 512
    cpus: float = 0.0
    pids: int = 256
    drop_all: bool = False
    restart: Restart = Restart.UNLESS_STOPPED
    reach: Reach = Reach.PORT
    network: str = ""
    publish_on: str = "127.0.0.1"
    host_port: int | None = None
    scheme: str = "http"
    check: Check = field(default_factory=Check)
    strategy: Strategy = Strategy.AUTO
    drain: int = 5
    stop_seconds: int = 10

    @property
    def reference(self) -> str:
        """What is pulled."""
        return f"{self.image}:{self.tag}"

    def dumps(self) -> str:
        """As text, for keeping; it holds secrets."""
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> "Recipe":
        """The recipe again."""
        raw: dict[str, Any] = json.loads(text)
        return cls(
            **raw
            | {
                "command": tuple(raw["command"]),
                "secrets": tuple(raw["secrets"]),
                "mounts": tuple(
                    Mount(**mount | {"kind": MountKind(mount["kind"])}) for mount in raw["mounts"]
                ),
                "restart": Restart(raw["restart"]),
                "reach": Reach(raw["reach"]),
                "check": Check(**raw["check"] | {"kind": CheckKind(raw["check"]["kind"])}),
                "strategy": Strategy(raw["strategy"]),
            }
        )

    def masked(self, text: str) -> str:
        """A text of the container without the secrets it was given; the longest first, as one may hold another."""
        values = {self.env.get(name, "") for name in self.secrets}
        for value in sorted(values, key=len, reverse=True):
            if len(value) >= LEAST_SECRET:
                text = text.replace(value, "•••")
        return text

    def container(self, name: str, image: str, owner: Owner, host_port: int | None) -> ContainerSpec:
        """The container that the recipe describes."""
        return ContainerSpec(
            name=name,
            image=image,
            owner=owner,
            port=self.port,
            env=self.env,
            command=self.command,
            mounts=self.mounts,
            labels=self.labels,
            network=self.network if self.reach is Reach.NETWORK else "",
            publish=(self.publish_on, host_port) if host_port else None,
            memory=self.memory * MEBIBYTE,
            cpus=self.cpus,
            pids=self.pids,
            restart=self.restart,
            drop_all=self.drop_all,
        )


def takeover(recipe: Recipe) -> tuple[Strategy, str]:
    """How a new version takes over, and why; AUTO is decided here.

    ==================================  ===========
    a volume or folder it writes to     stop-first
    a fixed port on the machine         stop-first
    neither                             blue-green
    ==================================  ===========
    """
    if recipe.strategy is not Strategy.AUTO:
        return recipe.strategy, "chosen in the app's settings"
    shared = next((mount for mount in recipe.mounts if not mount.read_only), None)
    if shared is not None:
        return Strategy.STOP_FIRST, f"two copies must not write to {shared.source} at the same time"
    if recipe.reach is Reach.PORT and recipe.host_port:
        return Strategy.STOP_FIRST, f"only one copy can have port {recipe.host_port} of this machine"
    return Strategy.BLUE_GREEN, "the new version starts beside the old one"
