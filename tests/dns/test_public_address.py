"""Under which address this machine is seen."""

import pytest

from webapp.dns.providers.public_address import public_addresses
from webapp.sandbox.server import Failure, Reply


def test_the_address_is_found_for_the_version_that_works(cloudflare):
    cloudflare.public_ip = "203.0.113.10"
    assert public_addresses(cloudflare.url) == {4: "203.0.113.10"}
    assert [request.path for request, _ in cloudflare.log] == ["/cdn-cgi/trace"]


@pytest.mark.parametrize("seen", ["2001:db8::1", "", "not an address", "203.0.113.10 or so"])
def test_what_is_no_address_of_the_version_is_left_out(cloudflare, seen):
    cloudflare.public_ip = seen
    assert public_addresses(cloudflare.url) == {}


@pytest.mark.parametrize("reply", [Reply(502, "<html>"), Reply(200, b"\xff\xfe"), Reply(200, b"x" * 100_001)])
def test_an_answer_without_an_address_is_left_out(cloudflare, reply):
    cloudflare.fail(Failure.ANSWER, reply=reply)
    assert public_addresses(cloudflare.url) == {}


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/client/v4", "not an address", "", "ftp://127.0.0.1/"])
def test_nobody_there_means_no_address(url):
    assert public_addresses(url) == {}


def test_each_version_has_its_own_address(requests_mock):
    answers = [{"text": "fl=1\nip=203.0.113.10\nts=1\n"}, {"text": "ip=2001:DB8::0:1\n"}]
    requests_mock.get("https://cloudflare.test/cdn-cgi/trace", answers)
    assert public_addresses("https://cloudflare.test/client/v4") == {4: "203.0.113.10", 6: "2001:db8::1"}
