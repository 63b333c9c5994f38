"""The panel looks from outside at what it made: name servers and the public side are stand-ins, too."""

import re
import socket
from collections.abc import Iterator

import pytest

from tests.dns.live_world import NAME, ZONE
from tests.support import Browser, make_user
from webapp.db import reading, transaction
from webapp.dns import ledger
from webapp.dns.desired import Mode
from webapp.dns.ledger import SOON_TRIES
from webapp.dns.live import Liveness
from webapp.dns.models import DnsRecord
from webapp.sandbox.world import SERVER, World

pytestmark = pytest.mark.matrix

FORM = {
    "name": "app", "forward_scheme": "http", "forward_host": "192.168.1.30", "forward_port": "3000",
    "certificate_id": "0", "enabled": "y", "use_dns": "y", "dns_proxied": "default",
}  # fmt: skip


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        with world.app.app_context():
            world.connect()
        yield world


@pytest.fixture
def browser(world: World) -> Browser:
    make_user(world.app)
    return Browser(world.app).sign_in()


def row(world: World) -> DnsRecord:
    with world.app.app_context(), reading() as session:
        (found,) = ledger.by_fqdn(session, [NAME])
        return found


def look_again(world: World) -> None:
    """Have the next look come now."""
    with world.app.app_context(), transaction() as session:
        (found,) = ledger.by_fqdn(session, [NAME])
        found.live_due_at = found.created_at
    world.settle()


def shown(browser: Browser) -> str:
    """The row on the DNS page, in words."""
    page = browser.get("/dns").text
    line = page[page.index(f'<th scope="row" class="name">{NAME}') :].partition("</tr>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", line).split())


def test_a_name_is_live_when_the_name_server_answers(world: World, browser: Browser) -> None:
    browser.post("/proxies/new", FORM)
    assert world.settle()
    assert "Synced Live The name server answers 203.0.113.10. Looked up" in shown(browser)
    assert (NAME, "A", "udp") in world.name_server.log


def test_what_somebody_changes_there_shows_at_the_next_look(world: World, browser: Browser) -> None:
    browser.post("/proxies/new", FORM)
    world.settle()
    world.cloudflare.edit_by_hand(world.cloudflare.find(NAME)[0]["id"], content="198.51.100.9")
    look_again(world)
    assert "Wrong answer" in shown(browser)
    assert f"answers 198.51.100.9; wanted is {SERVER}." in shown(browser)


def test_a_name_server_that_is_down_blocks_nothing(world: World, browser: Browser) -> None:
    world.name_server.stop()
    browser.post("/proxies/new", FORM)
    assert world.settle()
    assert "Synced Not known" in shown(browser)


def test_a_proxied_name_is_proven_through_the_public_side(world: World, browser: Browser) -> None:
    browser.post("/proxies/new", FORM | {"dns_proxied": "yes"})
    assert world.settle()
    found = row(world)
    assert (found.live, found.live_message) == (
        Liveness.LIVE,
        "The public name answers through Cloudflare, and leads to this installation.",
    )
    assert [request.headers["host"] for request, _ in world.public.log] == [NAME]


def test_somebody_elses_host_does_not_pass_for_ours(world: World, browser: Browser) -> None:
    browser.post("/proxies/new", FORM | {"dns_proxied": "yes"})
    world.settle()
    host = world.npm.host_for(NAME)
    assert host is not None
    proof = re.search('return 200 "([^"]*)"', host["advanced_config"])
    assert proof is not None
    world.npm.edit_by_hand(host["id"], advanced_config=host["advanced_config"].replace(proof[1], "hello"))
    look_again(world)
    assert row(world).live is Liveness.WRONG


def test_a_name_that_is_switched_to_proxied_gets_its_proof(world: World, browser: Browser) -> None:
    browser.post("/proxies/new", FORM)
    world.settle()
    browser.post("/proxies/1", FORM | {"dns_proxied": "yes", "version": "1"})
    world.settle()
    look_again(world)
    assert row(world).live is Liveness.LIVE


@pytest.fixture
def wild() -> Iterator[World]:
    """A panel whose names the wildcard serves, which Cloudflare proxies; nothing here knows that."""
    with World() as world:
        world.cloudflare.put_by_hand("*.example.com", "A", SERVER, proxied=True)
        with world.app.app_context():
            world.connect(Mode.WILDCARD)
        yield world


def test_a_name_of_a_proxied_wildcard_is_proven_at_its_host(wild: World) -> None:
    with wild.app.app_context():
        wild.add_proxy(NAME, "192.168.1.30", 3000)
    wild.settle()
    assert row(wild).live is Liveness.NOT_YET
    wild.settle()
    look_again(wild)
    found = row(wild)
    assert found.live is Liveness.LIVE, found.live_message
    assert "leads to this installation" in (found.live_message or "")
    assert [request.headers["host"] for request, _ in wild.public.log] == [NAME]


def test_a_name_with_a_record_of_its_own_that_leads_elsewhere_is_found_out(wild: World) -> None:
    wild.cloudflare.put_by_hand(NAME, "A", "198.51.100.7")
    with wild.app.app_context():
        wild.add_proxy(NAME, "192.168.1.30", 3000)
    for _ in range(SOON_TRIES + 1):
        wild.settle()
        look_again(wild)
    found = row(wild)
    assert found.live is Liveness.WRONG
    assert (found.live_message or "").startswith(
        "It answers 198.51.100.7, and not 203.0.113.10. Something else"
    )


def test_the_name_server_answers_what_it_does_not_know_as_such(world: World) -> None:
    """And a message that is none is not answered at all."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.settimeout(0.2)
        stranger.sendto(b"?", ("127.0.0.1", world.name_server.port))
        with pytest.raises(TimeoutError):
            stranger.recv(100)
    assert ZONE
