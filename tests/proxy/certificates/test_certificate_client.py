"""The client of certificates on the wire: what is sent, how long it waits, and what is made of each answer."""

from datetime import UTC, datetime

import pytest

from tests.proxy.npm_world import EMAIL, PASSWORD
from webapp.errors import ProxyError
from webapp.proxy.certificates.client import CertificateClient, NoCertificate, new_one
from webapp.proxy.certificates.models import Challenge
from webapp.proxy.npm_certificate import Certificate, read

BASE = "http://npm.test:81/api"
ROW = {
    "id": 4, "provider": "letsencrypt", "nice_name": "a.example.com", "domain_names": ["a.example.com"],
    "created_on": "2026-11-23 22:02:11", "expires_on": "2027-02-21 22:02:14", "meta": {"dns_challenge": True},
}  # fmt: skip


@pytest.fixture
def wire(requests_mock):
    requests_mock.post(f"{BASE}/tokens", json={"token": "t", "expires": "2099-01-01T00:00:00Z"})
    requests_mock.get(f"{BASE}/users/me?expand=permissions", json={"id": 1})
    requests_mock.get(f"{BASE}/", json={"status": "OK", "version": {"major": 2, "minor": 15, "revision": 1}})
    return requests_mock


def client(**options):
    return CertificateClient("http://npm.test:81", EMAIL, PASSWORD, "install-1", **options)


def test_what_is_sent_for_a_dns_challenge(wire):
    sent = wire.post(f"{BASE}/nginx/certificates", status_code=201, json=ROW)
    made = client().request(["a.example.com"], Challenge.DNS, "t0ken")
    assert sent.last_request.json() == {
        "provider": "letsencrypt",
        "domain_names": ["a.example.com"],
        "meta": {
            "dns_challenge": True,
            "dns_provider": "cloudflare",
            "dns_provider_credentials": "dns_cloudflare_api_token=t0ken",
            "propagation_seconds": 30,
        },
    }
    assert (made.id, made.provider, made.by_dns, made.is_made) == (4, "letsencrypt", True, True)


def test_it_waits_as_long_as_issuing_takes(wire):
    sent = wire.post(f"{BASE}/nginx/certificates", status_code=201, json=ROW)
    client(write_timeout=(5, 300)).request(["a.example.com"], Challenge.HTTP)
    assert sent.last_request.timeout == (5, 300)


@pytest.mark.parametrize("body", [{"error": {"code": 404, "message": "Not Found - nope"}}, {"error": {}}])
@pytest.mark.parametrize("status", [400, 404])
def test_a_refusal_without_certbot_needs_a_person(wire, status, body):
    wire.post(f"{BASE}/nginx/certificates", status_code=status, json=body)
    with pytest.raises(NoCertificate, match="refused to ask for it") as caught:
        client().request(["a.example.com"], Challenge.HTTP)
    assert caught.value.will_heal is False


def test_an_error_without_a_word_may_pass(wire):
    wire.post(f"{BASE}/nginx/certificates", status_code=500, json={"error": {"message": "Internal Error"}})
    with pytest.raises(NoCertificate, match="could not get the certificate") as caught:
        client().request(["a.example.com"], Challenge.HTTP)
    assert (caught.value.will_heal, caught.value.reason.detail) == (True, "")


@pytest.mark.parametrize("stack", [None, "text", {"a": 1}])
def test_an_odd_stack_is_no_stack(wire, stack):
    body = {"error": {"message": "Internal Error"}, "debug": {"stack": stack}}
    wire.post(f"{BASE}/nginx/certificates/4/renew", status_code=500, json=body)
    with pytest.raises(NoCertificate):
        client().renew(4)


def test_an_answer_that_says_nothing_is_no_certificate(wire):
    wire.post(f"{BASE}/nginx/certificates/4/renew", json=True)
    with pytest.raises(NoCertificate):
        client().renew(4)


def test_no_answer_is_unconfirmed(wire):
    wire.post(f"{BASE}/nginx/certificates", text="<html>502</html>", status_code=502)
    wire.post(f"{BASE}/nginx/certificates/4/renew", text="<html>502</html>", status_code=502)
    for call in (lambda: client().request(["a.example.com"], Challenge.HTTP), lambda: client().renew(4)):
        with pytest.raises(ProxyError) as caught:
            call()
        assert caught.value.unconfirmed


@pytest.mark.parametrize("odd", [{"id": "x"}, {"meta": ["x"]}, {"domain_names": 3}])
def test_a_certificate_that_cannot_be_read_is_told(odd):
    with pytest.raises(ProxyError, match="cannot be read"):
        read(ROW | odd)


@pytest.mark.parametrize(
    ("fields", "made"),
    [
        ({}, True),
        ({"expires_on": ROW["created_on"]}, False),
        ({"expires_on": None}, False),
        ({"created_on": None}, False),
    ],
)
def test_a_row_that_ends_when_it_began_has_no_certificate(fields, made):
    assert read(ROW | fields).is_made is made


def test_the_new_certificate_is_the_finished_one_of_exactly_these_names():
    day, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    both = ("a.example.com", "b.example.com")
    rows = [
        Certificate(1, "old", both, end, "letsencrypt", day),
        Certificate(2, "other", ("a.example.com",), end, "letsencrypt", day),
        Certificate(3, "bought", both, end, "other", day),
        Certificate(4, "new", both[::-1], end, "letsencrypt", day),
        Certificate(5, "half", both, day, "letsencrypt", day),
    ]
    assert new_one(rows, both, [1]) == rows[3]
    assert new_one(rows[:3], both, [1]) is None
