"""The hosts of the Nginx Proxy Manager stand-in: what each write does to the row, the file and the answer."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from webapp.sandbox.npm_auth import Accounts, User
from webapp.sandbox.npm_certificates import Certificates
from webapp.sandbox.npm_dialect import Dialect, Refusal, Row
from webapp.sandbox.npm_nginx import Nginx

_EXPANSIONS = {"owner", "access_list", "certificate", "access_list.[clients,items]"}
_DEFAULTS: Row = {
    "access_list_id": 0,
    "certificate_id": 0,
    "ssl_forced": False,
    "caching_enabled": False,
    "block_exploits": False,
    "advanced_config": "",
    "allow_websocket_upgrade": False,
    "http2_support": False,
    "enabled": True,
    "locations": None,
    "hsts_enabled": False,
    "hsts_subdomains": False,
}


@dataclass
class ProxyHosts:
    """The proxy hosts, and (`others`) the redirection and 404 hosts, which only take names away.

    Every change alters the row first and nginx second, so a refusal (500) leaves the row changed.
    """

    dialect: Dialect
    clock: Callable[[], datetime]
    accounts: Accounts
    nginx: Nginx
    certificates: Certificates
    rows: dict[int, Row] = field(default_factory=dict)
    others: dict[str, list[Row]] = field(default_factory=lambda: {"redirection-hosts": [], "dead-hosts": []})
    count: int = 0

    def listing(self, user: User, query: str, expand: list[str]) -> list[Row]:
        """What the account may see, by name; % and _ in the query are wildcards."""
        pattern = re.escape(query).replace("%", ".*").replace("_", ".")
        rows = [row for row in self.rows.values() if self._visible(row, user)]
        rows = [row for row in rows if re.search(pattern, _names(row), re.IGNORECASE)]
        return [self.shown(row, expand) for row in sorted(rows, key=_names)]

    def get(self, user: User, number: str, expand: list[str]) -> Row:
        """One host. Up to 2.11 an unknown one is an empty object."""
        row = self.rows.get(int(number))
        if row is not None and self._visible(row, user):
            return self.shown(row, expand)
        if self.dialect.ancient:
            return {}
        raise self.dialect.unknown_id(number, "GET")

    def create(self, user: User, body: Row) -> Row:
        """A new host; the answer knows nothing of nginx yet. Raises Refusal."""
        self._refuse_taken(body["domain_names"])
        asks_certificate = body.get("certificate_id") == "new"
        row = self.insert(
            user, {k: v for k, v in body.items() if k != "certificate_id" or not asks_certificate}
        )
        before = dict(row)
        if asks_certificate:
            row["certificate_id"] = self.certificates.issue(user, row["domain_names"], row["meta"])["id"]
        self.configure(row)
        return self._answer(row if asks_certificate else before, configured=True)

    def update(self, user: User, number: str, body: Row) -> Row:
        """Change the keys given. `enabled` alone does not touch nginx. Raises Refusal."""
        own = int(number) if number.isdigit() else 0
        self._refuse_taken(body.get("domain_names", []), but=own)
        row = self._seen(user, number, "PUT")
        changes = dict(body)
        if changes.get("certificate_id") == "new":
            meta = {**row["meta"], **changes.get("meta", {})}
            changes["certificate_id"] = self.certificates.issue(user, row["domain_names"], meta)["id"]
        self.alter(row, changes)
        if row["enabled"]:
            self.configure(row)
        return self._answer(row, configured=row["enabled"])

    def switch(self, user: User, number: str, on: bool) -> None:
        """Enable or disable. Raises Refusal (400) when it already is."""
        row = self._seen(user, number, "POST")
        if row["enabled"] == on:
            raise Refusal(400, f"Host is already {'enabled' if on else 'disabled'}")
        row["enabled"], row["modified_on"] = on, self.clock()
        if on:
            self.configure(row)
        else:
            self.nginx.remove(row["id"])

    def delete(self, user: User, number: str) -> None:
        """Forget the host, then its file. Raises Refusal."""
        row = self._seen(user, number, "DELETE")
        del self.rows[row["id"]]
        self.nginx.remove(row["id"])

    def insert(self, user: User, body: Row) -> Row:
        """The new row, before nginx hears of it."""
        self.count += 1
        now = self.clock()
        row: Row = {
            "id": self.count,
            "created_on": now,
            "modified_on": now,
            "owner_user_id": user.id,
            "meta": {},
        }
        row |= _DEFAULTS
        if self.dialect.trusts_forwarded_proto:
            row["trust_forwarded_proto"] = False
        self.rows[self.count] = row
        self.alter(row, body)
        return row

    def alter(self, row: Row, changes: Row) -> None:
        """Change the row; without a certificate the SSL flags are taken back.

        From 2.12 a certificate_id of 0 that is sent explicitly keeps them.
        """
        row |= changes
        row["domain_names"] = sorted(row["domain_names"])
        row["modified_on"] = self.clock()
        explicit = "certificate_id" in changes and not self.dialect.ancient
        if not row["certificate_id"] and not explicit:
            row["ssl_forced"] = row["http2_support"] = False
        row["hsts_enabled"] = row["hsts_enabled"] and row["ssl_forced"]
        row["hsts_subdomains"] = row["hsts_subdomains"] and row["hsts_enabled"]

    def configure(self, row: Row) -> None:
        """Tell nginx and keep what it says in `meta`. Raises Refusal (500) when another file is bad."""
        number = row["certificate_id"] if row["certificate_id"] in self.certificates.rows else 0
        uploaded = number not in self.certificates.empty
        complaint = self.nginx.write(row, number, uploaded, self.clock())
        if complaint and self.dialect.version < (2, 11):
            complaint = f'Command failed: /usr/sbin/nginx -t -g "error_log off;"\n{complaint}'
        row["meta"] = {**row["meta"], "nginx_online": complaint is None, "nginx_err": complaint}

    def shown(self, row: Row, expand: list[str]) -> Row:
        """A row as it is read. Raises Refusal (500) for something that cannot be expanded."""
        if not set(expand) <= _EXPANSIONS:
            raise Refusal(500)
        shown = self.dialect.row(row)
        for name in expand:
            shown[name.partition(".")[0]] = self._related(row, name)
        return shown

    def _related(self, row: Row, name: str) -> Row | None:
        if name == "owner":
            return self.accounts.owner(row["owner_user_id"])
        return self.certificates.embedded(row["certificate_id"]) if name == "certificate" else None

    def _answer(self, row: Row, *, configured: bool) -> Row:
        """What a write answers with; older releases leak what they used for the template."""
        answer = self.shown(row, ["owner", "certificate", "access_list"])
        if self.dialect.ancient and configured:
            answer |= {"use_default_location": True, "ipv6": False}
            if answer["locations"] is None:
                del answer["locations"]
        return answer

    def _visible(self, row: Row, user: User) -> bool:
        return user.sees_all or row["owner_user_id"] == user.id

    def _seen(self, user: User, number: str, method: str) -> Row:
        row = self.rows.get(int(number)) if number.isdigit() else None
        if row is not None and self._visible(row, user):
            return row
        if not number.isdigit() and not self.dialect.ancient:
            raise Refusal(404, "Not Found")
        raise self.dialect.unknown_id(number, method)

    def _refuse_taken(self, domains: list[str], but: int = 0) -> None:
        rows = [row for row in self.rows.values() if row["id"] != but]
        rows += [row for kind in self.others.values() for row in kind]
        taken = {name.lower() for row in rows for name in row["domain_names"]}
        for domain in domains:
            if domain.lower() in taken:
                raise Refusal(400, f"{domain} is already in use")


def _names(row: Row) -> str:
    return json.dumps(row["domain_names"], separators=(",", ":"), ensure_ascii=False)
