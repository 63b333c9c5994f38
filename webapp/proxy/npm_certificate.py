"""The JSON of a certificate at Nginx Proxy Manager, as a plain value."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from webapp.errors import ProxyError
from webapp.proxy.npm_wire import Row, moment


@dataclass(frozen=True)
class Certificate:
    """A certificate that hosts can use; NPM sends private keys and DNS tokens along, which are dropped here.

    While one is being made, and after NPM died doing so, its row says that it expires when it began.
    """

    id: int
    name: str
    domains: tuple[str, ...]
    expires_on: datetime | None
    provider: str = ""
    created_on: datetime | None = None
    by_dns: bool = False

    @property
    def is_made(self) -> bool:
        """Whether there is a certificate behind the row."""
        begun = self.created_on or self.expires_on
        return (
            self.expires_on is not None and begun is not None and self.expires_on - begun > timedelta(hours=1)
        )


def read(row: Row) -> Certificate:
    """A certificate from its row, without its key. Raises ProxyError when it cannot be read."""
    try:
        domains = tuple(str(name).lower() for name in row.get("domain_names") or [])
        name = str(row.get("nice_name") or ", ".join(domains))
        expires, created = moment(row.get("expires_on")), moment(row.get("created_on"))
        provider, by_dns = str(row.get("provider") or ""), bool((row.get("meta") or {}).get("dns_challenge"))
        return Certificate(int(row["id"]), name, domains, expires, provider, created, by_dns)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ProxyError("Nginx Proxy Manager sent a certificate that cannot be read.") from error
