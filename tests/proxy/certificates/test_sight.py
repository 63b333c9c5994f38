"""Whether a name can be seen at its zone's servers, as far as the certificates' lane wants to know."""

import pytest

from tests.dns.live_world import HERE, NAME, names
from webapp.dns.live import Said
from webapp.errors import Outage
from webapp.proxy.certificates.sight import by_authority

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def world():
    with names() as world:
        yield world


def look(world, name=NAME):
    return by_authority(world.authority)(name)


@pytest.mark.parametrize(
    ("kind", "content", "fields"),
    [
        ("A", HERE, {}),
        ("AAAA", "2001:db8::10", {}),
        ("CNAME", "host.example.net", {}),
        ("A", HERE, {"proxied": True}),
    ],
)
def test_any_record_that_leads_somewhere_will_do(world, kind, content, fields):
    world.put(kind=kind, content=content, **fields)
    assert look(world) is None


def test_a_name_without_a_record_is_not_seen(world):
    world.put(kind="TXT", content='"hello"')
    assert look(world).endswith("does not have a record of app.example.com yet.")


def test_one_server_that_lags_behind_is_enough(world):
    world.leave_behind()
    world.put()
    assert look(world) == f"{world.two.address} does not have a record of app.example.com yet."


def test_one_server_that_does_not_answer_is_passed_over(world):
    world.put()
    world.one.silent = True
    assert look(world) is None
    world.two.silent = True
    assert look(world).endswith("does not answer.")


def test_the_zone_in_use_is_asked(world, panel):
    panel.zone()
    world.put()
    assert look(world) is None


class NoServers:
    """Nobody has the zone, or only a parent has it."""

    def __init__(self, known="", mute=False):
        self.known, self.mute, self.asked = known, mute, []

    def ask(self, zone, questions):
        self.asked.append(zone)
        if zone != self.known:
            raise Outage(f"{zone} has no name servers in public DNS.")
        return {} if self.mute else {"ns1": {one: Said(frozenset({("A", HERE)})) for one in questions}}


def test_without_a_zone_in_use_the_nearest_parent_is_asked():
    world = NoServers("example.com")
    assert by_authority(world)("a.b.example.com") is None
    assert world.asked == ["a.b.example.com", "b.example.com", "example.com"]


def test_a_name_that_nobody_has_is_told():
    assert by_authority(NoServers())("a.example.com") == "example.com has no name servers in public DNS."


def test_no_answer_at_all_is_no_sight():
    assert (
        by_authority(NoServers("a.example.com", mute=True))("a.example.com")
        == "Nobody answers for a.example.com."
    )
