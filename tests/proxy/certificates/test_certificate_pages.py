"""The certificates page, with and without htmx: what there is, what was asked for, and how to ask for more."""

from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import event

from tests.proxy.certificates.certificates_world import CertificatePanel
from webapp.db import db, now, reading, transaction
from webapp.proxy import service as proxies
from webapp.proxy.certificates import service
from webapp.proxy.certificates.models import CertificateRequest, Challenge, Holder, Phase
from webapp.proxy.certificates.service import CertificateWish

BOTH = pytest.mark.parametrize("htmx", [False, True])
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def panel(npm, context):
    """Rows as of now, so that pages take them for fresh."""
    panel = CertificatePanel(npm).connect()
    panel.now = now()
    return panel


def certificate(number, name, days, provider="letsencrypt", **more):
    until = (now() + timedelta(days=days)).isoformat()
    facts = {"id": number, "name": name, "domains": [name], "provider": provider, "expires_on": until} | more
    with transaction() as session:
        settings = proxies.npm_settings(session)
        settings.certificates = [*settings.certificates, facts]


def requests():
    with reading() as session:
        return list(service.requests(session))


def change(**fields):
    with transaction() as session:
        row = session.get_one(CertificateRequest, 1)
        for name, value in fields.items():
            setattr(row, name, value)


def text(page):
    return " ".join(unescape(page.text).split())


def test_without_any_the_page_says_so(client, panel):
    page = client.get("/certificates")
    assert ("No certificates yet" in page.text, "every 2s" in page.text) == (True, False)


def test_without_an_npm_the_page_leads_to_the_settings(client):
    assert "is not set up yet" in client.get("/certificates").text


@BOTH
def test_each_certificate_is_listed_with_its_users(client, panel, htmx):
    certificate(3, "app.example.com", 80)
    certificate(4, "old.example.com", 20, "other")
    panel.create(certificate_id=3)
    page = text(client.get("/certificates", htmx=htmx))
    assert page.index("old.example.com") < page.index("app.example.com")
    for part in (
        "Expires soon",
        "Nobody renews it",
        "Good",
        "Let's Encrypt",
        "uploaded",
        "none of our hosts",
    ):
        assert part in page
    assert (page.count('aria-label="Renew '), "<main" in page) == (1, not htmx)


@BOTH
def test_a_certificate_is_asked_for(client, panel, htmx):
    page = client.post(
        "/certificates", {"names": "app.example.com, www.example.com", "challenge": "http"}, htmx=htmx
    )
    assert page.status_code == (200 if htmx else 303)
    assert [(row.names, row.challenge) for row in requests()] == [
        (["app.example.com", "www.example.com"], Challenge.HTTP)
    ]
    shown = text(client.get("/certificates"))
    assert "Waiting until the record can be seen." in shown
    assert "every 2s" in shown


@BOTH
@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"names": "", "challenge": "http"}, "Enter a name"),
        ({"names": "a.example.com b_c.example.com", "challenge": "http"}, "underscore"),
        ({"names": "*.example.com", "challenge": "http"}, "A wildcard needs the DNS challenge."),
        ({"names": "app.example.com", "challenge": "dns"}, "needs a zone at Cloudflare"),
        (
            {"names": " ".join(f"n{i}.example.com" for i in range(101)), "challenge": "http"},
            "at most 100 names",
        ),
        ({"names": "app.example.com", "challenge": "carrier pigeon"}, "could not coerce"),
    ],
)
def test_what_cannot_be_asked_for_is_told_beside_its_field(client, panel, fields, says, htmx):
    page = client.post("/certificates", fields, htmx=htmx)
    assert (page.status_code, requests()) == (422, [])
    assert says in text(page)
    assert "<title>Error: " in page.text


def test_the_dns_challenge_is_offered_with_what_it_sends(client, panel):
    assert "sends the Cloudflare token" not in client.get("/certificates").text
    panel.zone()
    assert "sends the Cloudflare token to Nginx Proxy Manager" in client.get("/certificates").text


@BOTH
def test_names_that_are_asked_for_already_are_refused(client, panel, htmx):
    panel.ask()
    page = client.post("/certificates", {"names": "app.example.com", "challenge": "http"}, htmx=htmx)
    assert (page.status_code, "being asked for already" in page.text) == (409, True)


@BOTH
def test_a_failed_request_shows_why_and_can_be_tried_again(client, panel, htmx):
    panel.ask()
    change(phase=Phase.FAILED, attempts=5, error="Because.", detail=HOSTILE, next_try_at=None)
    page = client.get("/certificates")
    assert "Given up after 5 tries. Because." in text(page)
    assert (HOSTILE in page.text, "&lt;img src=x" in page.text) == (False, True)
    client.post("/certificates/requests/1/retry", htmx=htmx)
    assert requests()[0].phase is Phase.WAITING


@BOTH
def test_a_request_is_forgotten(client, panel, htmx):
    panel.ask()
    page = client.post("/certificates/requests/1/forget", htmx=htmx)
    assert (page.status_code, requests()) == (200 if htmx else 303, [])


@BOTH
def test_a_certificate_is_renewed(client, panel, htmx):
    certificate(3, "app.example.com", 20)
    assert client.post("/certificates/3/renew", htmx=htmx).status_code == (200 if htmx else 303)
    assert [row.renews for row in requests()] == [3]
    assert "renewal of certificate 3" in client.get("/certificates").text


@pytest.mark.parametrize(
    "path", ["requests/9/retry", "requests/9/forget", "9/renew", f"requests/{2**70}/retry"]
)
def test_what_is_not_there_is_404(client, panel, path):
    assert client.post(f"/certificates/{path}").status_code == 404


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"phase": Phase.WAITING, "attempts": 2, "error": "No."}, "Try 2 of 5 failed. No."),
        ({"phase": Phase.REQUESTING}, "asks Let's Encrypt"),
        ({"phase": Phase.ATTACHING}, "is put to use"),
        ({"phase": Phase.DONE, "next_try_at": None}, "The certificate is there."),
        (
            {"phase": Phase.FAILED, "next_try_at": None, "error": "No."},
            "cannot be asked for as things are. No.",
        ),
        ({"phase": Phase.FAILED, "attempts": 1}, "Given up after 1 try."),
    ],
)
def test_every_phase_is_told_in_words(client, panel, fields, says):
    panel.ask()
    change(**fields)
    assert says in text(client.get("/certificates"))


def test_the_number_of_queries_is_constant(client, panel):
    def queries():
        seen = []

        def count(*_args):
            seen.append(1)

        event.listen(db.engine, "before_cursor_execute", count)
        client.get("/certificates")
        event.remove(db.engine, "before_cursor_execute", count)
        return len(seen)

    certificate(1, "a.example.com", 50)
    panel.ask("b.example.com")
    few = queries()
    for number in range(2, 12):
        certificate(number, f"n{number}.example.com", 50)
        panel.create(f"n{number}.example.com", certificate_id=number)
        service.ask(CertificateWish((f"m{number}.example.com",), Challenge.HTTP), at=now())
    assert queries() == few


def test_the_page_is_in_the_navigation_and_needs_somebody_signed_in(client, panel):
    assert 'href="/certificates"' in client.get("/").text
    assert client.anonymous().get("/certificates").status_code == 303


def test_the_overview_tells_what_runs_out_and_what_failed(client, panel):
    certificate(3, "old.example.com", 5, "other")
    panel.ask()
    change(phase=Phase.FAILED, error="Because.", next_try_at=None)
    page = text(client.get("/"))
    assert "1, the next one until" in page
    assert "Nobody renews it." in page
    assert "Because." in page
    assert "Everything is as it should be" not in page


def test_the_list_of_proxies_shows_how_long_certificates_last(client, panel):
    certificate(3, "app.example.com", 5)
    row = panel.create(certificate_id=3)
    other = panel.create("b.example.com", certificate_id=99)
    service.ask(CertificateWish(("app.example.com",), Challenge.HTTP, Holder.PROXY, row), at=now())
    page = text(client.get("/proxies"))
    for part in (
        "Certificate until",
        "Expires soon",
        "Waiting for the record",
        "Certificate 99, not in the list",
    ):
        assert part in page
    assert other != row
