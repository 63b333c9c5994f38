"""The choice of a certificate in the forms of proxies and apps, and on their command lines."""

from html import unescape

import pytest
from sqlalchemy import select

from tests.deploy import pages_world
from tests.proxy.test_proxy_views import FORM
from webapp.cli import ForgeGroup
from webapp.db import now, reading, transaction
from webapp.deploy import rows
from webapp.deploy.cli import app as app_group
from webapp.deploy.encryption import Apps
from webapp.dns.models import DnsRecord, Status
from webapp.errors import InvalidInput
from webapp.proxy import listing
from webapp.proxy import service as proxies
from webapp.proxy.certificates import service
from webapp.proxy.certificates.certifier import Certifier
from webapp.proxy.certificates.choice import coerce, wildcard_of
from webapp.proxy.certificates.holders import Proxies
from webapp.proxy.certificates.models import Challenge, Holder, Phase
from webapp.proxy.cli import proxy as proxy_group

NEW = FORM | {"certificate_id": "new-http", "ssl_forced": "y", "http2_support": "y"}


def requests():
    with reading() as session:
        return list(service.requests(session))


def hosts():
    with reading() as session:
        return list(listing.matching(session))


def told(request):
    return (request.names, request.challenge, request.holder, request.holder_id)


@pytest.mark.parametrize("htmx", [False, True])
def test_a_new_proxy_asks_for_its_certificate_and_is_made_without_one(client, panel, htmx):
    client.post("/proxies/new", NEW, htmx=htmx)
    (host,), (request,) = hosts(), requests()
    assert (host.certificate_id, host.ssl_forced) == (0, False)
    assert told(request) == (["app.example.com"], Challenge.HTTP, Holder.PROXY, host.id)
    assert request.options == {
        "ssl_forced": True, "http2_support": True, "hsts_enabled": False, "hsts_subdomains": False,
    }  # fmt: skip


def test_a_proxy_with_a_certificate_keeps_it_until_the_new_one_is_there(client, panel):
    row = panel.create(certificate_id=7, ssl_forced=True)
    panel.zone()
    assert client.post(f"/proxies/{row}", NEW | {"certificate_id": "new-wildcard"}).status_code == 303
    assert (hosts()[0].certificate_id, hosts()[0].ssl_forced, hosts()[0].http2_support) == (7, True, False)
    assert told(requests()[0]) == (["*.example.com"], Challenge.DNS, Holder.PROXY, row)
    page = unescape(client.get(f"/proxies/{row}").text)
    assert "A new certificate was asked for" in page
    assert "sends the Cloudflare token to Nginx Proxy Manager" in page


def test_saving_something_else_keeps_the_request_and_another_choice_gives_it_up(client, panel):
    row = panel.create()
    panel.ask(proxy=row)
    client.post(f"/proxies/{row}", FORM | {"forward_port": "81"})
    assert len(requests()) == 1
    with transaction() as session:
        proxies.npm_settings(session).certificates = [
            {"id": 3, "name": "x", "domains": ["x.example.com"], "expires_on": None}
        ]
    version = str(hosts()[0].version)
    client.post(f"/proxies/{row}", FORM | {"forward_port": "81", "certificate_id": "3", "version": version})
    assert (requests(), hosts()[0].certificate_id) == ([], 3)


@pytest.mark.parametrize(
    ("name", "way", "says"),
    [
        ("*.example.com", "new-http", "DNS challenge only"),
        ("app.example.com", "new-dns", "Choose a certificate from the list"),
        ("app.example.com", "new-carrier-pigeon", "could not coerce"),
    ],
)
def test_a_way_that_is_not_open_is_refused_beside_the_certificate(client, panel, name, way, says):
    page = client.post("/proxies/new", NEW | {"name": name, "certificate_id": way})
    assert (page.status_code, hosts(), requests()) == (422, [], [])
    assert says in page.text
    assert 'id="certificate_id-errors"' in page.text


def test_a_name_outside_the_zone_is_refused(client, panel):
    panel.zone(zone="example.net")
    page = client.post("/proxies/new", NEW | {"certificate_id": "new-dns", "use_dns": ""})
    assert (page.status_code, "outside the zone" in page.text, requests()) == (422, True, [])


def test_unfinished_certificates_are_not_offered(client, panel):
    facts = {"id": 3, "name": "x", "domains": ["half.example.com"], "expires_on": None, "made": False}
    with transaction() as session:
        proxies.npm_settings(session).certificates = [facts]
    assert "half.example.com" not in client.get("/proxies/new").text


@pytest.mark.parametrize(
    ("name", "star"), [("a.example.com", "*.example.com"), ("*.b.example.com", "*.b.example.com")]
)
def test_the_wildcard_beside_a_name(name, star):
    assert wildcard_of(name) == star


def test_no_wildcard_holds_a_domain_itself():
    with pytest.raises(InvalidInput, match=r"No wildcard certificate can hold example\.com"):
        wildcard_of("example.com")


def test_a_choice_is_a_number_or_a_way():
    assert (coerce("3"), coerce("new-http")) == (3, "new-http")
    with pytest.raises(ValueError):
        coerce("new-nothing")


@pytest.fixture
def run(app):
    """Run a command as `tiny-forge` does."""
    group = ForgeGroup(name="tiny-forge", create_app=lambda: app, add_default_commands=False)
    group.add_command(proxy_group)
    group.add_command(app_group)
    return lambda *args: app.test_cli_runner().invoke(group, list(args))


def test_a_proxy_made_on_the_command_line_asks_for_its_certificate(run, panel):
    done = run(
        "proxy", "create", "app.example.com", "--to", "h:1", "--certificate", "new-http", "--force-ssl"
    )
    assert done.exit_code == 0
    assert (told(requests()[0])[0], requests()[0].options["ssl_forced"]) == (["app.example.com"], True)
    assert run("proxy", "update", "app.example.com", "--to", "h:2").exit_code == 0
    assert len(requests()) == 1


APP = pages_world.FORM | {"certificate_id": "new-http", "ssl_forced": "y"}


def blog():
    with reading() as session:
        return rows.app_by_slug(session, "blog")


def test_an_app_asks_for_one_certificate_for_its_instances(client, panel):
    client.post("/apps/new", APP)
    assert told(requests()[0]) == (["blog.example.com"], Challenge.HTTP, Holder.APP, blog().id)
    assert (blog().certificate_id, blog().ssl_forced) == (0, False)
    assert "A new certificate was asked for" in client.get("/apps/blog/edit").text


def test_an_app_on_the_command_line_does_too(run, panel):
    made = run("app", "create", "blog", "--image", "acme/web", "--port", "80", "--subdomain", "blog.example.com",
               "--certificate-id", "new-http")  # fmt: skip
    assert (made.exit_code, len(requests())) == (0, 1)
    assert run("app", "update", "blog", "--memory", "128").exit_code == 0
    assert len(requests()) == 1


def test_the_certificate_of_an_app_comes_to_its_hosts(client, panel, npm):
    pages_world.deployed()
    panel.run()
    found = blog()
    client.post("/apps/blog/edit", APP | {"version": str(found.version)})
    keepers = {Holder.PROXY: Proxies(), Holder.APP: Apps()}
    panel.certifier = Certifier("here", panel.visible, keepers, clock=lambda: panel.now)
    panel.now = now()
    settle_records()
    panel.settle(8)
    assert (requests()[0].phase, blog().certificate_id, blog().ssl_forced) == (Phase.DONE, 1, True)
    assert blog().version > found.version + 1
    host = npm.host_for("blog.example.com")
    assert (host["certificate_id"], host["ssl_forced"]) == (1, True)


def settle_records():
    with transaction() as session:
        for row in session.scalars(select(DnsRecord)):
            row.status = Status.SYNCED


def test_a_request_of_an_app_goes_with_it(client, panel):
    client.post("/apps/new", APP)
    with transaction() as session:
        rows.app_by_slug(session, "blog").removing = True
    Certifier("here", panel.visible, {Holder.APP: Apps()}).run_due()
    assert requests() == []


def test_what_an_app_has_already_is_not_written_again(client, panel):
    pages_world.deployed()
    before = blog().version
    with transaction() as session:
        Apps().encrypt(session, blog().id, Apps().encryption(session, blog().id), now())
    assert blog().version == before
