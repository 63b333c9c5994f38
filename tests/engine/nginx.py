"""A real nginx in a folder of its own: one file for each site, tested and reloaded as in production."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

from tests.engine.servers import PATH, Server, answers

CONFIG = """daemon off;
user root;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
events {{ worker_connections 512; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server_names_hash_bucket_size 256;
  server {{ listen 127.0.0.1:{port} default_server; return 404 "no such site\\n"; }}
  include {folder}/hosts/*.conf;
  include {folder}/temp/*.conf;
}}
"""
CHALLENGE = '  location ^~ /.well-known/acme-challenge/ {{ return 200 "the answer\\n"; }}\n'
SITE = """server {{
  listen 127.0.0.1:{port};
  server_name {names};
{challenge}  location / {{
    proxy_pass {scheme}://{host}:{upstream_port};
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_next_upstream off;
  }}
}}
"""


ASKING = """server {{
  listen 127.0.0.1:{port};
  server_name {names};
{challenge}  location / {{ return 404 "not while a certificate is asked for\n"; }}
}}
"""


IN_A_ROW = 15
"""So many right answers, with pauses, and no worker with the old files takes visitors any more."""


def steadily(holds: Callable[[], bool]) -> bool:
    """Whether something holds many times in a row: right after a reload an old worker may answer now and then."""
    for _ in range(IN_A_ROW):
        if not holds():
            return False
        time.sleep(0.04)
    return True


def visited(port: int, domain: str, path: str) -> str:
    """What a visitor of a site gets, or the error in words."""
    request = Request(f"http://127.0.0.1:{port}/{path}", headers={"Host": domain})
    try:
        with urlopen(request, timeout=5) as response:
            return str(response.read().decode().strip())
    except OSError as error:
        return str(error)


class NginxServer:
    """Debian's nginx on one port of 127.0.0.1."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._folder = folder
        self._hosts = folder / "hosts"
        self._hosts.mkdir(parents=True)
        self._asking = folder / "temp" / "asking.conf"
        self._asking.parent.mkdir()
        self._config = folder / "nginx.conf"
        self._config.write_text(CONFIG.format(folder=folder, port=port))
        self._command = [
            shutil.which("nginx", path=PATH) or "nginx",
            "-c",
            str(self._config),
            "-p",
            str(folder),
        ]
        self._server = Server(folder, "nginx", *self._command)

    def start(self) -> None:
        """Answer."""
        self._server.start(lambda: answers(self.port))

    def stop(self) -> None:
        """Answer what is under way, and end."""
        self._server.stop(signal.SIGQUIT)

    def write(
        self,
        number: int,
        names: str,
        host: str,
        upstream_port: int,
        scheme: str = "http",
        *,
        challenge: bool = False,
    ) -> None:
        """Write the file of a site: `names` separated by blanks lead to a host and port. Nothing is live yet.

        `challenge`: it shows an answer to Let's Encrypt, too.
        """
        text = SITE.format(
            port=self.port, names=names, host=host, upstream_port=upstream_port, scheme=scheme,
            challenge=CHALLENGE.format() if challenge else "",
        )  # fmt: skip
        scratch = self._hosts / f"{number}.new"
        scratch.write_text(text)
        scratch.replace(self._hosts / f"{number}.conf")

    def ask_for(self, names: str) -> None:
        """Write the site that shows the answers to challenges while there is none with these names, or none."""
        self._asking.unlink(missing_ok=True)
        if names:
            text = ASKING.format(port=self.port, names=names, challenge=CHALLENGE.format())
            self._asking.write_text(text)

    def remove(self, number: int) -> None:
        """Delete the file of a site."""
        (self._hosts / f"{number}.conf").unlink(missing_ok=True)

    def numbers(self) -> set[int]:
        """The sites that have a file."""
        return {int(path.stem) for path in self._hosts.glob("*.conf")}

    def test(self) -> str:
        """What nginx has against its files; blank for nothing."""
        done = subprocess.run(
            [*self._command, "-t", "-q"], capture_output=True, text=True, timeout=30, check=False
        )
        return done.stderr.strip() if done.returncode else ""

    def reload(self) -> None:
        """Have nginx read its files. It is asked only: old workers answer what they have, new ones come soon."""
        self._server.send(signal.SIGHUP)
