"""What can be read from Nginx Proxy Manager: the account, the proxy hosts, the certificates."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import requests

from webapp.errors import ProxyError
from webapp.proxy import npm_certificate
from webapp.proxy import npm_refusals as refusals
from webapp.proxy import npm_wire as wire
from webapp.proxy.npm_certificate import Certificate
from webapp.proxy.npm_http import Connection
from webapp.proxy.npm_transport import Transport, base_address
from webapp.proxy.npm_wire import Account, Host

HOSTS = "/nginx/proxy-hosts"


class NpmReader:
    """The reading half of `NpmClient`. Every method may raise ProxyError, and what `before_each` raises."""

    def __init__(
        self,
        url: str,
        email: str,
        password: str,
        mark_install: str,
        verify_tls: bool = True,
        session: requests.Session | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        read_timeout: tuple[float, float] = (5, 20),
        write_timeout: tuple[float, float] = (5, 60),
        before_each: Callable[[], None] = lambda: None,
    ) -> None:
        self._install = mark_install
        transport = Transport(
            base_address(url),
            session or requests.Session(),
            verify_tls,
            read_timeout,
            write_timeout,
            before_each,
        )
        self._npm = Connection(transport, email, password, clock)

    def version(self) -> tuple[int, int, int]:
        """The release."""
        health = self._npm.public("/").data
        version = health.get("version") if isinstance(health, dict) else None
        if not isinstance(version, dict) or not all(isinstance(part, int) for part in version.values()):
            raise self._npm.transport.not_npm()
        if health.get("setup") is False:
            raise ProxyError("Nginx Proxy Manager has no user yet. Open its pages and create the first one.")
        return (version.get("major", 0), version.get("minor", 0), version.get("revision", 0))

    def account(self) -> Account:
        """Test the connection: the release, and what the account may do."""
        version, me = self.version(), self._me()
        permissions, admin = me.get("permissions") or {}, "admin" in (me.get("roles") or [])
        return Account(
            version=version,
            email=str(me.get("email") or self._npm.email),
            may_edit_hosts=admin or permissions.get("proxy_hosts") == "manage",
            may_see_all=permissions.get("visibility") == "all",
            may_edit_certificates=admin or permissions.get("certificates") == "manage",
        )

    def list_hosts(self) -> list[Host]:
        """Every proxy host that the account can see."""
        return [wire.host(row) for row in self._rows(HOSTS, "see proxy hosts")]

    def list_certificates(self) -> list[Certificate]:
        """Every certificate that the account can see."""
        return [npm_certificate.read(row) for row in self._rows("/nginx/certificates", "see certificates")]

    def get_host(self, host_id: int) -> Host | None:
        """One proxy host, None when there is none."""
        row = self._row(host_id)
        return None if row is None else wire.host(row)

    def _row(self, host_id: int) -> dict[str, Any] | None:
        """The row of a host; a missing one is a 404, or an empty object up to 2.11."""
        answer = self._npm.call("GET", f"{HOSTS}/{host_id}")
        if answer.status == 200 and isinstance(answer.data, dict):
            return answer.data or None
        if answer.status == 404 and not answer.denied:
            return None
        raise refusals.refused(answer, "see proxy hosts", self._npm.email)

    def _rows(self, path: str, action: str) -> list[dict[str, Any]]:
        answer = self._npm.call("GET", path)
        if answer.status != 200:
            raise refusals.refused(answer, action, self._npm.email)
        if not isinstance(answer.data, list) or not all(isinstance(row, dict) for row in answer.data):
            raise refusals.unreadable("a list it sent is malformed")
        return answer.data

    def _me(self) -> dict[str, Any]:
        answer = self._npm.me()
        if answer.status != 200 or not isinstance(answer.data, dict):
            raise refusals.refused(answer, "see its own permissions", self._npm.email)
        return answer.data
