"""The certificate as it is chosen in a form: one that is there, none, or a new one by one of these ways."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.db import transaction
from webapp.dns.names import readable
from webapp.errors import InvalidInput
from webapp.proxy.certificates import service
from webapp.proxy.certificates.models import Challenge, Holder
from webapp.proxy.certificates.service import CertificateWish

SENDS = "DNS challenge, sends the Cloudflare token to Nginx Proxy Manager"


@dataclass(frozen=True)
class Way:
    """How a new certificate is got; `wildcard`: for everything beside the name, which disturbs no host."""

    challenge: Challenge
    wildcard: bool = False


WAYS: Mapping[str, Way] = {
    "new-http": Way(Challenge.HTTP),
    "new-dns": Way(Challenge.DNS),
    "new-wildcard": Way(Challenge.DNS, wildcard=True),
}
LABELS = {
    "new-http": "Request a new certificate (HTTP challenge)",
    "new-dns": f"Request a new certificate ({SENDS})",
    "new-wildcard": f"Request a new wildcard certificate ({SENDS})",
}


@dataclass(frozen=True)
class Chosen:
    """What a form says about the certificate; `saved` is the one in use, `options` the flags that go with it."""

    value: int | str
    saved: int
    options: Mapping[str, bool]

    def apply(self, holder: Holder, holder_id: int, names: Iterable[str], at: datetime) -> None:
        """Ask for a new one, or let go of what was asked for where something else is chosen by now.

        Raises InvalidInput for the field of the certificate.
        """
        if isinstance(self.value, int):
            if self.value != self.saved:
                with transaction() as session:
                    service.give_up(session, holder, [holder_id])
            return
        way = WAYS[self.value]
        asked = tuple(wildcard_of(name) if way.wildcard else name for name in names)
        wish = CertificateWish(asked, way.challenge, holder, holder_id, dict(self.options))
        try:
            service.ask(wish, at=at)
        except InvalidInput as error:
            raise InvalidInput(error.message, "certificate_id") from error


def coerce(value: Any) -> int | str:
    """A number, or one of the ways. Raises ValueError."""
    return value if value in WAYS else int(value)


def wildcard_of(name: str) -> str:
    """The wildcard that covers a name. Raises InvalidInput where there can be none."""
    if name.startswith("*."):
        return name
    parent = name.partition(".")[2]
    if "." not in parent:
        raise InvalidInput(
            f"No wildcard certificate can hold {readable(name)}. Request one for the name itself."
        )
    return f"*.{parent}"
