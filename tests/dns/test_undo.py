"""Undo makes the reverse wish: the same planner carries it out, and the next wish takes over from it."""

import pytest

from tests.dns.panel_world import ELSEWHERE, HERE, HERE6, THERE, Panel
from tests.dns.undo_world import NAME, RECORD, changes, deleted, drifted_and_healed, put_back, up
from webapp.actor import acting_as
from webapp.dns import undo
from webapp.dns.desired import Mode
from webapp.dns.models import ConsumerType, Status
from webapp.dns.records import Target
from webapp.errors import Busy


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
    assert panel.live() == {RECORD: HERE}
    assert panel.row().pin is None


def test_the_settings_take_over_from_an_undo(panel: Panel) -> None:
    drifted_and_healed(panel)
    put_back(panel)
    panel.save(target=Target(ipv4=THERE))
    panel.round()
    assert panel.live() == {RECORD: THERE}


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
    assert panel.live() == {RECORD: ELSEWHERE}


def test_a_record_follows_the_settings_again_when_told(panel: Panel) -> None:
    drifted_and_healed(panel)
    put_back(panel)
    undo.unpin(panel.row().id, at=panel.at)
    panel.round()
    assert panel.live() == {RECORD: HERE}


def test_a_creation_is_put_back_and_the_name_stays_claimed(panel: Panel) -> None:
    up(panel)
    put_back(panel)
    panel.check()
    assert panel.live() == {}
    assert (panel.row().status, panel.row().wanted, panel.unsettled()) == (Status.ABSENT, True, 0)


def test_what_comes_back_with_other_settings_is_told_before(panel: Panel) -> None:
    up(panel)
    put_back(panel)
    assert panel.preview(target=Target(ipv4=THERE)).creates == 1
    panel.save(target=Target(ipv4=THERE))
    panel.round()
    assert panel.live() == {RECORD: THERE}


def test_a_record_made_by_hand_in_its_place_is_left_alone(panel: Panel) -> None:
    up(panel)
    put_back(panel)
    panel.by_hand(NAME, "A", ELSEWHERE)
    panel.check()
    assert panel.live() == {RECORD: ELSEWHERE}
    assert panel.unsettled() == 0


def test_a_creation_comes_back_when_its_undo_is_undone(panel: Panel) -> None:
    up(panel)
    put_back(panel)
    put_back(panel)
    assert panel.live() == {RECORD: HERE}
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
    assert panel.live() == {RECORD: HERE}
    assert (panel.row().consumer_type, panel.row().status) == (ConsumerType.PERSON, Status.SYNCED)


def test_a_name_kept_by_hand_says_so_to_whoever_wants_it(panel: Panel) -> None:
    deleted(panel)
    put_back(panel)
    with pytest.raises(Busy, match="put back by hand"):
        panel.claim(NAME)


def test_the_records_of_both_types_of_a_name_are_put_back_and_let_go_one_by_one(panel: Panel) -> None:
    panel.save(target=Target(ipv4=HERE, ipv6=HERE6))
    deleted(panel)
    one, two = changes()[-2:]
    put_back(panel, one)
    put_back(panel, two)
    assert panel.live() == {RECORD: HERE, f"{NAME} AAAA": HERE6}
    assert len({row.consumer_id for row in panel.rows()}) == 1
    undo.unpin(panel.rows()[0].id, at=panel.at)
    panel.round()
    assert panel.live() == {f"{NAME} AAAA": HERE6}


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
    assert panel.live() == {RECORD: HERE}


def test_a_deletion_is_put_back_in_a_zone_that_was_left_and_is_used_again(panel: Panel) -> None:
    deleted(panel)
    gone = changes()[-1]
    panel.save(zone=panel.account.add_zone("example.net"))
    panel.round()
    panel.save(zone=panel.zone)
    assert panel.connection.id != gone.connection_id
    put_back(panel, gone)
    assert panel.live() == {RECORD: HERE}


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
    assert panel.live() == {RECORD: ELSEWHERE}
