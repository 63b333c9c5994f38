"""The world of the Cloudflare stand-in's tests: one free zone, one token for everything, and a caller."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from webapp.sandbox.cloudflare import CloudflareStandIn

TOKEN = "cfut_" + "a" * 40


class Caller:
    """Calls the stand-in with a token; paths are below /client/v4, and `records` is the zone's list."""

    def __init__(self, standin: CloudflareStandIn, zone: str, token: str) -> None:
        self.standin, self.token = standin, token
        self.records = f"/zones/{zone}/dns_records"
        self.session = requests.Session()

    def __call__(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        """Send one request; a body goes as JSON."""
        headers = {"Authorization": f"Bearer {self.token}"}
        url = self.standin.url + path
        return self.session.request(method, url, json=body, params=query, headers=headers, timeout=10)

    def create(self, name: str = "app", type: str = "A", content: str = "203.0.113.7", **fields: Any) -> Any:
        """A new record, as it is answered."""
        answer = self("POST", self.records, {"type": type, "name": name, "content": content, **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def list(self, **query: Any) -> Any:
        """The records of a listing."""
        answer = self("GET", self.records, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def refused(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, int]:
        """Status and code of a request that fails."""
        answer = self(method, path, body, **query)
        assert answer.json()["success"] is False, answer.text
        return answer.status_code, answer.json()["errors"][0]["code"]

    def with_token(self, value: str, **options: Any) -> "Caller":
        """The same caller with another token, which is made known with these options."""
        self.standin.add_token(value, **options)
        return self.bearing(value)

    def bearing(self, value: str) -> "Caller":
        """The same caller with another token, known or not."""
        other = Caller(self.standin, "", value)
        other.records = self.records
        return other


@pytest.fixture
def cloudflare() -> Iterator[CloudflareStandIn]:
    with CloudflareStandIn() as standin:
        yield standin


@pytest.fixture
def zone(cloudflare: CloudflareStandIn) -> str:
    return cloudflare.add_zone("example.org")


@pytest.fixture
def api(cloudflare: CloudflareStandIn, zone: str) -> Caller:
    cloudflare.add_token(TOKEN)
    return Caller(cloudflare, zone, TOKEN)
