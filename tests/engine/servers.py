"""Programs in the foreground of a test run, and the registries among them."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from webapp.deploy.engine import Login

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Wait for something. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.05)


def answers(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Server:
    """A program in the foreground of its own, with its output in a file."""

    def __init__(self, folder: Path, name: str, *command: str) -> None:
        self.log = folder / f"{name}.log"
        self._name = name
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process. Raises RuntimeError when it was not started."""
        if self._process is None:
            raise RuntimeError(f"{self._name} does not run")
        return self._process.pid

    def start(self, ready: Callable[[], bool]) -> None:
        """Start it and wait until it is ready. Raises RuntimeError when it ends, or another one is in its place."""
        if ready():
            raise RuntimeError(
                f"{self._name}: something else answers there, perhaps left over from another run"
            )
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env={**os.environ, "PATH": PATH}
            )
        process = self._process
        wait_until(lambda: ready() or process.poll() is not None, f"{self._name} is not ready: {self.log}")
        if process.poll() is not None:
            raise RuntimeError(f"{self._name} ended: {self.log.read_text()[-2000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; one that does not run is no error."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.send_signal(signal.SIGCONT)  # one that is frozen hears nothing else
            self._process.wait(60)
            self._process = None

    def send(self, what: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, what)


class Registry:
    """A registry on a port of its own, with an account when `login` is given."""

    def __init__(self, folder: Path, port: int, login: Login | None = None) -> None:
        self.address = f"127.0.0.1:{port}"
        self._port = port
        config = folder / f"registry-{port}.yml"
        text = (
            f"version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {folder}/reg-{port}}}}}\n"
            f"http: {{addr: '{self.address}'}}\n"
        )
        if login is not None:
            accounts = folder / "htpasswd"
            made = subprocess.run(
                ["htpasswd", "-Bbn", login.user, login.password], capture_output=True, check=True
            )
            accounts.write_bytes(made.stdout)
            text += f"auth: {{htpasswd: {{realm: rig, path: {accounts}}}}}\n"
        config.write_text(text)
        self._server = Server(folder, f"registry-{port}", "docker-registry", "serve", str(config))

    def start(self) -> None:
        """Answer."""
        self._server.start(lambda: answers(self._port))

    def stop(self) -> None:
        """Do not answer any more; what was pushed is kept."""
        self._server.stop()
