"""The real engine: what `Engine` asks, said to Docker."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from webapp.deploy import docker_pull, docker_text, docker_wire, power
from webapp.deploy.docker_errors import Call
from webapp.deploy.docker_http import Http, Messages
from webapp.deploy.docker_network import make_network
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
    Mount,
    MountKind,
    Restart,
    Usage,
)
from webapp.deploy.guard import INSTALL, guard
from webapp.errors import EngineError

Json = dict[str, Any]


class DockerEngine:
    """The engine at an address such as unix:///var/run/docker.sock or tcp://socket-proxy:2375; see `Engine`.

    Containers may be given folders below `binds_dir`. Time limits in seconds: for a look, for a change, and for
    the silence of a pull. One object may be used by many threads.
    """

    def __init__(
        self, host: str, install: str, binds_dir: Path | None, *,
        look: int = 15, change: int = 90, silence: int = 300,
    ) -> None:  # fmt: skip
        self._http = Http(host, look, change, silence)
        self._install = install
        self._binds_dir = binds_dir
        self._networks = threading.Lock()

    def info(self) -> EngineInfo:
        """Which engine answers."""
        call = Call("ask which engine it is", "GET /version")
        return self._http.ask(call, lambda client: docker_wire.info(client.version(api_version=False)))

    def pull(self, image: str, login: Login | None, progress: Callable[[Layer], None]) -> Image:
        """Have the engine fetch `repository:tag`; `progress` may raise to give up, and is asked in silence, too."""
        repository, tag = power.parse_image(image)
        docker_pull.pull(self._http, repository, tag, login, progress)
        found = self._image(f"{repository}:{tag}", repository)
        if found is None:
            raise EngineError(f"The engine pulled {image}, and lost it again.", will_heal=True)
        return found

    def image(self, image: str) -> Image | None:
        """An image by id or reference, if the engine has it."""
        return self._image(image, image.rpartition(":")[0])

    def create(self, spec: ContainerSpec) -> str:
        """Make a container without starting it; returns its id. Raises InvalidInput for what it may not be given."""
        name = power.parse_container_name(spec.name)
        body = guard(docker_wire.create_body(spec), self._binds_dir)
        if spec.owner.install != self._install:
            raise EngineError("A container can only be made with the mark of this installation.")
        if spec.network:
            with self._networks:
                make_network(self._http, spec.network, self._install)
        call = Call(f"make the container {name}", "POST /containers/create", changing=True)
        return self._http.ask(
            call,
            lambda client: str(client.create_container_from_config(body, name)["Id"]),
            secrets=tuple(spec.env.values()),
        )

    def start(self, container: str, restart: Restart) -> None:
        """Start it, with this restart policy; one that runs is left alone. Raises Gone and PortTaken."""
        details = self._ours(container)
        if details is None:
            raise Gone("The container is not there any more.")
        for mount in docker_wire.container(details).mounts:
            self._check_folder(mount)
        self._set_restart(details, restart)
        if not details["State"]["Running"]:
            call = _change(details, "start {}", "POST /containers/{}/start")
            self._http.ask(call, lambda client: client.start(details["Id"]))

    def stop(self, container: str, seconds: int) -> None:
        """Keep the engine from restarting it, ask it to end, and end it after so many seconds."""
        details = self._ours(container)
        if details is None:
            return
        try:
            self._set_restart(details, Restart.NO)
            call = _change(details, "stop {}", "POST /containers/{}/stop")
            self._http.ask(call, lambda client: client.stop(details["Id"], timeout=seconds))
        except Gone:
            return

    def remove(self, container: str) -> None:
        """Remove it, running or not; volumes with a name stay. One that is gone is no error."""
        details = self._ours(container)
        if details is None:
            return
        call = _change(details, "remove {}", "DELETE /containers/{}")
        try:
            self._http.ask(call, lambda client: client.remove_container(details["Id"], v=True, force=True))
        except Gone:
            return

    def remove_volume(self, name: str) -> None:
        """Remove a volume that was made for a container of ours; one that is gone is no error."""
        power.parse_volume_name(name)
        look = Call(f"look at the volume {name}", f"GET /volumes/{name}")
        call = Call(f"remove the volume {name}", f"DELETE /volumes/{name}", changing=True)
        try:
            found = self._http.ask(look, lambda client: client.inspect_volume(name))
            if (found.get("Labels") or {}).get(INSTALL) != self._install:
                raise EngineError(f"The volume {name} was not made by Tiny Forge, so it is left alone.")
            self._http.ask(call, lambda client: client.remove_volume(name))
        except Gone:
            return

    def container(self, container: str) -> Container | None:
        """A close look at one container, by id; also at one that is not ours."""
        details = self._inspect(container)
        return docker_wire.container(details) if details else None

    def containers(self) -> list[Container]:
        """Every container with this installation's mark, stopped ones too."""
        call = Call("list the containers", "GET /containers/json")
        filters = {"label": f"{INSTALL}={self._install}"}
        return self._http.ask(
            call,
            lambda client: [
                docker_wire.listed(item) for item in client.containers(all=True, filters=filters)
            ],
        )

    def logs(self, container: str, tail: int, *, since: datetime | None = None) -> list[LogLine]:
        """The last lines it wrote, with time stamps. Raises Gone."""
        path = f"/containers/{quote(container, safe='')}/logs"
        lines = docker_text.Tail(max(1, min(tail, docker_text.MOST_LINES)))
        params: Json = {"stdout": 1, "stderr": 1, "timestamps": 1, "tail": lines.lines}
        if since is not None:
            params["since"] = f"{since.timestamp():.6f}"
        chunks = self._http.chunks(Call("read the log of the container", f"GET {path}"), path, params)
        for is_error, message in docker_text.frames(chunks):
            lines.add(is_error, message)
        return lines.finish()

    def usage(self, container: str) -> Usage | None:
        """What it uses now; None when it does not run."""
        call = Call("measure the container", f"GET /containers/{container}/stats")
        try:
            return self._http.ask(
                call, lambda client: docker_wire.usage(client.stats(container, stream=False))
            )
        except Gone:
            return None

    def events(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """What happens to containers of ours from now on; the subscription has begun when this returns."""
        filters = {"type": ["container"], "label": [f"{INSTALL}={self._install}"]}
        call = Call("listen to the containers", "GET /events")
        messages = self._http.subscribed(call, "/events", {"filters": json.dumps(filters)})
        return _wanted(messages, stop)

    def _image(self, reference: str, repository: str) -> Image | None:
        call = Call(f"look at the image {reference}", f"GET /images/{reference}/json")
        try:
            return self._http.ask(
                call, lambda client: docker_wire.image(client.inspect_image(reference), repository)
            )
        except Gone:
            return None

    def _inspect(self, container: str) -> Json | None:
        call = Call("look at the container", f"GET /containers/{container}/json")
        try:
            details: Json = self._http.ask(call, lambda client: client.inspect_container(container))
        except Gone:
            return None
        return details

    def _ours(self, container: str) -> Json | None:
        """The details of a container of ours, None when it is gone. Raises EngineError for anybody else's."""
        details = self._inspect(container)
        if details is None:
            return None
        owner = docker_wire.owner(details["Config"].get("Labels"))
        if owner is None or owner.install != self._install:
            raise EngineError(
                f"The container {docker_wire.name(details)} was not made by this Tiny Forge, so it is left alone."
            )
        return details

    def _set_restart(self, details: Json, restart: Restart) -> None:
        call = _change(details, "set when {} is restarted", "POST /containers/{}/update")
        policy = {"Name": restart.value}
        self._http.ask(call, lambda client: client.update_container(details["Id"], restart_policy=policy))

    def _check_folder(self, mount: Mount) -> None:
        """A folder may have become a link to elsewhere since the container was made."""
        if (
            mount.kind is MountKind.BIND
            and power.parse_bind_source(mount.source, self._binds_dir) != mount.source
        ):
            raise EngineError(
                f"The folder {mount.source} leads somewhere else than when the container was made."
            )


def _wanted(messages: Messages, stop: Callable[[], bool]) -> Iterator[Event]:
    # A stream that breaks has ended: who listens looks again, and hears then what is wrong.
    with closing(messages), suppress(EngineError):
        for message in messages:
            if stop():
                return
            event = docker_wire.event(message) if message else None
            if event is not None:
                yield event


def _change(details: Json, doing: str, request: str) -> Call:
    return Call(doing.format(docker_wire.name(details)), request.format(details["Id"]), changing=True)
