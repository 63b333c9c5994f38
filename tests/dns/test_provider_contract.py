"""The contract of every provider: the same tests for the one in memory and for Cloudflare over HTTP."""

from dataclasses import replace
from itertools import product

import pytest

from tests.dns.provider_world import (
    OWNER,
    ZONE,
    applied,
    ensured,
    listed,
    reconciled,
    record,
)
from webapp.dns.changes import Create, Delete, Update, Wish
from webapp.errors import Rejected

APP, WWW = record("app"), record("www")
CNAME = record("app", "CNAME", "server.example.net")


def test_every_zone_is_listed_with_whether_it_may_be_edited(world):
    world.add_zone("other.net")
    assert {(zone.name, zone.may_edit) for zone in world.provider.list_zones()} == {
        (ZONE, True),
        ("other.net", True),
    }


def test_an_empty_zone_has_no_records(world):
    assert world.provider.list_records(world.zone) == []


def test_a_record_by_hand_is_listed_as_it_is(world):
    world.put(f"www.{ZONE}", "TXT", "v=spf1", note="do not touch", ttl=600)
    live = listed(world)[f"www.{ZONE}", "TXT"]
    assert (live.content, live.ttl, live.proxied, live.mark, live.note) == (
        "v=spf1",
        600,
        False,
        None,
        "do not touch",
    )


def test_the_mark_of_another_installation_is_told_from_its_note(world):
    world.put(f"www.{ZONE}", "A", "192.0.2.9", mark="other", note="theirs")
    live = listed(world)[f"www.{ZONE}", "A"]
    assert (live.mark, live.note) == ("other", "theirs")


def test_a_created_record_is_answered_and_listed_with_our_mark(world):
    [made] = ensured(world, APP)
    assert listed(world) == {(APP.name, "A"): made}
    assert made.is_like(APP)
    assert made.mark == OWNER


def test_creating_again_finds_what_was_made(world):
    assert ensured(world, APP, APP)[0].id == ensured(world, APP)[0].id
    assert len(listed(world)) == 1


@pytest.mark.parametrize(
    "change",
    [
        record("app", content="192.0.2.2"),
        record("app", ttl=300),
        record("app", proxied=True),
        record("app", "AAAA", "2001:db8::1"),
        CNAME,
        record("renamed"),
    ],
)
def test_a_known_record_is_turned_into_the_wanted_one_and_keeps_its_id(world, change):
    [made] = ensured(world, APP)
    changed = world.provider.ensure_record(world.zone, change, made)
    assert changed.id == made.id
    assert listed(world) == {(change.name, str(change.type)): changed}
    assert changed.is_like(change)


def test_changing_again_changes_nothing(world):
    [made] = ensured(world, APP)
    change = replace(APP, content="192.0.2.2")
    assert world.provider.ensure_record(world.zone, change, made) == world.provider.ensure_record(
        world.zone, change, made
    )


def test_a_record_that_somebody_changed_is_listed_as_it_is_now_with_its_mark(world):
    [made] = ensured(world, APP)
    world.edit(made, content="192.0.2.9", ttl=600)
    assert listed(world)[APP.name, "A"] == replace(made, content="192.0.2.9", ttl=600)


def test_a_note_of_others_is_kept_behind_our_mark(world):
    world.put(APP.name, "A", "192.0.2.9", note="do not touch")
    adopted = world.provider.ensure_record(world.zone, APP, listed(world)[APP.name, "A"])
    assert (adopted.mark, adopted.note) == (OWNER, "do not touch")
    assert listed(world)[APP.name, "A"].note == "do not touch"


def test_a_record_in_the_way_of_a_new_one_is_a_refusal_and_stays(world):
    world.put(APP.name, "CNAME", "theirs.example.net")
    with pytest.raises(Rejected):
        ensured(world, APP)
    assert [live.content for live in listed(world).values()] == ["theirs.example.net"]


def test_a_foreign_record_that_says_the_same_is_not_taken_for_ours(world):
    world.put(APP.name, "A", APP.content)
    with pytest.raises(Rejected):
        ensured(world, APP)
    assert listed(world)[APP.name, "A"].mark is None


def test_a_deleted_record_is_gone_and_deleting_it_again_is_fine(world):
    [made] = ensured(world, APP)
    world.provider.delete_record(world.zone, made)
    world.provider.delete_record(world.zone, made)
    assert listed(world) == {}


def test_changes_are_made_and_each_is_answered_for(world):
    old, unused = ensured(world, APP, WWW)
    changes = [
        Create(1, record("new")),
        Update(2, replace(APP, ttl=300), old, ("ttl",)),
        Delete(3, unused, "unused"),
    ]
    outcomes = applied(world, changes)
    assert {o.change for o in outcomes} == set(changes)
    assert [o.error for o in outcomes] == [None] * 3
    assert {o.live for o in outcomes} == {*listed(world).values(), None}


def test_without_changes_nothing_is_called(world):
    before = world.writes
    assert applied(world, []) == []
    assert world.writes == before


def test_one_bad_record_among_good_ones_is_the_only_one_refused(world):
    world.put(f"bad.{ZONE}", "CNAME", "theirs.example.net")
    changes = [Create(n, record("bad" if n == 5 else f"app{n}")) for n in range(9)]
    outcomes = applied(world, changes)
    assert [o.change.row for o in outcomes if o.error] == [5]
    assert {o.change.row for o in outcomes if o.live} == set(range(9)) - {5}
    assert len(listed(world)) == 9


def test_one_bad_type_of_a_name_does_not_keep_the_other_from_being_made(world):
    world.put(APP.name, "A", APP.content)
    outcomes = applied(world, [Create(1, APP), Create(2, record("app", "AAAA", "2001:db8::1"))])
    assert {o.change.row: o.error is None for o in outcomes} == {1: False, 2: True}


def test_a_record_stays_when_what_comes_instead_is_refused(world):
    [old] = ensured(world, APP)
    world.put(APP.name, "AAAA", "2001:db8::1")
    changes = [Create(1, record("app", "AAAA", "2001:db8::1")), Delete(2, old, "no longer wanted")]
    assert all(outcome.error for outcome in applied(world, changes))
    assert listed(world)[APP.name, "A"] == old


def test_each_of_two_bad_records_has_its_own_error(world):
    world.put(f"one.{ZONE}", "CNAME", "theirs.example.net")
    world.put(f"two.{ZONE}", "A", "192.0.2.1")
    outcomes = applied(world, [Create(1, record("one")), Create(2, record("two")), Create(3, APP)])
    errors = {o.change.row: o.error and o.error.message for o in outcomes}
    assert errors[3] is None
    assert None not in {errors[1], errors[2]}
    assert errors[1] != errors[2]


def test_deleting_what_somebody_deleted_is_no_error_for_anybody(world):
    [gone] = ensured(world, WWW)
    world.delete(gone)
    outcomes = applied(world, [Create(1, APP), Delete(2, gone, "unused")])
    assert [o.error for o in outcomes] == [None, None]


@pytest.mark.parametrize(("old", "new"), [(APP, CNAME), (CNAME, APP)])
def test_a_name_changes_between_address_and_cname_in_one_go(world, old, new):
    [live] = ensured(world, old)
    outcomes = applied(world, [Create(1, new), Delete(2, live, "unused")])
    assert [o.error for o in outcomes] == [None, None]
    assert [r.is_like(new) for r in listed(world).values()] == [True]


def test_foreign_records_stay_as_they_are_beside_every_change(world):
    world.put(f"theirs.{ZONE}", "A", "192.0.2.9", note="theirs", ttl=600)
    world.put(APP.name, "TXT", "v=spf1")
    before = listed(world)
    old, unused = ensured(world, APP, WWW)
    applied(
        world,
        [
            Create(1, record("new")),
            Update(2, replace(APP, ttl=300), old, ("ttl",)),
            Delete(3, unused, "unused"),
        ],
    )
    after = listed(world)
    assert {key: after[key] for key in before} == before


NAMES = ("app", f"*.{ZONE}", ZONE, f"xn--mnchen-3ya.{ZONE}", f"*.deep.{ZONE}")
TARGETS = (("A", "203.0.113.7"), ("AAAA", "2001:DB8:0:0::1"), ("CNAME", "Server.Example.NET."))


def test_a_second_round_writes_nothing_whatever_the_mix(world):
    mixes = product(NAMES, TARGETS, (1, 300), (True, False))
    for name, (kind, content), ttl, proxied in mixes:
        wishes = [Wish(1, record(name, kind, content, ttl=ttl, proxied=proxied))]
        assert reconciled(world, wishes) > 0
        assert reconciled(world, wishes) == 0
