"""Records of others in the way: nothing is touched before a person has answered for exactly what is there."""

import pytest

from tests.dns.panel_world import ELSEWHERE, HERE, HERE6, THERE, Panel
from tests.dns.watched import watch
from webapp.dns import service
from webapp.dns.changes import Answer
from webapp.dns.records import Target
from webapp.errors import Busy, InvalidInput, NotFound

NAME = "app.example.com"


def in_conflict(panel: Panel, kind: str = "A", content: str = ELSEWHERE, **fields: object) -> None:
    panel.by_hand(NAME, kind, content, **fields)
    panel.claim(NAME)
    panel.round()


def answer(panel: Panel, decision: Answer) -> None:
    row = panel.row()
    service.answer(row.id, decision, row.answered, at=panel.at)


def test_a_foreign_record_is_a_conflict_and_stays(panel: Panel) -> None:
    theirs = panel.by_hand(NAME, "A", ELSEWHERE)
    panel.claim(NAME)
    assert panel.writes_during(panel.round) == 0
    row = panel.row()
    assert (row.status, row.next_try_at) == ("conflict", None)
    assert row.error == f"A record that is not ours is in the way: A {ELSEWHERE}"
    assert [seen["content"] for seen in row.seen or []] == [ELSEWHERE]
    assert panel.records() == [theirs]


def test_another_installation_is_named(panel: Panel) -> None:
    in_conflict(panel, mark="cafe42")
    assert panel.row().error == "Another Tiny Forge (installation cafe42) keeps a record of this name."


def test_a_record_of_ours_that_somebody_rewrote_without_our_mark_is_a_conflict(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()
    panel.edit(content=ELSEWHERE, mark=None)
    assert panel.writes_during(panel.check) == 0
    assert panel.row().status == "conflict"
    panel.release()
    assert panel.writes_during(panel.round) == 0
    assert (panel.rows(), panel.live()) == ([], {f"{NAME} A": ELSEWHERE})


def test_adopt_turns_the_record_into_ours(panel: Panel) -> None:
    in_conflict(panel, note="the old website")
    theirs = panel.record().id
    answer(panel, Answer.ADOPT)
    panel.round()
    record = panel.record()
    assert (record.id, record.content, record.mark) == (theirs, HERE, panel.settings().install_id)
    assert record.note == "the old website"
    row = panel.row()
    assert (row.status, row.provider_record_id, row.answer, row.seen) == ("synced", theirs, None, None)


def test_replace_deletes_the_record_and_makes_ours(panel: Panel) -> None:
    in_conflict(panel, "CNAME", "pages.example.net")
    theirs = panel.record().id
    answer(panel, Answer.REPLACE)
    panel.round()
    assert (panel.live(), panel.row().status) == ({f"{NAME} A": HERE}, "synced")
    assert panel.record().id != theirs


def test_leave_keeps_it_and_counts_as_decided(panel: Panel) -> None:
    in_conflict(panel)
    assert panel.unsettled() == 1
    answer(panel, Answer.LEAVE)
    assert panel.writes_during(panel.check) == 0
    row = panel.row()
    assert (row.status, row.answer, panel.unsettled()) == ("conflict", Answer.LEAVE, 0)


def test_an_answer_can_be_changed(panel: Panel) -> None:
    in_conflict(panel)
    answer(panel, Answer.LEAVE)
    answer(panel, Answer.REPLACE)
    panel.round()
    assert panel.live() == {f"{NAME} A": HERE}


def test_what_is_left_alone_is_claimed_when_it_goes(panel: Panel) -> None:
    in_conflict(panel)
    answer(panel, Answer.LEAVE)
    panel.lose()
    panel.check()
    assert (panel.live(), panel.row().status) == ({f"{NAME} A": HERE}, "synced")


def test_an_answer_is_forgotten_when_other_records_stand_there(panel: Panel) -> None:
    in_conflict(panel)
    answer(panel, Answer.LEAVE)
    panel.edit(content=THERE)
    panel.check()
    row = panel.row()
    assert (row.answer, panel.unsettled()) == (None, 1)


def test_an_answer_for_what_was_there_is_not_carried_out_on_what_is_there(panel: Panel) -> None:
    in_conflict(panel)
    answer(panel, Answer.REPLACE)
    panel.edit(content=THERE)
    assert panel.writes_during(panel.round) == 0
    assert (panel.row().status, panel.row().answer) == ("conflict", None)


def test_an_answer_to_an_old_page_is_refused(panel: Panel) -> None:
    in_conflict(panel)
    row = panel.row()
    panel.edit(content=THERE)
    panel.check()
    with pytest.raises(Busy, match="looks different"):
        service.answer(row.id, Answer.REPLACE, row.answered, at=panel.at)
    panel.lose()
    panel.check()
    with pytest.raises(Busy, match="looks different"):
        service.answer(row.id, Answer.REPLACE, panel.row().answered, at=panel.at)
    with pytest.raises(NotFound):
        service.answer(4711, Answer.REPLACE, "", at=panel.at)


def test_of_several_records_none_can_be_adopted(panel: Panel) -> None:
    panel.by_hand(NAME, "A", THERE)
    in_conflict(panel)
    with pytest.raises(InvalidInput, match="Only a single A record"):
        answer(panel, Answer.ADOPT)
    answer(panel, Answer.REPLACE)
    panel.round()
    assert panel.live() == {f"{NAME} A": HERE}


def test_what_the_provider_keeps_itself_can_only_be_left(panel: Panel) -> None:
    in_conflict(panel, read_only=True)
    for decision in (Answer.ADOPT, Answer.REPLACE):
        with pytest.raises(InvalidInput, match="left as it is"):
            answer(panel, decision)
    answer(panel, Answer.LEAVE)
    assert panel.unsettled() == 0


def test_an_answer_survives_an_outage(panel: Panel) -> None:
    in_conflict(panel)
    answer(panel, Answer.REPLACE)
    panel.account.broken = True
    panel.round()
    panel.account.broken = False
    panel.wait(3)
    panel.round()
    assert panel.live() == {f"{NAME} A": HERE}


def test_a_released_conflict_forgets_whose_record_it_was(panel: Panel) -> None:
    """The page must not show the foreign record as one that is being deleted."""
    in_conflict(panel)
    panel.account.broken = True
    panel.release()
    assert panel.row().seen is None


def test_the_old_address_stays_up_while_its_successor_is_in_conflict(panel: Panel) -> None:
    panel.save(target=Target(ipv4=HERE, ipv6=HERE6))
    panel.claim(NAME)
    panel.round()
    blocker = panel.by_hand(NAME, "CNAME", "elsewhere.example.net")
    panel.save(target=Target(cname="home.example.net"))
    panel.round()
    assert panel.live()[f"{NAME} A"] == HERE
    del panel.account.records[panel.zone.id][blocker.id]
    panel.wait(601)
    panel.round()
    assert panel.live() == {f"{NAME} CNAME": "home.example.net"}


def test_a_row_that_waits_for_a_conflict_does_not_keep_the_worker_busy(
    context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = watch(monkeypatch)
    panel = Panel()
    panel.claim(NAME)
    panel.round()
    panel.by_hand(NAME, "CNAME", "elsewhere.example.net")
    panel.save(target=Target(cname="home.example.net"))
    panel.round()
    calls = len(script.calls)
    panel.round(3)
    assert len(script.calls) == calls
