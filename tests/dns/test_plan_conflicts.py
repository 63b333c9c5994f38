"""Foreign records in the way of wanted ones: what is a conflict, and what each answer to it does."""

from dataclasses import replace

import pytest

from tests.dns.plan_world import (
    ELSEWHERE,
    HERE,
    OTHER,
    THERE,
    answered,
    done,
    foreign,
    ours,
    planned,
    record,
    released,
    settled,
    wish,
)
from webapp.dns.changes import Answer, Create, Delete, Update

ADOPT, REPLACE, LEAVE = Answer.ADOPT, Answer.REPLACE, Answer.LEAVE
CNAME = record(kind="CNAME", content="s.example.net")


@pytest.mark.parametrize(
    ("wanted", "blocker"),
    [
        (record(), foreign()),
        (record(), foreign(content=HERE)),
        (record(), foreign(kind="CNAME", content="x.example.net")),
        (record(), foreign(kind="NS", content="ns.example.net")),
        (CNAME, foreign()),
        (CNAME, foreign(kind="AAAA", content="2001:db8::1")),
        (record(), ours(mark=OTHER)),
        (record(), ours(read_only=True)),
    ],
)
def test_a_foreign_record_in_the_way_is_a_conflict_and_stays(wanted, blocker):
    plan = planned(wish(asks=wanted), blocker)
    assert ([c.live for c in plan.conflicts], plan.changes, plan.foreign) == ([(blocker,)], (), (blocker,))


@pytest.mark.parametrize(
    "neighbour",
    [
        foreign(kind="TXT", content="v=spf1"),
        foreign(kind="AAAA", content="2001:db8::1"),
        foreign(name="*.example.com"),
        foreign(name="b.app.example.com"),
    ],
)
def test_a_foreign_record_beside_the_wanted_one_is_no_conflict(neighbour):
    plan = planned(wish(), neighbour)
    assert (plan.conflicts, len(plan.creates)) == ((), 1)


def test_what_another_installation_made_beside_ours_at_the_same_moment_is_a_conflict():
    mine, theirs = ours(), ours("x2", content=THERE, mark=OTHER)
    for asked in (wish(live_id="x1"), wish(asks=record(content=ELSEWHERE), live_id="x1")):
        plan = planned(asked, mine, theirs)
        assert ([c.live for c in plan.conflicts], plan.changes) == ([(theirs,)], ())


@pytest.mark.parametrize("answer", [ADOPT, REPLACE])
def test_an_answer_to_that_leaves_one_record(answer):
    mine, theirs = ours(), ours("x2", content=THERE, mark=OTHER)
    plan = planned(answered(wish(live_id="x1"), answer, mine, theirs), mine, theirs)
    assert [(r.content, r.mark) for r in done(plan, [mine, theirs])] == [(HERE, mine.mark)]


@pytest.mark.parametrize("neighbour", [foreign("f2", content=THERE), ours("x2", "TXT", mark=OTHER)])
def test_other_records_beside_ours_are_none(neighbour):
    plan = planned(wish(live_id="x1"), ours(), neighbour)
    assert (plan.conflicts, plan.changes) == ((), ())


def test_name_servers_of_the_zone_itself_are_no_conflict():
    plan = planned(wish(), foreign(kind="NS", content="ns.example.net"), apex=record().name)
    assert (plan.conflicts, len(plan.creates)) == ((), 1)


def test_a_row_whose_id_holds_foreign_content_now_is_in_conflict_with_it():
    blocker = ours(mark=None, content=ELSEWHERE)
    plan = planned(wish(live_id="x1", written=record()), blocker)
    assert [c.live for c in plan.conflicts] == [(blocker,)]


def test_a_record_that_was_renamed_by_hand_cannot_go_back_where_a_foreign_one_stands():
    plan = planned(wish(live_id="x1"), ours(name="renamed.example.com"), foreign())
    assert (len(plan.conflicts), plan.changes) == (1, ())


def test_a_record_whose_type_was_changed_by_hand_cannot_go_back_where_a_foreign_one_stands():
    plan = planned(wish(live_id="x1"), ours(kind="TXT", content="x"), foreign(kind="CNAME", content="x.net"))
    assert (len(plan.conflicts), plan.changes) == (1, ())


def test_a_foreign_record_beside_ours_is_no_conflict_while_ours_is_there():
    plan = planned(wish(live_id="x1"), ours(), foreign())
    assert (len(plan.kept), plan.conflicts) == (1, ())


def test_a_record_of_ours_cannot_become_what_a_foreign_one_says_already():
    twin = foreign(content=HERE)
    plan = planned(wish(live_id="x1"), ours(content=THERE), twin)
    assert ([c.live for c in plan.conflicts], plan.changes) == ([(twin,)], ())


def test_an_adopted_record_is_changed_into_the_wanted_one():
    plan = planned(answered(wish(), ADOPT, foreign()), foreign())
    assert plan.changes == (Update(1, record(), foreign(), ("content", "mark"), approved=True),)


def test_a_replaced_record_is_deleted_and_ours_created():
    plan = planned(answered(wish(), REPLACE, foreign()), foreign())
    assert plan.creates == (Create(1, record(), approved=True),)
    assert plan.deletes == (Delete(None, foreign(), "replaced as you asked", approved=True),)


def test_a_record_that_is_left_alone_stays_in_conflict():
    plan = planned(answered(wish(), LEAVE, foreign()), foreign())
    assert (len(plan.conflicts), plan.changes) == (1, ())


def test_all_records_in_the_way_are_replaced():
    blockers = foreign(), foreign("f2", kind="AAAA", content="2001:db8::1")
    plan = planned(answered(wish(asks=CNAME), REPLACE, *blockers), *blockers)
    assert [d.live.id for d in plan.deletes] == ["f1", "f2"]


def test_several_records_cannot_be_adopted_as_one():
    blockers = foreign(), foreign("f2", content=THERE)
    plan = planned(answered(wish(), ADOPT, *blockers), *blockers)
    assert (len(plan.conflicts), plan.changes) == (1, ())


@pytest.mark.parametrize("answer", [ADOPT, REPLACE])
def test_a_read_only_record_stays_whatever_the_answer(answer):
    blocker = foreign(read_only=True)
    plan = planned(answered(wish(), answer, blocker), blocker)
    assert (len(plan.conflicts), plan.changes) == (1, ())


@pytest.mark.parametrize("answer", [ADOPT, REPLACE])
@pytest.mark.parametrize(
    "change", [{"content": THERE}, {"ttl": 300}, {"proxied": True}, {"mark": OTHER}, {"id": "f9"}]
)
def test_an_answer_does_not_count_for_a_record_that_changed_since(answer, change):
    asked = answered(wish(), answer, foreign())
    plan = planned(asked, replace(foreign(), **change))
    assert (len(plan.conflicts), plan.changes) == (1, ())


@pytest.mark.parametrize("answer", [ADOPT, REPLACE])
def test_an_answer_does_not_count_when_another_record_has_joined(answer):
    asked = answered(wish(), answer, foreign())
    plan = planned(asked, foreign(), foreign("f2", content=THERE))
    assert (len(plan.conflicts), plan.changes) == (1, ())


def test_an_answer_counts_whatever_the_order_of_the_listing():
    blockers = foreign(), foreign("f2", content=THERE)
    plan = planned(answered(wish(), REPLACE, *blockers), *reversed(blockers))
    assert len(plan.deletes) == 2


@pytest.mark.parametrize("rows", [(1, 2), (2, 1)])
def test_two_rows_in_conflict_with_one_record_need_one_answer(rows):
    blocker = foreign(kind="CNAME", content="x.example.net")
    four = answered(wish(rows[0]), REPLACE, blocker)
    six = wish(rows[1], record(kind="AAAA", content="2001:db8::1"))
    plan = planned(four, six, blocker)
    assert (len(plan.creates), len(plan.deletes), plan.conflicts) == (2, 1, ())


def test_a_record_that_was_renamed_by_hand_takes_the_place_of_the_replaced_one():
    mine = ours(name="renamed.example.com")
    plan = planned(answered(wish(live_id="x1"), REPLACE, mine, foreign()), mine, foreign())
    assert plan.updates == (Update(1, record(), mine, ("name",), approved=True),)
    assert ([d.live for d in plan.deletes], plan.creates) == ([foreign()], ())


def test_adopting_another_record_lets_go_of_the_one_that_was_renamed_by_hand():
    mine = ours(name="renamed.example.com")
    plan = planned(answered(wish(live_id="x1"), ADOPT, mine, foreign()), mine, foreign())
    assert ([u.live for u in plan.updates], [d.live for d in plan.deletes]) == ([foreign()], [mine])


def test_adopting_another_record_deletes_nothing_where_nothing_may_be_deleted():
    mine = ours(name="renamed.example.com")
    plan = planned(answered(wish(live_id="x1"), ADOPT, mine, foreign()), mine, foreign(), delete=False)
    assert ([u.live for u in plan.updates], plan.deletes, plan.orphans) == ([foreign()], (), (mine,))


@pytest.mark.parametrize("known", [(released(1, live_id="x1"),), ()])
def test_what_keeps_the_name_up_stays_while_its_replacement_is_in_conflict(known):
    plan = planned(*known, wish(2, CNAME), ours(), foreign())
    assert ([c.row for c in plan.conflicts], plan.deletes) == ([2], ())


def test_what_keeps_the_name_up_goes_once_the_conflict_is_answered():
    world = released(1, live_id="x1"), ours(), foreign()
    plan = planned(answered(wish(2, CNAME), REPLACE, *world), *world)
    assert {d.live.id for d in plan.deletes} == {"x1", "f1"}


def test_a_conflict_of_one_type_does_not_keep_an_unwanted_record_of_another():
    old = ours(kind="AAAA", content="2001:db8::1")
    plan = planned(
        released(1, record(kind="AAAA", content="2001:db8::1"), live_id="x1"), wish(2), old, foreign()
    )
    assert [d.live for d in plan.deletes] == [old]


@pytest.mark.parametrize("answer", [ADOPT, REPLACE])
@pytest.mark.parametrize("mine", [(), (ours(name="renamed.example.com"),), (ours(content=THERE),)])
def test_after_an_answer_is_carried_out_nothing_is_left_to_do(answer, mine):
    live = [*mine, foreign(content=HERE)]
    asked = answered(wish(live_id="x1"), answer, *live)
    plan = planned(asked, *live)
    after = done(plan, live)
    assert (planned(asked, *after).changes, planned(*settled([asked], plan, after), *after).changes) == (
        (),
        (),
    )
