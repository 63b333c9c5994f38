"""Addresses of the proxies pages that lead nowhere, and methods they do not take."""

import pytest

from tests.proxy.publish_world import START, wish
from webapp.db import reading, transaction
from webapp.proxy import service
from webapp.proxy.models import HostStatus

BOTH = pytest.mark.parametrize("htmx", [False, True])
FORM = {"name": "app.example.com", "forward_scheme": "http", "forward_host": "h", "forward_port": "80"}


@pytest.fixture
def proxy(app):
    """A proxy that is up."""
    with app.app_context(), transaction():
        service.create(wish(), at=START).settle(HostStatus.ONLINE, START)


ADDRESSES = [
    ("GET", ""), ("POST", ""), ("GET", "/remove"), ("POST", "/remove"), ("POST", "/enable"),
    ("POST", "/disable"), ("POST", "/retry"),
]  # fmt: skip


@BOTH
@pytest.mark.parametrize(("method", "tail"), ADDRESSES)
@pytest.mark.parametrize("number", [7, 2**31, 10**30])
def test_an_unknown_proxy_is_not_found(client, htmx, method, tail, number):
    path = f"/proxies/{number}{tail}"
    page = client.get(path, htmx=htmx) if method == "GET" else client.post(path, FORM, htmx=htmx)
    assert page.status_code == 404
    assert "There is no such proxy." in page.text


@pytest.mark.parametrize("path", ["/proxies/-1", "/proxies/abc", "/proxies/1/unknown", "/proxies/1.5"])
def test_an_address_that_makes_no_sense_is_not_found(client, proxy, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/proxies/1"),
        ("PUT", "/proxies/1"),
        ("GET", "/proxies/1/enable"),
        ("GET", "/proxies/1/disable"),
        ("GET", "/proxies/1/retry"),
        ("POST", "/proxies"),
    ],
)
def test_a_wrong_method_is_refused_and_does_nothing(client, app, proxy, method, path):
    page = client.open(method, path, headers={"X-CSRFToken": client.token()})
    assert page.status_code == 405
    assert page.headers["Allow"]
    with app.app_context(), reading() as session:
        host = service.get(session, 1)
        assert (host.status, host.enabled) == (HostStatus.ONLINE, True)
