"""Records of another installation under a wanted name: the name has one keeper, whatever the types are."""

from dataclasses import replace

import pytest

from tests.dns.plan_world import (
    HERE,
    OTHER,
    OWNER,
    answered,
    done,
    foreign,
    ours,
    planned,
    record,
    settled,
    wish,
)
from webapp.dns.changes import Answer, Update

ADOPT, REPLACE, LEAVE = Answer.ADOPT, Answer.REPLACE, Answer.LEAVE
HERE6, THERE6 = "2001:db8::1", "2001:db8::99"
A, AAAA = wish(1), wish(2, record(kind="AAAA", content=HERE6))
HIS_A = ours("h1", content="198.51.100.7", mark=OTHER)
HIS_AAAA = ours("h2", kind="AAAA", content=THERE6, mark=OTHER)


def conflicts(plan):
    return {c.row: c.live for c in plan.conflicts}


@pytest.mark.parametrize(("asked", "his"), [(A, HIS_AAAA), (AAAA, HIS_A)])
def test_an_address_of_another_type_is_in_the_way_and_names_the_other(asked, his):
    plan = planned(asked, his)
    assert (conflicts(plan), plan.changes) == ({asked.row: (his,)}, ())
    assert OTHER in plan.conflicts[0].blame


@pytest.mark.parametrize("neighbour", [foreign(kind="AAAA", content=THERE6), ours(kind="TXT", mark=OTHER)])
def test_what_nobody_keeps_or_leads_nowhere_is_not(neighbour):
    plan = planned(A, neighbour)
    assert (plan.conflicts, len(plan.creates)) == ((), 1)


def test_what_both_made_at_the_same_moment_is_a_conflict_and_nobody_deletes():
    mine = ours()
    hers = planned(wish(1, live_id="x1"), mine, HIS_AAAA)
    his = replace(AAAA, live_id="h2", record=record(kind="AAAA", content=THERE6))
    turned = [replace(r, mark=OWNER if r.mark == OTHER else OTHER) for r in (mine, HIS_AAAA)]
    assert (conflicts(hers), hers.changes) == ({1: (HIS_AAAA,)}, ())
    assert (conflicts(planned(his, *turned)), planned(his, *turned).changes) == ({2: (turned[0],)}, ())


def test_ones_own_a_and_aaaa_do_not_stand_in_each_others_way():
    plan = planned(A, AAAA)
    after = done(plan, [])
    assert planned(*settled([A, AAAA], plan, after), *after).changes == ()
    one = planned(A, AAAA, ours(kind="AAAA", content=HERE6))
    assert (len(one.creates), len(one.kept), one.conflicts) == (1, 1, ())


def test_a_name_that_he_has_both_addresses_of_is_one_conflict_for_each():
    assert conflicts(planned(A, AAAA, HIS_A, HIS_AAAA)) == {1: (HIS_A,), 2: (HIS_AAAA,)}
    assert conflicts(planned(A, AAAA, HIS_AAAA)) == {1: (HIS_AAAA,), 2: (HIS_AAAA,)}


def test_one_without_a_mark_does_not_hide_him():
    plan = planned(A, foreign(), HIS_AAAA)
    assert set(conflicts(plan)[1]) == {foreign(), HIS_AAAA}
    assert OTHER in plan.conflicts[0].blame


def test_an_address_is_not_adopted_as_one_of_another_type():
    """Nor is a CNAME: its type would change without a word."""
    for his in (HIS_AAAA, foreign(kind="CNAME", content="x.example.net")):
        plan = planned(answered(A, ADOPT, his), his)
        assert (conflicts(plan), plan.changes) == ({1: (his,)}, ())


def test_an_adopted_record_frees_the_name_for_the_other_type():
    both = (AAAA, answered(A, ADOPT, HIS_A))
    plan = planned(*both, HIS_A)
    assert [type(change) for change in plan.updates] == [Update]
    assert ([c.row for c in plan.creates], plan.conflicts) == ([2], ())
    assert [r.mark for r in done(plan, [HIS_A])] == [OWNER, OWNER]


def test_a_replaced_record_of_another_type_makes_room_for_both():
    plan = planned(AAAA, answered(A, REPLACE, HIS_AAAA), HIS_AAAA)
    assert ([d.live for d in plan.deletes], plan.conflicts) == ([HIS_AAAA], ())
    after = done(plan, [HIS_AAAA])
    assert {(r.type, r.content, r.mark) for r in after} == {("A", HERE, OWNER), ("AAAA", HERE6, OWNER)}
    assert planned(*settled([A, AAAA], plan, after), *after).changes == ()


def test_a_replaced_one_beside_ours_leaves_ours():
    mine = ours()
    plan = planned(answered(wish(1, live_id="x1"), REPLACE, mine, HIS_AAAA), mine, HIS_AAAA)
    assert done(plan, [mine, HIS_AAAA]) == [mine]


def test_both_adopted_leaves_nothing_of_his():
    asked = [answered(A, ADOPT, HIS_A, HIS_AAAA), answered(AAAA, ADOPT, HIS_A, HIS_AAAA)]
    after = done(planned(*asked, HIS_A, HIS_AAAA), [HIS_A, HIS_AAAA])
    assert {(r.id, r.content, r.mark) for r in after} == {("h1", HERE, OWNER), ("h2", HERE6, OWNER)}


def test_an_answer_counts_as_it_was_shown_though_another_removes_part_of_it():
    live = (HIS_A, foreign(kind="AAAA", content=THERE6))
    assert set(conflicts(planned(A, AAAA, *live))[2]) == set(live)
    asked = [answered(A, REPLACE, *live), answered(AAAA, REPLACE, *live)]
    plan = planned(*asked, *live)
    assert ({d.live for d in plan.deletes}, len(plan.creates), plan.conflicts) == (set(live), 2, ())


def test_an_adopted_record_is_not_replaced_by_the_row_beside_it():
    """Whichever of the two rows is the first."""
    live = (foreign(), HIS_AAAA)
    asked = [answered(AAAA, ADOPT, *live), answered(A, REPLACE, *live)]
    after = done(planned(*asked, *live), live)
    assert {(r.id.partition("-")[0], r.type, r.mark) for r in after} == {
        ("h2", "AAAA", OWNER),
        ("new", "A", OWNER),
    }


def test_one_adopted_of_two_stays_contested_and_at_rest():
    asked = answered(A, ADOPT, HIS_A, HIS_AAAA)
    plan = planned(asked, AAAA, HIS_A, HIS_AAAA)
    after = done(plan, [HIS_A, HIS_AAAA])
    again = planned(*settled([asked, AAAA], plan, after), *after)
    assert (conflicts(again), again.changes) == ({1: (HIS_AAAA,), 2: (HIS_AAAA,)}, ())


def test_what_is_left_to_him_stays():
    plan = planned(answered(A, LEAVE, HIS_AAAA), HIS_AAAA)
    assert (conflicts(plan), plan.changes) == ({1: (HIS_AAAA,)}, ())
