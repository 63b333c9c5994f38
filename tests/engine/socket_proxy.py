"""A filter in front of the engine's socket that lets through what the panel needs, and nothing else."""

from pathlib import Path

from tests.engine.servers import Server, answers

CONFIG = r"""
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend docker
  bind 127.0.0.1:{port}
  acl get  method GET HEAD
  acl okget path_reg ^(/v[0-9.]+)?/(_ping|version|info|events|containers/json|containers/[a-zA-Z0-9_.-]+/(json|logs|stats)|images/json|images/.+/json|networks|networks/[a-zA-Z0-9_.-]+|distribution/.+/json)$
  acl post method POST
  acl okpost path_reg ^(/v[0-9.]+)?/(containers/create|containers/[a-zA-Z0-9_.-]+/(start|stop|restart|rename|update|wait)|images/create|networks/create|networks/[a-zA-Z0-9_.-]+/(connect|disconnect))$
  acl del  method DELETE
  acl okdel path_reg ^(/v[0-9.]+)?/(containers|networks)/[a-zA-Z0-9_.-]+$
  http-request allow if get okget
  http-request allow if post okpost
  http-request allow if del okdel
  http-request deny deny_status 403
  default_backend sock
backend sock
  server s unix@{socket}
"""  # noqa: E501 - HAProxy has no continued lines


class SocketProxy:
    """HAProxy on a port of 127.0.0.1."""

    def __init__(self, folder: Path, port: int, socket: Path) -> None:
        self.host = f"tcp://127.0.0.1:{port}"
        self._port = port
        config = folder / "haproxy.cfg"
        config.write_text(CONFIG.format(port=port, socket=socket))
        self._server = Server(folder, "haproxy", "haproxy", "-f", str(config), "-db")

    def start(self) -> None:
        """Answer."""
        self._server.start(lambda: answers(self._port))

    def stop(self) -> None:
        """Do not answer any more."""
        self._server.stop()
