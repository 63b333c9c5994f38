"""Rounds against a provider that fails: the wish is kept with the reason, and heals by itself where it can."""

from collections.abc import Callable
from datetime import timedelta

from tests.dns.panel_world import HERE, THERE, Panel
from tests.dns.watched import Script
from webapp.dns import service
from webapp.dns.models import Status
from webapp.dns.records import LiveRecord
from webapp.errors import Denied, Outage, Rejected

NAME = "app.example.com"


def raising(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def test_an_outage_keeps_the_wish_with_reason_and_next_try(panel: Panel) -> None:
    panel.account.broken = True
    panel.claim(NAME)
    panel.round()
    row = panel.row()
    assert (row.status, row.error, row.attempts) == ("failed", "The provider does not answer.", 1)
    assert row.next_try_at is not None
    assert timedelta(seconds=1) < row.next_try_at - panel.at < timedelta(seconds=3)
    assert panel.connection.next_try_at == row.next_try_at


def test_tries_come_further_and_further_apart_up_to_a_quarter_of_an_hour(panel: Panel) -> None:
    panel.account.broken = True
    panel.claim(NAME)
    pauses = []
    for _ in range(14):
        panel.round()
        next_try = panel.row().next_try_at
        assert next_try is not None
        pauses.append((next_try - panel.at).total_seconds())
        panel.at = next_try
    assert panel.row().attempts == 14
    assert pauses[0] < 3 < pauses[3] < pauses[6] < pauses[9]
    assert max(pauses) < 15 * 60 * 1.26


def test_nothing_is_tried_before_its_time(panel: Panel, script: Script) -> None:
    panel.account.broken = True
    panel.claim(NAME)
    panel.round()
    calls = len(script.calls)
    panel.wait(1)
    panel.round(3)
    assert len(script.calls) == calls


def test_what_the_provider_asks_for_is_respected(panel: Panel, script: Script) -> None:
    panel.claim(NAME)
    script.once("before", "list_records", raising(Outage("Slow down.", retry_after=timedelta(seconds=300))))
    panel.round()
    assert panel.row().next_try_at == panel.at + timedelta(seconds=300)


def test_a_failed_row_heals_by_itself_also_in_a_new_process(panel: Panel) -> None:
    panel.account.broken = True
    panel.claim(NAME)
    panel.round()
    panel.rounds = panel.new_rounds()
    panel.account.broken = False
    panel.wait(3)
    panel.round()
    row = panel.row()
    assert (row.status, row.error, row.attempts, row.next_try_at) == ("synced", None, 0, None)
    assert (panel.connection.error, panel.connection.attempts) == (None, 0)


def test_a_removal_survives_an_outage_too(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()
    panel.account.broken = True
    panel.release()
    panel.round()
    assert (panel.row().wanted, panel.row().status) == (False, "failed")
    panel.account.broken = False
    panel.wait(3)
    panel.round()
    assert (panel.rows(), panel.records()) == ([], [])


def test_a_listing_that_fails_deletes_and_changes_nothing(panel: Panel, script: Script) -> None:
    panel.claim(NAME, "two.example.com")
    panel.round()
    panel.claim(NAME)
    panel.edit(content=THERE)
    script.once("after", "list_records", raising(Outage("It broke off in the middle.")))
    assert panel.writes_during(panel.round) == 0


def test_settled_rows_are_not_blamed_for_an_outage(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()
    panel.account.broken = True
    panel.check()
    assert (panel.row().status, panel.row().error) == ("synced", None)


def test_an_outage_in_the_middle_keeps_what_was_done(panel: Panel, script: Script) -> None:
    panel.claim("one.example.com", "two.example.com", "three.example.com")
    script.before = lambda call: script.calls.count("ensure_record") == 2 and raising(Outage("Gone."))()
    panel.round()
    assert sorted(panel.statuses().values()) == ["failed", "failed", "synced"]
    script.before = lambda call: None
    panel.wait(3)
    assert panel.writes_during(panel.round) == 2
    assert panel.unsettled() == 0


def test_a_refused_record_does_not_hold_up_the_others(panel: Panel, script: Script) -> None:
    panel.claim("one.example.com", "two.example.com")
    script.once("before", "ensure_record", raising(Rejected("That content is not allowed.")))
    panel.round()
    rows = {row.status: row for row in panel.rows()}
    assert set(rows) == {"failed", "synced"}
    failed = rows[Status.FAILED]
    assert (failed.error, failed.attempts) == ("That content is not allowed.", 1)
    assert failed.next_try_at is not None
    assert failed.next_try_at > panel.at
    assert panel.connection.error is None
    panel.wait(3)
    panel.round()
    assert panel.unsettled() == 0


def test_without_permission_nothing_is_tried_until_a_person_acts(panel: Panel, script: Script) -> None:
    panel.account.read_only = True
    panel.claim(NAME)
    panel.round()
    row = panel.row()
    assert (row.status, row.error, row.next_try_at) == ("failed", "The token may not change records.", None)
    assert panel.connection.blocked
    calls = len(script.calls)
    panel.account.read_only = False
    panel.wait(100_000)
    panel.round()
    assert len(script.calls) == calls
    service.retry(row.id, at=panel.at)
    panel.round()
    assert panel.row().status == "synced"


def test_a_new_claim_tries_a_blocked_provider_once_and_tells_the_reason(panel: Panel) -> None:
    panel.account.read_only = True
    panel.claim(NAME)
    panel.round()
    panel.claim("new.example.com", proxy=2)
    panel.round()
    assert panel.row("new.example.com").error == "The token may not change records."
    assert panel.connection.blocked


def test_a_listing_of_zones_that_is_not_allowed_is_no_fault(panel: Panel, script: Script) -> None:
    script.once("before", "list_zones", raising(Denied("No.")))
    panel.claim(NAME)
    panel.round()
    assert panel.row().status == "synced"
    assert panel.connection.zones == []


def test_an_outage_while_the_zones_are_listed_ends_the_round(panel: Panel, script: Script) -> None:
    script.once("before", "list_zones", raising(Outage("Gone.")))
    panel.claim(NAME)
    panel.round()
    assert (panel.row().status, panel.row().error) == ("failed", "Gone.")


def test_a_provider_that_writes_something_else_is_told_and_not_asked_all_the_time(
    panel: Panel, script: Script
) -> None:
    def other(record: LiveRecord) -> LiveRecord:
        return panel.account.edit_by_hand(panel.zone, record.id, ttl=120)

    script.made = other
    panel.claim(NAME, ttl=90)
    panel.round()
    row = panel.row()
    assert (row.status, row.error) == ("failed", f"The provider made it A {HERE}, TTL 120.")
    calls = len(script.calls)
    panel.round(3)
    assert len(script.calls) == calls
    panel.wait(3)
    panel.round()
    assert (panel.row().attempts, len(panel.records())) == (2, 1)
