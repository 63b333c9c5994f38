"""The world of the DNS tests: one free zone at the Cloudflare stand-in, and a provider that may do everything."""

from collections.abc import Iterator

import pytest

from tests.dns.provider_world import OWNER, TOKEN, ZONE, CloudflareWorld, MemoryWorld, World
from webapp.dns.providers.cloudflare import Cloudflare
from webapp.dns.providers.memory import ACCOUNTS
from webapp.dns.records import Zone
from webapp.sandbox.cloudflare import CloudflareStandIn


@pytest.fixture
def cloudflare() -> Iterator[CloudflareStandIn]:
    with CloudflareStandIn() as standin:
        standin.add_token(TOKEN)
        yield standin


@pytest.fixture
def zone(cloudflare: CloudflareStandIn) -> Zone:
    return Zone(cloudflare.add_zone(ZONE), ZONE, plan="free")


@pytest.fixture
def provider(cloudflare: CloudflareStandIn) -> Cloudflare:
    return Cloudflare(credentials={"token": TOKEN}, owner=OWNER, api_url=cloudflare.url)


@pytest.fixture(params=["memory", "cloudflare"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """The same zone at each provider, one after the other."""
    if request.param == "memory":
        yield MemoryWorld()
        ACCOUNTS.pop(TOKEN, None)
    else:
        with CloudflareStandIn() as standin:
            yield CloudflareWorld(standin)
