"""Two name servers on loopback over the records of the Cloudflare stand-in, and somebody who asks them."""

from collections.abc import Iterator
from contextlib import contextmanager

from webapp.dns.authority import Authority
from webapp.dns.live import Content, Verdict, visible
from webapp.sandbox.cloudflare import CloudflareStandIn
from webapp.sandbox.nameserver import NameServerStandIn, frozen

ZONE, NAME = "example.com", "app.example.com"
HERE, HERE6, ELSEWHERE = "203.0.113.10", "2001:db8::10", "198.51.100.7"
WANTED = frozenset({("A", HERE)})
PATIENCE = 0.15


class Names:
    """The zone example.com with two servers that agree, until a test makes them not."""

    def __init__(self, cloudflare: CloudflareStandIn, one: NameServerStandIn, two: NameServerStandIn) -> None:
        self.cloudflare, self.one, self.two = cloudflare, one, two
        self.authority = Authority([one.address, two.address], seconds=PATIENCE)

    def put(self, name: str = NAME, kind: str = "A", content: str = HERE, **fields: object) -> str:
        """A record; returns its id."""
        return str(self.cloudflare.put_by_hand(name, kind, content, **fields)["id"])

    def leave_behind(self, *names: str) -> None:
        """The second server stays with what it has now."""
        self.two.source = frozen(self.cloudflare, list(names or (NAME,)))

    def look(self, *wanted: Content, name: str = NAME, zone: str = ZONE) -> Verdict:
        """How the name looks from outside; wanted is one address unless told otherwise."""
        return visible(zone, name, frozenset(wanted) or WANTED, self.authority)


@contextmanager
def names() -> Iterator[Names]:
    """A zone with its servers."""
    with CloudflareStandIn() as cloudflare:
        cloudflare.add_zone(ZONE)
        with NameServerStandIn(cloudflare) as one, NameServerStandIn(cloudflare) as two:
            yield Names(cloudflare, one, two)
