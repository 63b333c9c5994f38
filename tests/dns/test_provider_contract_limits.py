"""The contract of every provider where something is missing: room, an answer, a permission."""

from dataclasses import replace

import pytest

from tests.dns.provider_world import ZONE, World, applied, ensured, listed, record
from webapp.dns.changes import Create
from webapp.dns.records import Usage
from webapp.errors import Denied, Outage

APP, WWW = record("app"), record("www")


def test_usage_counts_every_record(world):
    world.put(f"theirs.{ZONE}", "TXT", "v=spf1")
    ensured(world, APP)
    world.fill(7)
    assert world.provider.usage(world.zone) == Usage(2, 7)


def test_a_full_zone_refuses_the_record_that_is_too_much(world):
    world.fill(1)
    outcomes = applied(world, [Create(1, APP), Create(2, WWW)])
    assert {o.change.row: o.error is None for o in outcomes} == {1: True, 2: False}


@pytest.mark.parametrize("call", ["list_zones", "list_records", "usage", "ensure", "delete", "apply"])
def test_an_outage_is_raised_and_not_swallowed(world, call):
    [made] = ensured(world, APP)
    world.break_down()
    provider, zone = world.provider, world.zone
    calls = {
        "list_zones": provider.list_zones,
        "list_records": lambda: provider.list_records(zone),
        "usage": lambda: provider.usage(zone),
        "ensure": lambda: provider.ensure_record(zone, WWW, None),
        "delete": lambda: provider.delete_record(zone, made),
        "apply": lambda: applied(world, [Create(1, WWW), Create(2, record("new"))]),
    }
    with pytest.raises(Outage):
        calls[call]()


def test_a_token_that_may_only_read_is_denied_and_changes_nothing(world):
    ensured(world, APP)
    world.forbid()
    with pytest.raises(Denied):
        applied(world, [Create(1, WWW), Create(2, record("new"))])
    assert len(listed(world)) == 1


@pytest.mark.parametrize("call", ["list_zones", "list_records", "usage"])
def test_a_token_that_is_not_valid_any_more_is_denied(world, call):
    world.revoke()
    with pytest.raises(Denied):
        getattr(world.provider, call)(*([] if call == "list_zones" else [world.zone]))


def test_a_zone_that_the_token_cannot_see_is_denied(world):
    with pytest.raises(Denied):
        world.provider.list_records(replace(world.zone, id="0" * 32))


def passes(world: World, zone_is_chosen: bool = True) -> list[bool | None]:
    return [f.passed for f in world.provider.probe(world.zone if zone_is_chosen else None)]


def test_the_connection_test_passes_and_writes_nothing(world):
    before = world.writes
    assert passes(world) == [True] * 4
    assert world.writes == before


def test_the_connection_test_finds_that_writing_is_not_allowed(world):
    world.forbid()
    assert passes(world) == [True, True, True, False]


def test_the_connection_test_says_when_no_zone_is_chosen(world):
    findings = passes(world, zone_is_chosen=False)
    assert findings[0] is True
    assert findings[1] is False


def test_the_connection_test_never_raises(world):
    world.break_down()
    assert passes(world)[0] is False
