"""The stand-in's way with certificates: what it checks, what it does to hosts meanwhile, how it is told to fail."""

import threading
from datetime import timedelta

import pytest

from tests.sandbox.test_npm_standin import PASSWORD, send
from webapp.sandbox import npm_certbot
from webapp.sandbox.npm import NpmStandIn

NAME = "a.example.com"
HTTP = {"provider": "letsencrypt", "domain_names": [NAME], "meta": {"dns_challenge": False}}


def dns(credentials="dns_cloudflare_api_token=good", *names):
    meta = {"dns_challenge": True, "dns_provider": "cloudflare", "dns_provider_credentials": credentials}
    return HTTP | {"domain_names": list(names or ["*.example.com"]), "meta": meta}


@pytest.fixture
def npm():
    with NpmStandIn() as npm:
        npm.add_user("admin@example.com", PASSWORD)
        yield npm


def issue(npm, body=HTTP):
    return send(npm, "POST", "/nginx/certificates", body)


def printed(answer):
    assert answer.status_code == 500
    return answer.json()["debug"]["stack"][1]


def test_a_certificate_lasts_ninety_days(npm):
    assert issue(npm).status_code == 201
    assert npm.certificates.rows[1]["expires_on"] - npm.now() > timedelta(days=89)


def test_while_it_is_got_its_row_is_there_without_lasting_and_others_are_answered(npm):
    npm.certbot.seconds = 0.4
    npm.host_by_hand(NAME)
    thread = threading.Thread(target=issue, args=(npm,))
    thread.start()
    while not npm.certbot.running:
        pass
    (row,) = send(npm, "GET", "/nginx/certificates").json()
    another = issue(npm, HTTP | {"domain_names": ["b.example.com"]})
    assert (row["expires_on"], npm.served()) == (row["created_on"], set())
    assert npm_certbot.ANOTHER in another.json()["debug"]["stack"][0]
    thread.join()
    assert (len(npm.certificates.rows), npm.nginx.files[1].certificate) == (1, 0)


def test_a_failure_brings_the_host_back_without_its_certificate(npm):
    old = npm.add_certificate("old", [NAME], npm.now() + timedelta(days=9))
    npm.host_by_hand(NAME, certificate_id=old)
    npm.certbot.says = npm_certbot.CHALLENGE_FAILED
    assert printed(issue(npm)) == npm_certbot.CHALLENGE_FAILED
    assert (npm.served(), npm.nginx.loaded[1].certificate, list(npm.certificates.rows)) == ({NAME}, 0, [old])


def test_the_world_has_to_reach_the_name(npm):
    npm.certbot.reaches = lambda name: name != NAME
    assert printed(issue(npm)) == npm_certbot.CHALLENGE_FAILED
    assert issue(npm, HTTP | {"domain_names": ["b.example.com"]}).status_code == 201


def test_a_wildcard_needs_the_dns_challenge(npm):
    assert "does not support any combination" in printed(
        issue(npm, HTTP | {"domain_names": ["*.example.com"]})
    )
    assert issue(npm, dns()).status_code == 201


def test_credentials_have_to_be_of_the_right_form_and_good(npm):
    npm.certbot.complains = lambda token, _name: "" if token == "good" else npm_certbot.CREDENTIALS_REFUSED
    assert "Error parsing credentials" in printed(issue(npm, dns("garbage")))
    assert "9109" in printed(issue(npm, dns("dns_cloudflare_api_token=bad")))
    assert issue(npm, dns()).status_code == 201


def test_npm_that_dies_leaves_its_row(npm):
    npm.certbot.dies = True
    assert issue(npm).status_code == 500
    assert npm.certificates.rows[1]["expires_on"] <= npm.now()


@pytest.mark.parametrize("version", ["2.9.22", "2.12.6"])
def test_old_releases_have_to_be_told_who_agrees(version):
    with NpmStandIn(version) as npm:
        npm.add_user("admin@example.com", PASSWORD)
        assert "invalid email address" in printed(issue(npm))
        terms = {"letsencrypt_email": "a@example.com", "letsencrypt_agree": True}
        assert issue(npm, HTTP | {"meta": terms}).status_code == 201


def test_a_renewal_moves_the_date_and_tells_everything(npm):
    issue(npm, dns())
    npm.certificates.rows[1]["expires_on"] = npm.now()
    answer = send(npm, "POST", "/nginx/certificates/1/renew").json()
    assert npm.certificates.rows[1]["expires_on"] - npm.now() > timedelta(days=89)
    assert answer["meta"]["dns_provider_credentials"] == "dns_cloudflare_api_token=good"


def test_a_renewal_can_fail_and_is_for_lets_encrypt_only(npm):
    issue(npm)
    npm.certbot.says = npm_certbot.CHALLENGE_FAILED
    assert printed(send(npm, "POST", "/nginx/certificates/1/renew")) == npm_certbot.CHALLENGE_FAILED
    npm.add_certificate("mine", [NAME], npm.now(), "other")
    assert send(npm, "POST", "/nginx/certificates/2/renew").status_code == 400
