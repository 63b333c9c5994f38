"""Undo makes the reverse wish: the same planner carries it out, and the next wish takes over from it."""

import pytest
from sqlalchemy import select

from tests.dns.panel_world import ELSEWHERE, HERE, THERE, Panel
from webapp.actor import acting_as
from webapp.db import reading
from webapp.dns import service, undo
from webapp.dns.changes import Answer
from webapp.dns.desired import Mode, Policy
from webapp.dns.journal import Kind, RecordChange
from webapp.dns.models import ConsumerType, Status
from webapp.dns.records import Target
from webapp.errors import Busy, InvalidInput, NotFound

NAME = "app.example.com"
PROXY = f"{NAME} A"


@pytest.fixture
def panel(context: None) -> Panel:
    return Panel()


def changes() -> list[RecordChange]:
    with reading() as session:
        return list(session.scalars(select(RecordChange).order_by(RecordChange.id)))


def put_back(panel: Panel, change: RecordChange | None = None) -> None:
    undo.undo((change or changes()[-1]).id, at=panel.at)
    panel.round()


def up(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()


def drifted_and_healed(panel: Panel) -> None:
    up(panel)
    panel.edit(content=ELSEWHERE, ttl=300)
    panel.check()
    assert panel.live() == {PROXY: HERE}


def deleted(panel: Panel) -> None:
    up(panel)
    panel.release()
    panel.round()
    assert panel.live() == {}


def test_a_change_is_put_back_and_stays(panel: Panel) -> None:
    drifted_and_healed(panel)
    with acting_as("ada"):
        put_back(panel)
    panel.check()
    assert (panel.record().content, panel.record().ttl) == (ELSEWHERE, 300)
    assert panel.row().status is Status.SYNCED
    change = changes()[-1]
    assert (change.by, change.why) == ("ada", f"undo of change {changes()[-2].id}: content, ttl")


def test_an_undo_can_be_undone(panel: Panel) -> None:
    drifted_and_healed(panel)
    put_back(panel)
    put_back(panel)
    assert panel.live() == {PROXY: HERE}
    assert panel.row().pin is None


def test_the_settings_take_over_from_an_undo(panel: Panel) -> None:
    drifted_and_healed(panel)
    put_back(panel)
    panel.save(target=Target(ipv4=THERE))
    panel.round()
    assert panel.live() == {PROXY: THERE}


def test_the_consumer_takes_over_from_an_undo(panel: Panel) -> None:
    drifted_and_healed(panel)
    put_back(panel)
    panel.claim(NAME, ttl=600)
    panel.round()
    assert (panel.record().content, panel.record().ttl) == (HERE, 600)


def test_a_claim_that_changes_nothing_leaves_the_undo(panel: Panel) -> None:
    drifted_and_healed(panel)
    put_back(panel)
    up(panel)
    assert panel.live() == {PROXY: ELSEWHERE}


def test_a_record_follows_the_settings_again_when_told(panel: Panel) -> None:
    drifted_and_healed(panel)
    put_back(panel)
    undo.unpin(panel.row().id, at=panel.at)
    panel.round()
    assert panel.live() == {PROXY: HERE}


def test_a_creation_is_put_back_and_the_name_stays_claimed(panel: Panel) -> None:
    up(panel)
    put_back(panel)
    panel.check()
    assert panel.live() == {}
    assert (panel.row().status, panel.row().wanted, panel.unsettled()) == (Status.ABSENT, True, 0)


def test_a_record_made_by_hand_in_its_place_is_left_alone(panel: Panel) -> None:
    up(panel)
    put_back(panel)
    panel.by_hand(NAME, "A", ELSEWHERE)
    panel.check()
    assert panel.live() == {PROXY: ELSEWHERE}
    assert panel.unsettled() == 0


def test_a_creation_comes_back_when_its_undo_is_undone(panel: Panel) -> None:
    up(panel)
    put_back(panel)
    put_back(panel)
    assert panel.live() == {PROXY: HERE}
    assert panel.row().consumer_type is ConsumerType.STANDALONE


def test_what_is_gone_behind_our_back_is_settled_without_a_record(panel: Panel) -> None:
    up(panel)
    undo.undo(changes()[-1].id, at=panel.at)
    panel.account.records[panel.zone.id].clear()
    panel.round()
    assert (panel.row().status, panel.unsettled()) == (Status.ABSENT, 0)


def test_the_consumer_can_go_from_a_name_without_a_record(panel: Panel) -> None:
    up(panel)
    put_back(panel)
    panel.release()
    panel.round()
    assert panel.rows() == []


def test_a_deletion_is_put_back_as_somebody_s_own_record(panel: Panel) -> None:
    deleted(panel)
    put_back(panel)
    panel.check()
    assert panel.live() == {PROXY: HERE}
    assert (panel.row().consumer_type, panel.row().status) == (ConsumerType.PERSON, Status.SYNCED)


def test_a_name_kept_by_hand_says_so_to_whoever_wants_it(panel: Panel) -> None:
    deleted(panel)
    put_back(panel)
    with pytest.raises(Busy, match="put back by hand"):
        panel.claim(NAME)


@pytest.mark.parametrize("how", ["undo", "let go"])
def test_a_record_kept_by_hand_is_let_go(panel: Panel, how: str) -> None:
    deleted(panel)
    put_back(panel)
    if how == "undo":
        put_back(panel)
    else:
        undo.unpin(panel.row().id, at=panel.at)
        panel.round()
    assert panel.live() == {}
    assert panel.rows() == []


def test_a_new_target_leaves_a_record_kept_by_hand(panel: Panel) -> None:
    deleted(panel)
    put_back(panel)
    assert panel.preview(target=Target(ipv4=THERE)).updates == 0
    panel.save(target=Target(ipv4=THERE))
    panel.round()
    assert panel.live() == {PROXY: HERE}


@pytest.mark.parametrize("how", ["wildcard", "zone"])
def test_leaving_the_zone_takes_a_record_kept_by_hand_along_as_any_other(panel: Panel, how: str) -> None:
    deleted(panel)
    put_back(panel)
    other = panel.account.add_zone("example.net")
    changed = {"mode": Mode.WILDCARD, "zone": None} if how == "wildcard" else {"zone": other}
    assert panel.preview(**changed).deletes == 1
    panel.save(**changed)
    panel.round(2)
    assert panel.records() == panel.records(other) == []
    assert panel.rows() == []


def test_a_foreign_record_that_came_meanwhile_is_a_conflict(panel: Panel) -> None:
    deleted(panel)
    panel.by_hand(NAME, "A", ELSEWHERE)
    put_back(panel)
    assert panel.row().status is Status.CONFLICT
    assert panel.live() == {PROXY: ELSEWHERE}


def test_only_what_was_done_can_be_put_back(panel: Panel) -> None:
    panel.account.read_only = True
    up(panel)
    assert undo.problem(changes()[-1].id) == "Only what was done at the provider can be put back."


def test_a_change_that_is_forgotten_is_not_found(panel: Panel) -> None:
    with pytest.raises(NotFound):
        undo.undo(4711, at=panel.at)


def test_nothing_is_put_back_in_a_zone_that_was_left(panel: Panel) -> None:
    up(panel)
    panel.save(mode=Mode.WILDCARD, zone=None)
    panel.round()
    with pytest.raises(Busy, match=r"not kept in example\.com any more"):
        put_back(panel)


def test_a_record_that_is_gone_already_is_not_deleted_again(panel: Panel) -> None:
    up(panel)
    made = changes()[0]
    put_back(panel)
    with pytest.raises(Busy, match="gone already"):
        put_back(panel, made)


def test_what_the_policy_keeps_is_not_deleted_by_an_undo(panel: Panel) -> None:
    panel.save(policy=Policy.KEEP)
    up(panel)
    with pytest.raises(InvalidInput, match="never deleted"):
        put_back(panel)


def test_a_record_that_nothing_uses_is_not_changed_back(panel: Panel) -> None:
    drifted_and_healed(panel)
    healed = changes()[-1]
    panel.release()
    panel.round()
    with pytest.raises(Busy, match="Nothing uses"):
        put_back(panel, healed)


def test_a_record_of_another_type_is_not_changed_back(panel: Panel) -> None:
    panel.by_hand(NAME, "CNAME", "elsewhere.example.org")
    up(panel)
    service.answer(panel.row().id, Answer.ADOPT, panel.row().answered, at=panel.at)
    panel.round()
    with pytest.raises(InvalidInput, match="another type"):
        put_back(panel)


def test_a_mark_that_was_put_back_is_no_change_to_undo(panel: Panel) -> None:
    up(panel)
    panel.edit(mark=None)
    panel.check()
    with pytest.raises(InvalidInput, match="Only our mark"):
        put_back(panel)


def test_a_deletion_is_not_put_back_where_the_name_is_in_use(panel: Panel) -> None:
    deleted(panel)
    gone = changes()[-1]
    up(panel)
    with pytest.raises(Busy, match="has a record again"):
        put_back(panel, gone)


def test_a_type_that_we_do_not_make_is_not_made_again(panel: Panel) -> None:
    panel.by_hand("old.example.com", "TXT", "x", mark=panel.settings().install_id)
    panel.check()
    assert changes()[-1].kind is Kind.DELETE
    with pytest.raises(InvalidInput, match="does not make TXT"):
        put_back(panel)


def test_a_record_that_follows_the_settings_is_left_alone(panel: Panel) -> None:
    up(panel)
    version = panel.row().version
    undo.unpin(panel.row().id, at=panel.at)
    assert panel.row().version == version


def test_a_conflict_meanwhile_keeps_the_deletion_from_being_lost(panel: Panel) -> None:
    """A name whose creation was undone while the answer to that creation was under way has no record either."""
    panel.claim(NAME)
    panel.round()
    undo.undo(changes()[-1].id, at=panel.at)
    panel.by_hand(NAME, "A", ELSEWHERE)
    panel.round()
    assert panel.live() == {PROXY: ELSEWHERE}
    assert panel.row().status is Status.ABSENT
