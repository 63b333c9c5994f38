"""The registry of DNS providers: what the picker offers, and how each is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from webapp.dns.providers.base import Budget, Provider, Unlimited
from webapp.dns.providers.cloudflare import Cloudflare
from webapp.dns.providers.memory import Memory
from webapp.errors import InvalidInput


@dataclass(frozen=True)
class Kind:
    """One entry of the picker: `credentials` are the names of its secret fields."""

    name: str
    label: str
    credentials: tuple[str, ...]
    make: Callable[..., Provider]
    min_ttl: int = 60


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("cloudflare", "Cloudflare", ("token",), Cloudflare),
        Kind("memory", "In memory (for trying out)", ("token",), Memory),
    )
}


def make(
    name: str, credentials: Mapping[str, str], owner: str, *, api_url: str, budget: Budget | None = None
) -> Provider:
    """The provider of that name, ready to use. Raises InvalidInput for one that does not exist."""
    if name not in KINDS:
        raise InvalidInput(f"There is no DNS provider called {name}.", "provider")
    return KINDS[name].make(
        credentials=credentials, owner=owner, api_url=api_url, budget=budget or Unlimited()
    )


def offered(*, practice: bool) -> tuple[str, ...]:
    """Names for the picker; the in-memory provider only where nothing is meant to be kept."""
    return tuple(name for name in KINDS if practice or name != "memory")
