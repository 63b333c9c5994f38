"""The main job over real HTTP: one form makes a name appear in Nginx Proxy Manager and at Cloudflare."""

from collections.abc import Iterator

import pytest

from tests.support import Browser, make_user
from webapp.db import now
from webapp.dns import service as dns
from webapp.dns.desired import Mode
from webapp.sandbox.server import Failure
from webapp.sandbox.world import SERVER, ZONE, World

NAME = f"blog.{ZONE}"
FORM = {
    "name": "blog",
    "forward_scheme": "http",
    "forward_host": "192.168.1.30",
    "forward_port": "3000",
    "certificate_id": "0",
    "allow_websocket_upgrade": "y",
    "block_exploits": "y",
    "enabled": "y",
    "use_dns": "y",
    "dns_proxied": "default",
}


@pytest.fixture
def world() -> Iterator[World]:
    """Stand-ins with a history, and a panel in managed mode."""
    with World() as world:
        with world.app.app_context():
            world.connect()
        yield world


@pytest.fixture
def browser(world: World) -> Browser:
    make_user(world.app)
    return Browser(world.app).sign_in()


def records(world, name=NAME):
    return [(r["type"], r["content"]) for r in world.cloudflare.find(name)]


def untouched(world):
    """What was there before the panel came."""
    website = world.npm.host_for(f"www.{ZONE}")
    mail = [r for r in world.cloudflare.records(ZONE) if r["type"] == "MX"]
    return (
        records(world, f"www.{ZONE}"),
        len(mail),
        website["forward_host"],
        website["meta"].get("tiny_forge"),
    )


def test_one_form_makes_host_and_record_and_they_go_again(world, browser):
    before = untouched(world)

    assert browser.post("/proxies/new", FORM).status_code == 303
    assert world.settle()
    host = world.npm.host_for(NAME)
    assert (host["forward_host"], host["forward_port"]) == ("192.168.1.30", 3000)
    assert NAME in world.npm.served()
    assert records(world) == [("A", SERVER)]

    page = browser.get("/proxies").text
    assert "Online" in page
    assert "Synced" in page

    assert browser.post("/proxies/1", FORM | {"name": "news", "version": "1"}).status_code == 303
    assert world.settle()
    assert world.npm.host_for(NAME) is None
    assert world.npm.host_for(f"news.{ZONE}")["id"] == host["id"]
    assert (records(world), records(world, f"news.{ZONE}")) == ([], [("A", SERVER)])

    assert browser.post("/proxies/1/remove").status_code == 303
    assert world.settle()
    assert world.npm.host_for(f"news.{ZONE}") is None
    assert records(world, f"news.{ZONE}") == []
    assert f"news.{ZONE}" not in browser.get("/proxies").text.partition('id="proxies"')[2]

    assert untouched(world) == before


def test_a_second_look_changes_nothing(world, browser):
    browser.post("/proxies/new", FORM)
    world.settle()
    counts = world.npm.writes, world.cloudflare.writes
    with world.app.app_context():
        world.check_now()
    world.settle()
    assert (world.npm.writes, world.cloudflare.writes) == counts


def test_turning_a_proxy_off_keeps_its_record(world, browser):
    browser.post("/proxies/new", FORM)
    world.settle()
    writes = world.cloudflare.writes
    browser.post("/proxies/1/disable")
    assert world.settle()
    assert NAME not in world.npm.served()
    assert records(world) == [("A", SERVER)]
    browser.post("/proxies/1/enable")
    assert world.settle()
    assert NAME in world.npm.served()
    assert world.cloudflare.writes == writes


def test_under_the_wildcard_no_record_is_made(world, browser):
    with world.app.app_context():
        world.connect(Mode.WILDCARD)
    world.settle()
    calls = len(world.cloudflare.log)
    browser.post("/proxies/new", FORM)
    assert world.settle()
    assert NAME in world.npm.served()
    assert records(world) == []
    assert len(world.cloudflare.log) == calls


def test_a_name_without_dns_gets_a_host_and_no_record(world, browser):
    browser.post("/proxies/new", {k: v for k, v in FORM.items() if k != "use_dns"})
    assert world.settle()
    assert NAME in world.npm.served()
    assert records(world) == []


def test_what_differs_for_one_name_reaches_cloudflare(world, browser):
    browser.post("/proxies/new", FORM | {"dns_ttl": "300", "dns_proxied": "no"})
    assert world.settle()
    (record,) = world.cloudflare.find(NAME)
    assert (record["ttl"], record["proxied"]) == (300, False)


def test_cloudflare_down_does_not_keep_the_host_from_working(world, browser):
    world.cloudflare.stop()
    assert browser.post("/proxies/new", FORM).status_code == 303
    assert not world.settle()
    assert NAME in world.npm.served()
    page = browser.get("/dns")
    assert page.status_code == 200
    assert NAME in page.text


def test_nginx_proxy_manager_down_does_not_keep_the_record_from_appearing(world, browser):
    world.npm.stop()
    assert browser.post("/proxies/new", FORM).status_code == 303
    assert not world.settle()
    assert records(world) == [("A", SERVER)]
    page = browser.get("/proxies").text
    assert "cannot be reached" in page
    assert "Pending" in page


def test_a_record_made_by_hand_for_the_same_name_is_never_overwritten(world, browser):
    world.cloudflare.put_by_hand(NAME, "A", "198.51.100.99")
    browser.post("/proxies/new", FORM)
    assert not world.settle()
    assert records(world) == [("A", "198.51.100.99")]
    assert "198.51.100.99" in browser.get("/dns").text


def test_a_name_of_a_host_made_by_hand_is_refused_with_its_holder(world, browser):
    world.settle()
    page = browser.post("/proxies/new", FORM | {"name": f"www.{ZONE}"})
    assert page.status_code == 409
    assert "host 1 in Nginx Proxy Manager" in page.text
    assert world.npm.host_for(f"www.{ZONE}")["forward_host"] == "198.51.100.7"


def test_an_odd_answer_of_cloudflare_loses_nothing(world, browser):
    world.cloudflare.fail(Failure.TRUNCATE)
    browser.post("/proxies/new", FORM)
    world.settle()
    assert browser.get("/dns").status_code == 200
    with world.app.app_context():
        dns.retry(1, at=now())
    assert world.settle()
    assert records(world) == [("A", SERVER)]
