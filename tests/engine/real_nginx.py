"""The nginx of the Nginx Proxy Manager stand-in made real: its hosts become sites of a running nginx."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tests.engine.nginx import NginxServer
from webapp.sandbox.npm import NpmStandIn
from webapp.sandbox.npm_dialect import Row
from webapp.sandbox.npm_nginx import Conf, Nginx


def _as_it_is(name: str) -> str | None:
    return name


@dataclass
class RealNginx(Nginx):
    """Whatever the stand-in loads is written as real files, and nginx is reloaded; `test` asks the real one, too.

    `resolve` finds the address of an upstream's name; None is a name that nginx cannot resolve. Certificates are
    not real: every site answers on plain HTTP.
    """

    server: NginxServer = field(kw_only=True)
    resolve: Callable[[str], str | None] = field(default=_as_it_is, kw_only=True)

    def write(self, row: Row, certificate: int, uploaded: bool, now: datetime) -> str | None:
        """As the stand-in; a name that cannot be resolved is what it was told it cannot resolve."""
        name = row["forward_host"]
        if row["enabled"]:
            (self.unresolvable.add if self.resolve(name) is None else self.unresolvable.discard)(name)
        return super().write(row, certificate, uploaded, now)

    def reload(self) -> None:
        """Make the files live for real. Raises Refusal (500) when one is bad."""
        super().reload()
        for number in self.server.numbers() - set(self.loaded):
            self.server.remove(number)
        for number, conf in self.loaded.items():
            self._write(number, conf)
        self.server.ask_for(" ".join(sorted(self.asking)))
        complaint = self.server.test()
        if complaint:
            raise AssertionError(f"The stand-in let a file through that nginx refuses: {complaint}")
        self.server.reload()

    def _write(self, number: int, conf: Conf) -> None:
        scheme, host, port = conf.forward
        address = self.resolve(host)
        if address is not None:
            self.server.write(number, " ".join(conf.names), address, port, scheme, challenge=conf.challenge)


def attach(
    npm: NpmStandIn, server: NginxServer, resolve: Callable[[str], str | None] = _as_it_is
) -> RealNginx:
    """Put a running nginx behind a stand-in that has no hosts yet."""
    real = RealNginx(server=server, resolve=resolve)
    npm.nginx = npm.proxy_hosts.nginx = npm.certificates.nginx = real
    return real
