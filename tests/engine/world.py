"""The real engine's surroundings, with the verbs that the contract of engines needs."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

import docker

from tests.deploy.engine_world import OWNER
from tests.engine.rig import LOGIN, NOBODYS_PORT, Rig
from webapp.deploy.docker import DockerEngine
from webapp.deploy.docker_wire import marks
from webapp.deploy.engine import Login


@dataclass
class DockerWorld:
    """See EngineWorld."""

    rig: Rig
    engine: DockerEngine = field(init=False)
    login: Login = LOGIN

    def __post_init__(self) -> None:
        self.engine = self.rig.engine()

    def reference(self, kind: str) -> str:
        if kind == "locked":
            return f"{self.rig.locked.address}/acme/web:v1"
        return self.rig.reference(f"acme/{'web' if kind == 'good' else kind}:v1")

    def nowhere(self) -> str:
        return f"127.0.0.1:{NOBODYS_PORT}/acme/web:v1"

    def forget(self, reference: str) -> None:
        """Forget what it was built as, too: else the engine has its layers all the same."""
        client = self.rig.docker.api
        with suppress(docker.errors.NotFound):
            client.remove_image(client.inspect_image(reference)["Id"], force=True)

    def by_hand(self, name: str, *, install: str = "") -> str:
        self.rig.docker.images.pull(self.reference("good"))
        labels = marks(replace(OWNER, install=install)) if install else {}
        return str(
            self.rig.docker.containers.run(self.reference("good"), name=name, labels=labels, detach=True).id
        )

    def stop_by_hand(self, container: str) -> None:
        self.rig.docker.api.stop(container, timeout=1)

    def remove_by_hand(self, container: str) -> None:
        self.rig.docker.api.remove_container(container, force=True)

    def volume_by_hand(self, name: str) -> None:
        self.rig.docker.api.create_volume(name)

    def has_volume(self, name: str) -> bool:
        try:
            return bool(self.rig.docker.api.inspect_volume(name))
        except docker.errors.NotFound:
            return False

    def free_port(self) -> int:
        return self.rig.free_port()

    @contextmanager
    def occupied(self, port: int) -> Iterator[None]:
        with socket.create_server(("127.0.0.1", port)):
            yield

    def stop_engine(self) -> None:
        self.rig.stop()

    def start_engine(self) -> None:
        self.rig.start()
