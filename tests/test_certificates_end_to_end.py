"""A certificate from the form to the host, over real HTTP: record, certificate, host, and what a failure shows."""

import time
from collections.abc import Iterator

import pytest

from tests.support import Browser, make_user
from tests.test_end_to_end import FORM, NAME
from webapp.db import reading
from webapp.proxy.certificates import service
from webapp.proxy.certificates.models import Phase
from webapp.sandbox.world import TOKEN, ZONE, World
from webapp.serve import working

pytestmark = pytest.mark.matrix

NEW = FORM | {"certificate_id": "new-http", "ssl_forced": "y"}


@pytest.fixture
def world() -> Iterator[World]:
    """Stand-ins with a history, a panel in managed mode, and a worker at work."""
    with World() as world:
        with world.app.app_context():
            world.connect()
        with working(world.app, ask=world.resolve, probe=world.engine.probe):
            yield world


@pytest.fixture
def browser(world: World) -> Browser:
    make_user(world.app)
    return Browser(world.app).sign_in()


def until(look, seconds=20):
    """What the look shows, as soon as it shows anything."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, "nothing to be seen"
        time.sleep(0.1)
    return seen


def request(world):
    with world.app.app_context(), reading() as session:
        return service.requests(session)[0]


def test_one_form_makes_host_record_and_certificate(world, browser):
    world.npm.certbot.seconds = 0.5
    assert browser.post("/proxies/new", NEW).status_code == 303
    until(lambda: request(world).phase is Phase.DONE)
    host = world.npm.host_for(NAME)
    certificate = world.npm.certificates.rows[host["certificate_id"]]
    assert (certificate["domain_names"], host["ssl_forced"]) == ([NAME], True)
    assert NAME in world.npm.served()
    posts = [r.path for r, _ in world.npm.log if r.method in ("POST", "PUT") and "/nginx/" in r.path]
    assert posts.index("/api/nginx/proxy-hosts") < posts.index("/api/nginx/certificates")
    assert "Certificate until" in browser.get("/proxies").text


def test_a_wildcard_by_dns_leaves_the_host_in_service(world, browser):
    world.npm.certbot.seconds = 0.5
    name = f"a.lab.{ZONE}"
    browser.post("/proxies/new", FORM | {"name": name})
    until(lambda: name in world.npm.served())
    asked = NEW | {"certificate_id": "new-wildcard", "name": name, "version": "1"}
    assert browser.post("/proxies/1", asked).status_code == 303
    while request(world).phase is not Phase.DONE:
        assert name in world.npm.served()
        time.sleep(0.02)
    used = world.npm.certificates.rows[world.npm.host_for(name)["certificate_id"]]
    assert (used["domain_names"], TOKEN in str(used["meta"])) == ([f"*.lab.{ZONE}"], True)
    assert TOKEN not in browser.get("/certificates").text


def test_a_wildcard_that_is_there_already_is_used(world, browser):
    until(lambda: browser.get("/certificates").text.count("Good"))
    browser.post("/proxies/new", NEW | {"certificate_id": "new-wildcard"})
    until(lambda: request(world).phase is Phase.DONE)
    assert (world.npm.host_for(NAME)["certificate_id"], world.npm.certbot.runs) == (1, 0)


def test_a_name_that_does_not_lead_here_is_told_in_words(world, browser):
    world.npm.certbot.reaches = lambda _name: False
    browser.post("/proxies/new", NEW)
    until(lambda: request(world).attempts == 1)
    until(lambda: NAME in world.npm.served())
    page = browser.get("/certificates").text
    assert "Try 1 of 5 failed." in page
    assert "Some challenges have failed." in page
