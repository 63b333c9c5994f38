"""A panel, stand-ins to connect it to, and a form filled in as a person would."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.settings.filled import EMAIL, NPM_PASSWORD, TOKEN
from tests.support import make_config
from webapp.config import Config
from webapp.sandbox.cloudflare import CloudflareStandIn
from webapp.sandbox.npm import NpmStandIn


@pytest.fixture
def npm() -> Iterator[NpmStandIn]:
    with NpmStandIn() as npm:
        npm.add_user("admin@example.com", "somebody else's")
        npm.add_user(EMAIL, NPM_PASSWORD)
        yield npm


@pytest.fixture
def cloudflare() -> Iterator[CloudflareStandIn]:
    with CloudflareStandIn() as cloudflare:
        cloudflare.add_token(TOKEN)
        cloudflare.zone = cloudflare.add_zone("example.com")
        yield cloudflare


@pytest.fixture
def config(tmp_path: Path, cloudflare: CloudflareStandIn) -> Config:
    sources = tuple(f"http://{host}:{cloudflare.port}/cdn-cgi/trace" for host in ("127.0.0.1", "localhost"))
    return make_config(tmp_path, cloudflare_api_url=cloudflare.url, address_sources=sources)


@pytest.fixture
def filled(npm: NpmStandIn, cloudflare: CloudflareStandIn) -> dict[str, str]:
    """Everything on the page, for managed records; secrets included."""
    return {
        "version": "1",
        "base_domain": "example.com",
        "ipv4": "203.0.113.10",
        "npm_url": npm.url,
        "npm_email": EMAIL,
        "npm_password": NPM_PASSWORD,
        "npm_verify_tls": "y",
        "provider": "cloudflare",
        "token": TOKEN,
        "zone": f"{cloudflare.zone}/example.com/free",
        "ttl": "1",
        "policy": "full",
    }


@pytest.fixture
def press(client):
    """Press a button and give the fragment's text."""
    return lambda button, form: client.post(f"/settings/{button}", form, htmx=True).text
