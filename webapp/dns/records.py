"""Records as we want them and as a provider reports them, in one normal form. Pure."""

import functools
import ipaddress
from dataclasses import dataclass
from enum import StrEnum

from webapp.dns.names import ascii_name

AUTO_TTL = 1
"""«Automatic» at Cloudflare, in seconds; other providers turn it into their default."""

MIN_TTL, MAX_TTL = 60, 86400


class RecordType(StrEnum):
    """The types we write."""

    A = "A"
    AAAA = "AAAA"
    CNAME = "CNAME"


ADDRESSES = frozenset({RecordType.A, RecordType.AAAA})


@dataclass(frozen=True, order=True)
class Record:
    """A wanted record, normalised: see `wanted`. `ttl` in seconds, or AUTO_TTL."""

    name: str
    type: RecordType
    content: str
    ttl: int = AUTO_TTL
    proxied: bool = False


@dataclass(frozen=True)
class LiveRecord:
    """A record that exists at the provider.

    `type` may be any DNS type. `mark` is the installation that owns it according to the provider's mark, or
    None; `note` is text of others in the same place, kept when we write. `read_only`: the provider itself
    manages it.
    """

    id: str
    name: str
    type: str
    content: str
    ttl: int = AUTO_TTL
    proxied: bool = False
    mark: str | None = None
    note: str = ""
    read_only: bool = False

    def is_like(self, record: Record) -> bool:
        """Whether it already says exactly what is wanted."""
        return (
            self.name == record.name
            and self.type == record.type
            and normal_content(self.type, self.content) == record.content
            and self.proxied == record.proxied
            and (self.ttl == record.ttl or (self.proxied and record.proxied))
        )


@dataclass(frozen=True)
class Zone:
    """A zone the credentials can see; `name` in A-labels. `may_edit` is None where the provider does not say."""

    id: str
    name: str
    status: str = "active"
    plan: str = ""
    may_edit: bool | None = None


@dataclass(frozen=True)
class Usage:
    """How many records the zone has and may have (None: no limit known)."""

    used: int
    allowed: int | None = None


@dataclass(frozen=True)
class Target:
    """What records point at: addresses of the server, or one name."""

    ipv4: str | None = None
    ipv6: str | None = None
    cname: str | None = None

    def contents(self) -> dict[RecordType, str]:
        """The content for each type a name needs; empty when no target is set."""
        if self.cname:
            return {RecordType.CNAME: normal_content(RecordType.CNAME, self.cname)}
        pairs = ((RecordType.A, self.ipv4), (RecordType.AAAA, self.ipv6))
        return {kind: normal_content(kind, text) for kind, text in pairs if text}


def wanted(name: str, kind: RecordType, content: str, ttl: int = AUTO_TTL, proxied: bool = False) -> Record:
    """The record in normal form: proxied means automatic TTL, addresses and targets in canonical spelling."""
    return Record(name, kind, normal_content(kind, content), AUTO_TTL if proxied else ttl, proxied)


@functools.lru_cache(
    maxsize=65536
)  # a round asks several times for every record, mostly for the same content
def normal_content(kind: str, content: str) -> str:
    """Canonical spelling: RFC 5952 addresses, targets as names are (lower case, A-labels); others untouched."""
    if kind in ADDRESSES:
        try:
            return str(ipaddress.ip_address(content))
        except ValueError:
            return content
    if kind == RecordType.CNAME:
        return ascii_name(content)
    return content


def excludes(one: str, other: str, *, apex: bool = False) -> bool:
    """Whether two types cannot share a name: CNAME with addresses or CNAME, and NS with anything we write.

    At the zone's apex NS records delegate nothing and stand beside the others.
    """
    pair = {one, other}
    if "NS" in pair:
        return not apex
    return "CNAME" in pair and pair <= {"A", "AAAA", "CNAME"}
