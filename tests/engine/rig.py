"""A real Docker engine and real registries in a temporary folder, with verbs for what happens to them."""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import docker

from tests.engine import images
from tests.engine.servers import PATH, Registry, Server, answers, wait_until
from webapp.deploy.docker import DockerEngine
from webapp.deploy.engine import Login

SWITCH = "TINY_FORGE_ENGINE_TESTS"
NEEDED = ("dockerd", "docker-registry", "busybox", "htpasswd")
REGISTRY_PORT, LOCKED_PORT, NOBODYS_PORT = 15000, 15001, 15009
FIRST_FREE_PORT = 15100
LOGIN = Login("forge", "s3cret-reg")
LOCK = Path(tempfile.gettempdir()) / "tiny-forge-engine.lock"


def missing() -> str:
    """Why no engine can be started here; blank when one can."""
    if os.environ.get(SWITCH) != "1":
        return f"set {SWITCH}=1: these tests start a Docker engine of their own as root"
    if os.geteuid() != 0:
        return "a Docker engine can only be started by root"
    absent = [name for name in NEEDED if shutil.which(name, path=PATH) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


class Rig:
    """One engine and two registries: `registry` for all, `locked` for LOGIN. Start it, then `fill` it."""

    def __init__(self) -> None:
        # A socket's path has at most 107 bytes, so no folder of pytest's.
        self.folder = Path(tempfile.mkdtemp(prefix="forge-", dir=tempfile.gettempdir()))
        self.socket = self.folder / "docker.sock"
        self.host = f"unix://{self.socket}"
        self.registry = Registry(self.folder, REGISTRY_PORT)
        self.locked = Registry(self.folder, LOCKED_PORT, LOGIN)
        self._next_port = FIRST_FREE_PORT
        self._lock = LOCK.open("w")
        self._dockerd = Server(
            self.folder, "dockerd",
            "dockerd", "--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec",
            "--pidfile", f"{self.folder}/dockerd.pid", "-H", self.host,
        )  # fmt: skip

    @property
    def docker(self) -> docker.DockerClient:
        """The engine as somebody beside the panel sees it."""
        return docker.DockerClient(base_url=self.host, version="auto", timeout=60)

    def engine(self, install: str = "install-1", **options: object) -> DockerEngine:
        """The engine as the panel sees it."""
        binds = options.pop("binds_dir", None)
        return DockerEngine(str(options.pop("host", self.host)), install, binds, **options)  # type: ignore[arg-type]

    def start(self) -> None:
        """Start the engine, once no other test run has one. Raises TimeoutError when it is not its turn soon."""
        wait_until(self._has_turn, "another test run has an engine (with xdist: --dist loadgroup)", 100)
        self._dockerd.start(self._is_ready)

    def stop(self) -> None:
        """Stop the engine and its containers."""
        self._dockerd.stop()

    def restart(self) -> None:
        """Stop the engine and start it again."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """The engine takes connections and does not answer."""
        self._dockerd.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """The engine answers again."""
        self._dockerd.send(signal.SIGCONT)

    def fill(self) -> None:
        """Build every image of `images`, and push them to the registries."""
        images.build_all(self.docker)
        for local, remote in images.REMOTES.items():
            for name in remote:
                self.push(local, name)
        self.push(images.LOCKED, "acme/web:v1", self.locked, LOGIN)

    def build(self, tag: str, dockerfile: str, **arguments: str) -> None:
        """Build an image; `FROM rig-base:1` is there."""
        images.build(self.docker, tag, dockerfile, **arguments)

    def push(
        self, local: str, remote: str, registry: Registry | None = None, login: Login | None = None
    ) -> str:
        """Push an image of the engine as `repository:tag`; returns its whole reference."""
        reference = f"{(registry or self.registry).address}/{remote}"
        client = self.docker.api
        client.tag(local, *reference.rsplit(":", 1))
        account = {"username": login.user, "password": login.password} if login else {}
        for message in client.push(reference, stream=True, decode=True, auth_config=account):
            if "error" in message:
                raise RuntimeError(message["error"])
        client.remove_image(reference, noprune=True)
        return reference

    def reference(self, remote: str) -> str:
        """The whole reference of `repository:tag` at the open registry."""
        return f"{self.registry.address}/{remote}"

    def address_of(self, name: str) -> str | None:
        """The address of a container, for those who cannot ask the engine's DNS server."""
        with suppress(docker.errors.NotFound):
            networks = self.docker.api.inspect_container(name)["NetworkSettings"]["Networks"]
            return next((at["IPAddress"] for at in networks.values() if at["IPAddress"]), None)
        return None

    def free_port(self) -> int:
        """A port that nobody listens on, another one each time."""
        self._next_port += 1
        return self._next_port if not answers(self._next_port) else self.free_port()

    def clean_up(self) -> None:
        """Remove every container, volume and network that tests made; images stay."""
        client = self.docker.api
        for container in client.containers(all=True):
            with suppress(docker.errors.APIError):
                client.remove_container(container["Id"], force=True, v=True)
        for volume in client.volumes()["Volumes"] or []:
            client.remove_volume(volume["Name"], force=True)
        for network in client.networks():
            if network["Name"] not in ("bridge", "host", "none"):
                client.remove_network(network["Id"])

    def end(self) -> None:
        """Stop everything and leave nothing behind."""
        for part in (self, self.registry, self.locked):
            with suppress(subprocess.TimeoutExpired):
                part.stop()
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in reversed([mount for mount in mounts if mount.startswith(f"{self.folder}/")]):
            subprocess.run(["umount", "-l", mount], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    def _has_turn(self) -> bool:
        """Two engines would write the same firewall rules."""
        with suppress(BlockingIOError):
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    def _is_ready(self) -> bool:
        try:
            client = docker.APIClient(base_url=self.host, version="1.41", timeout=2)
            return bool(client.ping())
        except (docker.errors.DockerException, OSError):
            return False


@contextmanager
def running_rig() -> Iterator[Rig]:
    """A rig with everything started and pushed, for as long as the block lasts."""
    rig = Rig()
    try:
        rig.start()
        rig.registry.start()
        rig.locked.start()
        rig.fill()
        yield rig
    finally:
        rig.end()
