"""The world of the DNS tests: one free zone at the Cloudflare stand-in, and a provider that may do everything."""

from collections.abc import Iterator

import pytest

from tests.dns.panel_world import Panel
from tests.dns.provider_world import OWNER, TOKEN, ZONE, CloudflareWorld, MemoryWorld, World
from tests.dns.watched import Script, watch
from webapp.dns.providers.cloudflare import Cloudflare
from webapp.dns.providers.memory import ACCOUNTS
from webapp.dns.records import Zone
from webapp.sandbox.cloudflare import CloudflareStandIn


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    """What happens around the calls of the in-memory provider."""
    return watch(monkeypatch)


@pytest.fixture
def panel(context: None, script: Script) -> Panel:
    """An installation whose provider is in memory, and does what the script says."""
    return Panel()


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
