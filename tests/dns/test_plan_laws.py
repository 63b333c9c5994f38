"""Laws that hold for the plan of any world."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.dns.plan_world import OTHER, OWNER, done, is_legal, ours, record, settled
from tests.dns.plan_worlds import World, is_permitted, worlds
from webapp.dns.changes import Create, Delete, Plan, Update
from webapp.dns.providers.base import by_name, name_of
from webapp.dns.records import excludes

pytestmark = pytest.mark.matrix

many = settings(max_examples=60, deadline=None)


def touched(plan: Plan):
    return [change.live for change in (*plan.updates, *plan.deletes)]


@many
@given(worlds())
def test_what_is_not_ours_is_never_touched_without_an_answer(world):
    assert [live for live in touched(world.plan()) if not is_permitted(world, live)] == []


@many
@given(worlds())
def test_no_record_is_touched_twice(world):
    assert not [id for id, n in Counter(live.id for live in touched(world.plan())).items() if n > 1]


@many
@given(worlds())
def test_every_row_has_one_outcome_or_waits_for_its_deletion(world):
    plan = world.plan()
    parts = (*plan.creates, *plan.updates, *plan.deletes, *plan.conflicts, *plan.kept)
    outcomes = Counter([part.row for part in parts if part.row is not None] + list(plan.gone))
    waiting = {w.row for w in world.wishes if not w.wanted} - set(outcomes)
    assert set(outcomes.values()) <= {1}
    assert set(outcomes) | waiting == {w.row for w in world.wishes}


@many
@given(worlds())
def test_a_second_round_finds_nothing_to_do(world):
    plan = world.plan()
    after = tuple(done(plan, world.live))
    rows = tuple(settled(world.wishes, plan, after))
    assert world.plan(wishes=rows, live=after).changes == ()


@many
@given(worlds())
def test_a_second_round_finds_nothing_to_do_when_the_rows_were_not_settled(world):
    after = tuple(done(world.plan(), world.live))
    assert world.plan(live=after).changes == ()


@many
@given(worlds())
def test_a_legal_zone_stays_legal(world):
    plan = world.plan()
    stuck, marked = {c.row for c in plan.conflicts}, {r.id for r in world.live if r.mark == OWNER}
    # A record that was renamed by hand onto another row's name stays there while its own name is in conflict.
    assume(not any(w.row in stuck and w.live_id in marked for w in world.wishes))
    assert is_legal(done(plan, world.live))


@many
@given(worlds())
def test_every_wanted_record_is_there_afterwards_or_in_conflict(world):
    plan = world.plan()
    after = done(plan, world.live)
    stuck = {c.row for c in plan.conflicts}
    for wish in world.wishes:
        if wish.wanted and wish.row not in stuck:
            assert [live for live in after if live.is_like(wish.record) and live.mark == OWNER]


@many
@given(worlds())
def test_once_nothing_is_wanted_nothing_of_ours_is_left_and_the_rest_is_as_it_was(world):
    over = replace(
        world, wishes=tuple(replace(w, wanted=False, held=False) for w in world.wishes), delete=True
    )
    after = done(over.plan(), world.live)
    assert after == [live for live in world.live if not is_permitted(over, live)]


@many
@given(worlds())
def test_a_name_that_another_installation_keeps_is_in_conflict_and_gets_nothing(world):
    unanswered = tuple(replace(w, answer=None) for w in world.wishes)
    plan = world.plan(wishes=unanswered)
    kept = {r.name for r in world.live if r.mark == OTHER and r.type in ("A", "AAAA", "CNAME")}
    wanted = {w.row for w in unanswered if w.wanted and w.record.name in kept}
    assert wanted <= {c.row for c in plan.conflicts}
    assert not [c for c in (*plan.creates, *plan.updates) if c.record.name in kept]


@many
@given(worlds())
def test_a_name_loses_no_record_to_one_that_cannot_be_made(world):
    plan = world.plan()
    for delete in plan.deletes:
        for conflict in plan.conflicts:
            if conflict.record.name == delete.live.name:
                assert not excludes(delete.live.type, conflict.record.type)
                assert delete.live.type != conflict.record.type


@many
@given(worlds())
def test_with_nothing_deleted_only_names_in_use_lose_records(world):
    kept = replace(world, delete=False)
    in_use = {w.record.name for w in world.wishes if w.wanted}
    assert {d.live.name for d in kept.plan().deletes} <= in_use


@many
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_records_makes_no_difference(world, random):
    live, wishes = list(world.live), list(world.wishes)
    random.shuffle(live)
    random.shuffle(wishes)
    other = world.plan(live=tuple(live), wishes=tuple(wishes))
    assert (other, other.hash) == (world.plan(), world.plan().hash)


def says(plan: Plan):
    return Counter(repr(part) for part in (*plan.changes, *plan.conflicts))


@many
@given(worlds(), worlds())
def test_two_plans_have_one_hash_exactly_if_they_would_do_the_same(one, other):
    assert (one.plan().hash == other.plan().hash) == (says(one.plan()) == says(other.plan()))


@many
@given(worlds(), st.data())
def test_the_hash_moves_with_any_detail_of_a_change(world, data):
    plan = world.plan()
    assume(plan.changes)
    change = data.draw(st.sampled_from(plan.changes))
    part = {Create: "creates", Update: "updates", Delete: "deletes"}[type(change)]
    others = tuple(replace(c, approved=not c.approved) if c is change else c for c in getattr(plan, part))
    assert replace(plan, **{part: others}).hash != plan.hash


@many
@given(worlds())
def test_makes_come_before_breaks_except_within_a_name(world):
    groups = by_name(world.plan().changes)
    breaks = [all(isinstance(change, Delete) for change in group) for group in groups]
    assert breaks == sorted(breaks)
    for group in groups:
        turns = [turn(change, group) for change in group]
        assert turns == sorted(turns)


def turn(change, group):
    """First what makes room, then what is made, then what is not needed any more."""
    if not isinstance(change, Delete):
        return "made"
    made = [other.record.type for other in group if not isinstance(other, Delete)]
    rooms = [kind for kind in made if excludes(change.live.type, kind) or change.live.type == kind]
    return "in the way" if rooms else "unused"


@many
@given(worlds())
def test_grouping_loses_nothing_and_keeps_each_name_together(world):
    changes = world.plan().changes
    groups = by_name(changes)
    assert sorted(map(repr, changes)) == sorted(repr(c) for group in groups for c in group)
    assert len(groups) == len({name_of(change) for change in changes})
    assert all(len({name_of(change) for change in group}) == 1 for group in groups)


@pytest.mark.parametrize("kind", ["updates", "deletes"])
@settings(deadline=None)
@given(count=st.integers(0, 400), ours_in_zone=st.integers(0, 1000))
@example(count=3, ours_in_zone=3)
@example(count=4, ours_in_zone=4)
@example(count=3, ours_in_zone=10)
@example(count=6, ours_in_zone=20)
@example(count=7, ours_in_zone=20)
@example(count=30, ours_in_zone=100)
@example(count=31, ours_in_zone=100)
@example(count=4, ours_in_zone=13)
@example(count=4, ours_in_zone=14)
def test_more_than_three_and_more_than_thirty_per_cent_is_reckless(kind, count, ours_in_zone):
    changes = {"updates": Update(1, record(), ours(), ("ttl",)), "deletes": Delete(1, ours(), "unused")}
    plan = Plan(**{kind: (changes[kind],) * count}, ours=ours_in_zone)
    assert plan.reckless is (count > 3 and 10 * count > 3 * ours_in_zone)


def test_updates_and_deletes_count_together():
    update, delete = Update(1, record(), ours(), ("ttl",)), Delete(2, ours(), "unused")
    assert Plan(updates=(update,) * 2, deletes=(delete,) * 2, ours=4).reckless
    assert not Plan(updates=(update,) * 2, deletes=(delete,), ours=4).reckless


def test_creates_and_what_was_approved_are_not_reckless():
    delete = Delete(1, ours(), "unused", approved=True)
    plan = Plan(creates=(Create(1, record()),) * 9, deletes=(delete,) * 9, ours=9)
    assert not plan.reckless


def test_what_was_approved_does_not_excuse_the_rest():
    approved, other = Delete(1, ours(), "unused", approved=True), Delete(None, ours(), "unused")
    assert Plan(deletes=(*(approved,) * 5, *(other,) * 4), ours=10).reckless


def test_an_empty_world_has_an_empty_plan():
    assert World((), ()).plan() == Plan()
