"""What Nginx Proxy Manager printed becomes a sentence, what helps, and a text without secrets."""

from datetime import UTC, datetime

import pytest

from webapp.proxy.certificates.reasons import Cure, explain, masked
from webapp.sandbox import npm_certbot

TOKEN = "s3cr3t-cloudflare-token-000000000000"
# Texts as recorded with the releases, see the stand-in's certbot for the longer ones.
PIP = (
    "ERROR: Cannot install certbot-dns-cloudflare==5.8.0 and cloudflare==2.19.* because these package versions "
    "have conflicting dependencies."
)
OFFLINE = (
    "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='acme-v02.api.letsencrypt.org', port=443): Max "
    "retries exceeded with url: /directory (Caused by NameResolutionError(\"HTTPSConnection(host='acme-v02.api."
    "letsencrypt.org', port=443): Failed to resolve 'acme-v02.api.letsencrypt.org'\"))"
)
EMAIL = "Unable to register an account. The ACME server believes undefined is an invalid email address."
CASES = [
    (npm_certbot.ANOTHER, "busy with another certificate", Cure.SOON),
    (npm_certbot.RATE_LIMITED, "refuses for now", Cure.LATER),
    (npm_certbot.CREDENTIALS_REFUSED, "does not accept the token", Cure.PERSON),
    (npm_certbot.UNKNOWN_ZONE, "cannot see the zone", Cure.PERSON),
    (npm_certbot.GARBAGE, "cannot read the Cloudflare token", Cure.PERSON),
    (npm_certbot.CHALLENGE_FAILED, "could not prove", Cure.LATER),
    (PIP, "cannot install its plugin", Cure.PERSON),
    (OFFLINE, "cannot reach Let's Encrypt", Cure.LATER),
    (EMAIL, "e-mail address", Cure.PERSON),
    ("The selected authenticator does not support any combination", "DNS challenge only", Cure.PERSON),
    ("ERROR: Could not find a version that satisfies the requirement certbot-dns-cloudflare", "download", Cure.LATER),
    ("Something nobody has seen yet", "could not get the certificate", Cure.LATER),
]  # fmt: skip


@pytest.mark.parametrize(("line", "says", "cure"), CASES)
def test_what_is_known_is_said_in_plain_words(line, says, cure):
    reason = explain(
        [f"Error: {npm_certbot.LOG}", line, npm_certbot.HELP, "    at x (file:///app/y.js:1)"], "http"
    )
    assert (says in reason.sentence, reason.cure, reason.detail) == (True, cure, line)


@pytest.mark.parametrize(
    ("challenge", "says"), [("http", "port 80"), ("dns", "at Cloudflare"), ("", "leads here.")]
)
def test_what_to_look_at_depends_on_the_challenge(challenge, says):
    assert says in explain(["Some challenges have failed."], challenge).sentence


def test_an_error_of_old_releases_is_understood_as_well():
    reason = explain(["CommandError: Saving debug log to /tmp/x.log", npm_certbot.CHALLENGE_FAILED], "http")
    assert reason.detail == npm_certbot.CHALLENGE_FAILED


def test_the_time_that_lets_encrypt_names_is_kept():
    text = npm_certbot.RATE_LIMITED.format(name="a.example.com", until="2026-03-01 13:30:00")
    assert explain([text], "http").not_before == datetime(2026, 3, 1, 13, 30, tzinfo=UTC)


@pytest.mark.parametrize("when", ["", "retry after 2026-13-41 25:00:00"])
def test_a_time_that_cannot_be_read_is_left_out(when):
    assert explain([f"too many certificates, {when}"], "http").not_before is None


@pytest.mark.parametrize(
    "text",
    [
        f"token {TOKEN} refused",
        f"Invalid line ('dns_cloudflare_api_token={TOKEN}')",
        f"dns_cloudflare_api_key = {TOKEN}, and more",
    ],
)
def test_secrets_are_masked(text):
    assert TOKEN not in masked(text, [TOKEN, ""])
    assert TOKEN not in masked(text, []) or "api" not in text


def test_a_long_text_is_cut():
    assert len(explain(["x" * 10_000], "http").detail) == 2000
