"""What people change while a call is under way is never lost, and two who work at once do not disturb each other."""

from datetime import timedelta

import pytest

from tests.dns.panel_world import ELSEWHERE, HERE, THERE, Panel
from tests.dns.watched import Script
from webapp.db import transaction
from webapp.dns import service
from webapp.dns.changes import Answer
from webapp.dns.connections import Connection
from webapp.dns.desired import Mode
from webapp.dns.models import DnsRecord
from webapp.dns.records import Target
from webapp.errors import Busy, Outage
from webapp.lease import LENGTH, Lease, leased

pytestmark = pytest.mark.matrix

NAME = "app.example.com"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["list_records", "ensure_record"])
def test_a_wish_that_changes_during_a_create_comes_true(
    panel: Panel, script: Script, when: str, call: str
) -> None:
    panel.claim(NAME)
    script.once(when, call, lambda: panel.claim(NAME, ttl=300))
    panel.round(2)
    assert (panel.record().ttl, panel.row().status) == (300, "synced")


def test_a_wish_that_changes_while_all_is_well_comes_true_at_once(panel: Panel, script: Script) -> None:
    """The round found the record as it was wished when it began."""
    panel.claim(NAME)
    panel.round()
    script.once("after", "list_records", lambda: panel.claim(NAME, ttl=300))
    panel.check()
    assert panel.row().status == "pending"
    panel.round()
    assert (panel.record().ttl, panel.row().status) == (300, "synced")


def test_a_retry_during_the_call_finds_it_done(panel: Panel, script: Script) -> None:
    panel.claim(NAME)
    script.once("before", "ensure_record", lambda: service.retry(panel.row().id, at=panel.at))
    panel.round()
    assert (panel.row().status, panel.unsettled()) == ("synced", 0)


def test_a_target_that_changes_during_the_call_comes_true(panel: Panel, script: Script) -> None:
    panel.claim(NAME)
    script.once("before", "ensure_record", lambda: panel.save(target=Target(ipv4=THERE)))
    panel.round(2)
    assert (panel.live(), panel.unsettled()) == ({f"{NAME} A": THERE}, 0)


def test_a_name_that_is_released_during_its_create_is_deleted(panel: Panel, script: Script) -> None:
    panel.claim(NAME)
    script.once("after", "ensure_record", panel.release)
    panel.round(2)
    assert (panel.rows(), panel.records()) == ([], [])


def test_a_confirmed_change_stays_confirmed_when_the_wish_moves_on(panel: Panel, script: Script) -> None:
    """Leaving a zone while its record is being made is no reckless deletion later."""
    panel.claim(NAME)
    script.once("after", "ensure_record", lambda: panel.save(mode=Mode.WILDCARD, zone=None))
    panel.rounds.sync(panel.connection.id)
    (released,) = [row for row in panel.rows() if not row.wanted]
    assert released.approved


def test_a_name_that_is_claimed_again_during_its_removal_comes_back(panel: Panel, script: Script) -> None:
    panel.claim(NAME)
    panel.round()
    panel.release()
    script.once("before", "delete_record", lambda: panel.claim(NAME, proxy=2))
    panel.round(2)
    row = panel.row()
    assert (row.consumer_id, row.status, row.provider_record_id) == (2, "synced", panel.record().id)


def test_a_name_that_is_claimed_again_while_its_record_is_found_gone_keeps_its_row(
    panel: Panel, script: Script
) -> None:
    panel.claim(NAME)
    panel.round()
    panel.release()
    panel.lose()
    script.once("after", "list_records", lambda: panel.claim(NAME, proxy=2))
    panel.round(2)
    assert (panel.row().consumer_id, panel.live()) == (2, {f"{NAME} A": HERE})


def test_an_answer_that_is_given_during_a_round_is_carried_out(panel: Panel, script: Script) -> None:
    panel.by_hand(NAME, "A", ELSEWHERE)
    panel.claim(NAME)
    panel.round()
    row = panel.row()
    script.once(
        "after", "list_records", lambda: service.answer(row.id, Answer.REPLACE, row.answered, at=panel.at)
    )
    panel.check()
    panel.round()
    assert (panel.live(), panel.row().status) == ({f"{NAME} A": HERE}, "synced")


def test_a_row_that_is_deleted_during_its_create_leaves_an_orphan_for_the_next_round(
    panel: Panel, script: Script
) -> None:
    def forget() -> None:
        with transaction() as session:
            session.delete(session.get_one(DnsRecord, panel.row().id))

    panel.claim(NAME)
    script.once("after", "ensure_record", forget)
    panel.round()
    assert panel.live() == {f"{NAME} A": HERE}
    panel.check()
    assert panel.records() == []


@pytest.mark.parametrize("call", ["list_zones", "list_records", "delete_record"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_zone_that_is_abandoned_during_its_round_ends_quietly(
    panel: Panel, script: Script, when: str, call: str
) -> None:
    panel.claim(NAME)
    panel.round()
    left = panel.connection.id
    panel.save(mode=Mode.WILDCARD, zone=None)
    with transaction() as session:
        session.get_one(Connection, left).zones_read_at = None
    script.once(when, call, lambda: service.abandon(left))
    panel.round()
    assert panel.connections() == []


def test_an_outage_after_a_zone_was_abandoned_ends_quietly(panel: Panel, script: Script) -> None:
    def act() -> None:
        service.abandon(left)
        raise Outage("Gone.")

    panel.claim(NAME)
    panel.round()
    left = panel.connection.id
    panel.save(mode=Mode.WILDCARD, zone=None)
    script.once("before", "list_records", act)
    panel.round()
    assert panel.connections() == []


def test_a_reckless_plan_for_a_zone_that_was_abandoned_meanwhile_is_dropped(
    panel: Panel, script: Script
) -> None:
    def leave() -> None:
        left = panel.connection.id
        panel.save(mode=Mode.WILDCARD, zone=None)
        service.abandon(left)

    names = [f"n{n}.example.com" for n in range(5)]
    panel.claim(*names)
    panel.round()
    for name in names:
        panel.edit(name, content=ELSEWHERE)
    script.once("after", "list_records", leave)
    assert panel.writes_during(panel.check) == 0
    assert panel.connections() == []


def test_a_connection_that_another_process_let_go_of_is_skipped(panel: Panel, script: Script) -> None:
    """The list of what is due is made first; the second zone goes while the first one has its round."""
    second = panel.account.add_zone("example.net")
    panel.claim(NAME)
    panel.round()
    panel.save(zone=second)
    old = panel.connections()[1].id
    script.once("after", "list_records", lambda: service.abandon(old))
    panel.round()
    assert [c.zone_name for c in panel.connections()] == ["example.net"]


def test_who_finds_the_lease_taken_leaves_it_alone(panel: Panel, script: Script) -> None:
    panel.claim(NAME)
    with leased(f"dns connection {panel.connection.id}", "another", lambda: panel.at):
        panel.round()
        assert script.calls == []
        with pytest.raises(Busy, match="Another process is at work"):
            panel.rounds.sync(panel.connection.id)
    panel.round()
    assert panel.row().status == "synced"


def test_the_lease_of_a_dead_process_is_taken_over_when_it_has_run_out(panel: Panel) -> None:
    panel.claim(NAME)
    with transaction() as session:
        session.add(
            Lease(name=f"dns connection {panel.connection.id}", holder="dead", until=panel.at + LENGTH)
        )
    panel.wait(LENGTH.total_seconds())
    panel.round()
    assert panel.row().status == "pending"
    panel.wait(0.001)
    panel.round()
    assert panel.row().status == "synced"


def test_who_lost_the_lease_during_a_slow_listing_writes_nothing_any_more(
    panel: Panel, script: Script
) -> None:
    def takes_long() -> None:
        panel.at += LENGTH + timedelta(seconds=1)
        other = panel.new_rounds("another")
        other.sync(panel.connection.id)

    panel.claim(NAME)
    script.once("after", "list_records", takes_long)
    panel.round()
    assert script.calls.count("ensure_record") == 1
    assert panel.row().status == "synced"


def test_the_lease_is_free_again_after_the_round(panel: Panel) -> None:
    panel.round()
    with transaction() as session:
        assert session.query(Lease).all() == []


def test_who_lost_the_lease_does_not_take_it_from_its_new_holder(context: None) -> None:
    panel = Panel(managed=False)
    with pytest.raises(Busy, match="took over"), leased("thing", "one", lambda: panel.at) as renew:
        panel.wait(31)
        with leased("thing", "two", lambda: panel.at):
            renew()
    with leased("thing", "one", lambda: panel.at) as renew, transaction() as session:
        renew()
        assert session.get_one(Lease, "thing").until == panel.at + LENGTH
