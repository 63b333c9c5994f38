"""A stand-in for Nginx Proxy Manager: its HTTP interface, in the release of your choice, on loopback."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from webapp.sandbox.npm_auth import Accounts, User
from webapp.sandbox.npm_certbot import Certbot
from webapp.sandbox.npm_certificates import Certificates
from webapp.sandbox.npm_dialect import Dialect, Row
from webapp.sandbox.npm_hosts import ProxyHosts
from webapp.sandbox.npm_nginx import Nginx
from webapp.sandbox.npm_routes import Api
from webapp.sandbox.server import Reply, Request, StandIn

_PAGE = "<html>\r\n<head><title>{0}</title></head>\r\n<body><h1>{0}</h1></body>\r\n</html>\r\n"


class NpmStandIn(StandIn):
    """Behaves like a real Nginx Proxy Manager of the given release.

    Its state is open: `nginx`, `certbot`, `certificates`, `accounts` and `proxy_hosts` have switches of their own.
    `iso_times` writes time stamps as an installation on MariaDB does. `starting` answers everything with
    nginx's 502 page. `clock_offset` moves its clock.
    """

    def __init__(self, version: str = "2.15.1", port: int = 0, *, iso_times: bool = False) -> None:
        super().__init__(port)
        self.dialect = Dialect.of(version, iso_times=iso_times)
        self.starting = False
        self.clock_offset = timedelta()
        self.nginx = Nginx()
        self.accounts = Accounts(self.dialect, self.now)
        self.certificates = Certificates(self.dialect, self.now, self.accounts, self.nginx, self._hosts_using)
        self.certbot.pause = self.let_others_pass
        self.proxy_hosts = ProxyHosts(self.dialect, self.now, self.accounts, self.nginx, self.certificates)
        self._api = Api(self.dialect, self.accounts, self.certificates, self.proxy_hosts)

    @property
    def url(self) -> str:
        """What a user enters as the address: without /api."""
        return self.address

    @property
    def certbot(self) -> Certbot:
        """How asking for certificates goes."""
        return self.certificates.certbot

    @property
    def nginx_broken(self) -> bool:
        """Whether a file of somebody else makes every test of the configuration fail."""
        return self.nginx.broken

    @nginx_broken.setter
    def nginx_broken(self, value: bool) -> None:
        self.nginx.broken = value

    @property
    def unresolvable(self) -> set[str]:
        """Names of upstreams that nginx cannot resolve."""
        return self.nginx.unresolvable

    @property
    def writes(self) -> int:
        """How many changing requests were carried out, if only as far as the row."""
        return self._api.writes

    def now(self) -> datetime:
        """The stand-in's time."""
        return datetime.now(UTC) + self.clock_offset

    def add_user(self, email: str, password: str, *, two_factor: bool = False, **permissions: str) -> User:
        """An account: an administrator unless permissions such as `proxy_hosts="view"` are named."""
        return self.accounts.add(email, password, two_factor, permissions)

    def expire_tokens(self) -> None:
        """Make every token too old."""
        self.accounts.expire_tokens()

    def add_certificate(
        self, nice_name: str, domains: Iterable[str], expires_on: datetime, provider: str = "letsencrypt"
    ) -> int:
        """A certificate that is there already; returns its id."""
        return int(self.certificates.add(1, nice_name, domains, expires_on, provider)["id"])

    def hosts(self) -> list[Row]:
        """Every proxy host, as its row is stored."""
        return list(self.proxy_hosts.rows.values())

    def host_for(self, domain: str) -> Row | None:
        """The proxy host with this name."""
        return next((row for row in self.hosts() if domain in row["domain_names"]), None)

    def host_by_hand(self, domain: str, **fields: Any) -> Row:
        """Somebody makes a host in NPM's own pages."""
        body = {
            "domain_names": [domain],
            "forward_scheme": "http",
            "forward_host": "10.0.0.9",
            "forward_port": 80,
        }
        row = self.proxy_hosts.insert(self._somebody(), {**body, **fields})
        self.proxy_hosts.configure(row)
        return row

    def edit_by_hand(self, number: int, **fields: Any) -> Row:
        """Somebody edits a host in NPM's own pages."""
        self.proxy_hosts.update(self._somebody(), str(number), fields)
        return self.proxy_hosts.rows[number]

    def switch_by_hand(self, number: int, *, on: bool) -> None:
        """Somebody enables or disables a host in NPM's own pages."""
        self.proxy_hosts.switch(self._somebody(), str(number), on)

    def delete_by_hand(self, number: int) -> None:
        """Somebody deletes a host in NPM's own pages."""
        self.proxy_hosts.delete(self._somebody(), str(number))

    def occupy_by_hand(self, domain: str, kind: str = "redirection-hosts") -> None:
        """Somebody makes a redirection host or (`dead-hosts`) a 404 host."""
        rows = self.proxy_hosts.others[kind]
        now = self.now()
        row = {"id": len(rows) + 1, "created_on": now, "modified_on": now, "owner_user_id": 1}
        rows.append({**row, "domain_names": [domain], "certificate_id": 0, "enabled": True, "meta": {}})

    def served(self) -> set[str]:
        """The names whose configuration is live in nginx."""
        return self.nginx.served()

    def let_others_pass(self, seconds: float) -> None:
        """Wait in the middle of a request; others are answered meanwhile."""
        if seconds:
            self.lock.release()
            try:
                self._stopping.wait(seconds)
            finally:
                self.lock.acquire()

    def handle(self, request: Request) -> Reply:
        """Answer one request as NPM does."""
        if self.starting:
            return Reply(502, _PAGE.format("502 Bad Gateway"))
        if request.path == "/api":
            return Reply(302, _PAGE.format("302 Found"), {"Location": "/api/"})
        if not request.path.startswith("/api/"):
            return Reply(200, _PAGE.format("Nginx Proxy Manager"))
        if request.method == "OPTIONS":
            return Reply(204, b"")
        return self._api.answer(request)

    def _hosts_using(self, number: int) -> list[Row]:
        return [self.proxy_hosts.shown(row, []) for row in self.hosts() if row["certificate_id"] == number]

    def _somebody(self) -> User:
        return (
            self.accounts.users[0] if self.accounts.users else self.add_user("admin@example.com", "by hand")
        )
