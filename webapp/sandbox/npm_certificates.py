"""The certificates of the Nginx Proxy Manager stand-in: listed, issued by a pretended certbot, deleted."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from webapp.sandbox import npm_certbot
from webapp.sandbox.npm_auth import Accounts, User
from webapp.sandbox.npm_certbot import Certbot
from webapp.sandbox.npm_dialect import Dialect, Refusal, Row
from webapp.sandbox.npm_nginx import Conf, Nginx

_EXPANSIONS = {"owner", "proxy_hosts", "redirection_hosts", "dead_hosts", "streams"}
_LIFE = timedelta(days=90)


@dataclass
class Certificates:
    """All certificates; `certbot` has the switches for how asking for one goes."""

    dialect: Dialect
    clock: Callable[[], datetime]
    accounts: Accounts
    nginx: Nginx
    hosts_using: Callable[[int], list[Row]]
    rows: dict[int, Row] = field(default_factory=dict)
    empty: set[int] = field(default_factory=set)
    count: int = 0

    def __post_init__(self) -> None:
        self.certbot = Certbot(self.dialect)

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
        if provider == "letsencrypt":
            self.nginx.automatic.add(self.count)
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
        """Let certbot work: hosts with one of the names are out of service meanwhile.

        Afterwards their files are there again, but without a certificate, and nginx has not read them yet. Raises
        Refusal (500) when certbot fails: then the row is gone, and nginx has read the files.
        """
        if domains is None:
            text = "TypeError: Cannot read properties of undefined (reading 'join')"
            raise Refusal(500, stack=(text,))
        if meta.get("dns_challenge") and meta.get("dns_provider") != "cloudflare":
            self.count += 1
            raise self.dialect.not_found(meta.get("dns_provider"))
        row = self.add(user.id, ", ".join(sorted(domains)), domains, self.clock(), "letsencrypt")
        row["meta"] = dict(meta)
        taken = self._take_out(set(domains))
        self.nginx.asking |= set() if meta.get("dns_challenge") else set(domains)
        try:
            self.nginx.reload()
            reason = self.certbot.run(domains, meta, self.nginx.shows_challenge)
        except Refusal:
            self._put_back(taken, set(domains))
            del self.rows[row["id"]]
            raise
        if self.certbot.dies:
            raise Refusal(500)
        self._put_back(taken, set(domains))
        if reason:
            del self.rows[row["id"]]
            self.nginx.reload()
            raise self._failed(reason)
        row["expires_on"] = self.clock() + _LIFE
        return row

    def renew(self, user: User, number: str) -> Row:
        """A new certificate in the old one's place, with all that is known of it in the answer. Raises Refusal."""
        row = self._seen(user, number)
        if row["provider"] != "letsencrypt":
            raise Refusal(400, "Only Let'sEncrypt certificates can be renewed")
        if reason := self.certbot.run(row["domain_names"], row["meta"], lambda _name: True):
            raise self._failed(reason)
        row["expires_on"] = self.clock() + _LIFE
        row["modified_on"] = self.clock()
        return self.dialect.row({**row, "is_deleted": False})

    def _take_out(self, names: set[str]) -> dict[int, Conf]:
        """Delete the files of hosts with one of the names."""
        taken = {n: conf for n, conf in self.nginx.files.items() if set(conf.domains) & names}
        for number in taken:
            del self.nginx.files[number]
        return taken

    def _put_back(self, taken: dict[int, Conf], names: set[str]) -> None:
        """Write them again, as NPM does it: without a certificate, and unread."""
        self.nginx.asking -= names
        self.nginx.files |= {number: replace(conf, certificate=0) for number, conf in taken.items()}

    def _failed(self, reason: str) -> Refusal:
        first = "CommandError: " if not self.dialect.disguised else "Error: "
        if reason == npm_certbot.ANOTHER:
            return Refusal(500, stack=(first + reason, npm_certbot.HELP, ""))
        return Refusal(500, stack=(first + npm_certbot.LOG, reason, npm_certbot.HELP))

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
