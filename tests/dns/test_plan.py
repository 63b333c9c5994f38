"""The planner's truth table: a test for each row of it, and for what surrounds it."""

from dataclasses import replace

import pytest

from tests.dns.plan_world import (
    ELSEWHERE,
    OTHER,
    THERE,
    done,
    foreign,
    ours,
    planned,
    record,
    released,
    settled,
    wish,
)
from webapp.dns.changes import Create, Delete, Keep, Update


def test_a_wanted_record_that_is_there_is_kept():
    plan = planned(wish(live_id="x1"), ours())
    assert (plan.kept, plan.changes) == ((Keep(1, ours()),), ())


def test_a_wanted_record_that_is_missing_is_created():
    assert planned(wish()).changes == (Create(1, record()),)


@pytest.mark.parametrize(
    ("wanted", "live", "why"),
    [
        (record(), ours(content=THERE), ("content",)),
        (record(), ours(proxied=True), ("proxied",)),
        (record(ttl=300), ours(), ("ttl",)),
        (record(), ours(ttl=300), ("ttl",)),
        (record(proxied=True), ours(ttl=300), ("proxied", "ttl")),
        (record(), ours(name="renamed.example.com"), ("name",)),
        (record(), ours(kind="AAAA", content="2001:db8::1"), ("type", "content")),
    ],
)
def test_a_record_of_ours_that_differs_is_changed_in_place(wanted, live, why):
    assert planned(wish(asks=wanted, live_id="x1"), live).changes == (Update(1, wanted, live, why),)


@pytest.mark.parametrize(
    ("wanted", "live"),
    [
        (record(proxied=True), ours(proxied=True, ttl=300)),
        (
            record(kind="CNAME", content="server.example.net"),
            ours(kind="CNAME", content="Server.Example.NET."),
        ),
        (record(kind="AAAA", content="2001:db8::1"), ours(kind="AAAA", content="2001:DB8:0:0::1")),
        (record("*.example.com"), ours(name="*.example.com")),
        (record("xn--mnchen-3ya.de"), ours(name="xn--mnchen-3ya.de")),
    ],
)
def test_another_spelling_of_the_same_record_is_no_change(wanted, live):
    assert planned(wish(asks=wanted, live_id="x1"), live).changes == ()


def test_a_record_with_our_mark_is_found_again_by_a_row_that_lost_its_id():
    assert planned(wish(), ours()).kept == (Keep(1, ours()),)


def test_a_record_with_our_mark_is_found_again_when_the_known_id_is_gone():
    assert planned(wish(live_id="vanished"), ours()).kept == (Keep(1, ours()),)


def test_a_record_that_lost_its_mark_is_proven_by_id_and_content_and_marked_again():
    live = ours(mark=None)
    plan = planned(wish(live_id="x1", written=record()), live)
    assert plan.changes == (Update(1, record(), live, ("mark",)),)


def test_the_content_that_proves_a_record_is_compared_in_canonical_spelling():
    live = ours(kind="CNAME", content="Server.Example.NET", mark=None)
    written = replace(record(kind="CNAME", content="x.net"), content="Server.Example.NET")
    plan = planned(wish(asks=record(kind="CNAME", content="x.net"), live_id="x1", written=written), live)
    assert [update.why for update in plan.updates] == [("content", "mark")]


@pytest.mark.parametrize(
    "live",
    [
        ours(mark=None, content=ELSEWHERE),
        ours(mark=None, kind="AAAA", content="2001:db8::1"),
        ours(mark=None, name="renamed.example.com"),
        ours(mark=OTHER),
        ours(read_only=True),
        ours(mark=None, read_only=True),
    ],
)
def test_a_known_id_that_holds_something_else_now_is_not_ours(live):
    assert not planned(released(live_id="x1", written=record()), live).deletes
    assert not planned(wish(live_id="x1", written=record()), live).updates


def test_a_known_id_without_a_mark_proves_nothing_when_nothing_was_written():
    assert planned(released(live_id="x1"), ours(mark=None)).deletes == ()


def test_a_record_that_is_not_wanted_any_more_is_deleted():
    plan = planned(released(live_id="x1"), ours())
    assert plan.changes == (Delete(1, ours(), "no longer wanted"),)


def test_a_record_that_is_not_wanted_and_lost_its_mark_is_deleted_when_it_is_proven():
    plan = planned(released(live_id="x1", written=record()), ours(mark=None))
    assert [d.live.id for d in plan.deletes] == ["x1"]


@pytest.mark.parametrize("live", [(), (foreign(),), (ours(mark=OTHER),)])
def test_an_unwanted_row_with_nothing_of_ours_left_is_gone(live):
    plan = planned(released(live_id="x1", written=record()), *live)
    assert (plan.gone, plan.changes) == ((1,), ())


def test_a_held_deletion_waits_and_its_row_has_no_outcome():
    plan = planned(released(live_id="x1", held=True), ours())
    assert (plan.changes, plan.gone, plan.rows) == ((), (), set())


def test_a_held_row_with_nothing_left_is_gone_at_once():
    assert planned(released(live_id="x1", held=True)).gone == (1,)


def test_a_record_with_our_mark_that_no_row_knows_is_an_orphan_and_deleted():
    plan = planned(ours())
    assert (plan.orphans, [d.row for d in plan.deletes]) == ((ours(),), [None])


@pytest.mark.parametrize("live", [foreign(), ours(mark=OTHER), ours(mark=""), ours(read_only=True)])
def test_what_is_not_ours_is_never_touched(live):
    plan = planned(live)
    assert (plan.foreign, plan.changes) == ((live,), ())


def test_two_rows_that_know_one_record_share_nothing_the_wanted_one_has_it():
    plan = planned(released(1, live_id="x1"), wish(2, live_id="x1"), ours())
    assert (plan.kept, plan.gone, plan.changes) == ((Keep(2, ours()),), (1,), ())


def test_a_new_claim_on_a_name_takes_over_the_record_of_the_released_one():
    plan = planned(released(1, live_id="x1"), wish(2, record(content=THERE)), ours())
    assert (plan.changes, plan.gone) == ((Update(2, record(content=THERE), ours(), ("content",)),), (1,))


def test_a_row_does_not_take_the_record_that_another_row_has_in_its_place():
    plan = planned(wish(1, record("a.example.com"), live_id="x1"), wish(2, live_id="x1"), ours())
    assert (plan.kept, plan.creates) == ((Keep(2, ours()),), (Create(1, record("a.example.com")),))


def test_of_several_records_of_ours_the_one_as_wanted_stays():
    plan = planned(wish(), ours("x1", content=THERE), ours("x2"))
    assert (plan.kept, [d.live.id for d in plan.deletes]) == ((Keep(1, ours("x2")),), ["x1"])


def test_a_record_that_was_renamed_by_hand_is_named_back():
    live = ours(name="renamed.example.com")
    assert planned(wish(live_id="x1"), live).changes == (Update(1, record(), live, ("name",)),)


def test_a_record_that_was_renamed_by_hand_is_deleted_when_it_is_not_wanted():
    assert [d.live.id for d in planned(released(live_id="x1"), ours(name="renamed.example.com")).deletes] == [
        "x1"
    ]


def test_an_approved_wish_makes_an_approved_change():
    live = [ours("x2", "b.example.com"), ours("x3", "c.example.com")]
    plan = planned(
        wish(1, approved=True),
        wish(2, record("b.example.com", content=THERE), live_id="x2", approved=True),
        released(3, record("c.example.com"), live_id="x3", approved=True),
        *live,
    )
    assert [change.approved for change in plan.changes] == [True, True, True]


def test_a_type_changes_by_a_delete_and_a_create_of_the_same_name():
    plan = planned(released(1, live_id="x1"), wish(2, record(kind="CNAME", content="s.example.net")), ours())
    assert (len(plan.creates), len(plan.deletes), plan.conflicts) == (1, 1, ())


def test_with_nothing_deleted_a_released_record_is_left_as_an_orphan():
    plan = planned(released(live_id="x1"), ours(), delete=False)
    assert (plan.changes, plan.gone, plan.orphans) == ((), (1,), (ours(),))


def test_with_nothing_deleted_an_orphan_stays():
    plan = planned(ours(), delete=False)
    assert (plan.changes, plan.orphans) == ((), (ours(),))


@pytest.mark.parametrize("known", [(released(1, live_id="x1"),), ()])
def test_with_nothing_deleted_a_record_still_makes_room_for_the_wanted_one_of_its_name(known):
    cname = wish(2, record(kind="CNAME", content="s.example.net"))
    plan = planned(*known, cname, ours(), delete=False)
    assert [d.live.id for d in plan.deletes] == ["x1"]


def test_one_record_listed_twice_counts_once():
    plan = planned(ours(), ours())
    assert (plan.ours, len(plan.deletes), len(plan.orphans)) == (1, 1, 1)


def test_records_that_lost_their_mark_count_as_ours_when_they_are_proven():
    assert (
        planned(wish(live_id="x1", written=record()), ours(mark=None), ours("x2", "b.example.com")).ours == 2
    )


def test_read_only_records_do_not_count_as_ours():
    assert planned(ours(read_only=True)).ours == 0


def test_each_row_has_one_outcome():
    live = [ours("x1"), ours("x2", "b.example.com"), foreign("f1", "c.example.com")]
    plan = planned(
        wish(1, live_id="x1"),
        released(2, record("b.example.com"), live_id="x2"),
        wish(3, record("c.example.com")),
        wish(4, record("d.example.com")),
        released(5, record("e.example.com")),
        *live,
    )
    assert plan.rows == {1, 2, 3, 4, 5}


def test_a_settled_world_plans_nothing():
    wishes, live = [wish(1), wish(2, record("b.example.com", ttl=300))], [foreign("f1", "c.example.com")]
    first = planned(*wishes, *live)
    after = done(first, live)
    second = planned(*settled(wishes, first, after), *after)
    assert (second.changes, len(second.kept)) == ((), 2)
