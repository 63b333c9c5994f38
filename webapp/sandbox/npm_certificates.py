"""The certificates of the Nginx Proxy Manager stand-in: listed, issued by a pretended certbot, deleted."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from webapp.sandbox.npm_auth import Accounts, User
from webapp.sandbox.npm_dialect import Dialect, Refusal, Row
from webapp.sandbox.npm_nginx import Nginx

_EXPANSIONS = {"owner", "proxy_hosts", "redirection_hosts", "dead_hosts", "streams"}
_LOG = "Error: Saving debug log to /data/logs/letsencrypt.log"


@dataclass
class Certificates:
    """All certificates; `certbot_fails` makes every later issue fail its challenge."""

    dialect: Dialect
    clock: Callable[[], datetime]
    accounts: Accounts
    nginx: Nginx
    hosts_using: Callable[[int], list[Row]]
    rows: dict[int, Row] = field(default_factory=dict)
    empty: set[int] = field(default_factory=set)
    certbot_fails: bool = False
    count: int = 0

    def add(self, owner: int, name: str, domains: Iterable[str], expires: datetime, provider: str) -> Row:
        """A certificate whose files are there."""
        self.count += 1
        now = self.clock()
        row = {
            "id": self.count,
            "created_on": now,
            "modified_on": now,
            "owner_user_id": owner,
            "provider": provider,
            "nice_name": name,
            "domain_names": sorted(domains),
            "expires_on": expires,
            "meta": {},
        }
        self.rows[self.count] = row
        return row

    def listing(self, user: User, query: str, expand: list[str]) -> list[Row]:
        """What the account may see, by name."""
        rows = [row for row in self.rows.values() if user.sees_all or row["owner_user_id"] == user.id]
        rows = [row for row in rows if query.lower() in row["nice_name"].lower()]
        return [self._shown(row, expand) for row in sorted(rows, key=lambda row: row["nice_name"])]

    def get(self, user: User, number: str, expand: list[str]) -> Row:
        """One certificate. Raises Refusal when the account cannot see it."""
        return self._shown(self._seen(user, number), expand)

    def create(self, user: User, body: Row) -> Row:
        """Ask for a certificate, or for the empty shell of one to be uploaded. Raises Refusal."""
        now = self.clock()
        if body["provider"] == "other":
            row = self.add(user.id, body.get("nice_name", ""), body.get("domain_names", []), now, "other")
            self.empty.add(row["id"])
            return self._shown(row, [])
        row = self.issue(user, body.get("domain_names"), body.get("meta", {}))
        dates = {"from": int(now.timestamp()), "to": int(row["expires_on"].timestamp())}
        shown = self._shown(row, [])
        return {
            **shown,
            "meta": {**shown["meta"], "letsencrypt_certificate": {"issuer": "CN=Pretend", "dates": dates}},
        }

    def issue(self, user: User, domains: list[str] | None, meta: Row) -> Row:
        """Let certbot work: hosts with one of the names go dark. Raises Refusal (500) when it fails."""
        reason = self._certbot(domains, meta)
        if reason is not None:
            self.count += 1
            raise Refusal(500, stack=(_LOG, reason) if "Type" not in reason else (reason,))
        names = domains or []
        row = self.add(
            user.id, ", ".join(sorted(names)), names, self.clock() + timedelta(days=90), "letsencrypt"
        )
        row["meta"] = dict(meta)
        self.nginx.loaded = {k: c for k, c in self.nginx.loaded.items() if not set(c.domains) & set(names)}
        return row

    def delete(self, user: User, number: str) -> None:
        """Forget a certificate; the files of one from Let's Encrypt go too, whoever uses them."""
        row = self._seen(user, number)
        del self.rows[row["id"]]
        if row["provider"] == "letsencrypt":
            self.nginx.lost_certificates.add(row["id"])

    def embedded(self, number: int) -> Row | None:
        """A certificate as a host shows it, None when it does not exist."""
        row = self.rows.get(number)
        return None if row is None else self.dialect.row({**row, "is_deleted": False, "meta": {}})

    def _certbot(self, domains: list[str] | None, meta: Row) -> str | None:
        if domains is None:
            return "TypeError: Cannot read properties of undefined (reading 'join')"
        if not self.dialect.disguised and not (
            meta.get("letsencrypt_agree") and meta.get("letsencrypt_email")
        ):
            return "An unexpected error occurred:"
        if any(name.startswith("*.") for name in domains) and not meta.get("dns_challenge"):
            return "Client with the currently selected authenticator does not support any combination."
        return "Some challenges have failed." if self.certbot_fails else None

    def _seen(self, user: User, number: str) -> Row:
        row = self.rows.get(int(number))
        if row is None or not (user.sees_all or row["owner_user_id"] == user.id):
            raise self.dialect.not_found(number)
        return row

    def _shown(self, row: Row, expand: list[str]) -> Row:
        if not set(expand) <= _EXPANSIONS:
            raise Refusal(500)
        hidden = "dns_provider_credentials" if self.dialect.disguised else None
        shown = self.dialect.row({**row, "meta": {k: v for k, v in row["meta"].items() if k != hidden}})
        for name in expand:
            if name == "owner":
                shown[name] = self.accounts.owner(row["owner_user_id"])
            else:
                shown[name] = self.hosts_using(row["id"]) if name == "proxy_hosts" else []
        return shown
