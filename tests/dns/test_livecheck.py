"""When the worker looks whether names are live, and what it keeps of what it saw."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from tests.dns.outside_world import Outside
from tests.dns.panel_world import ELSEWHERE, HERE, HERE6, THERE, Panel
from webapp.db import now, reading, transaction
from webapp.dns import livecheck
from webapp.dns.live import Liveness
from webapp.dns.livecheck import LiveCheck
from webapp.dns.models import DnsRecord, Status
from webapp.dns.records import Target
from webapp.lease import Lease, leased

NAME = "app.example.com"


@pytest.fixture
def outside(panel: Panel) -> Outside:
    return Outside(panel)


def synced(panel: Panel, *names: str, **overrides: bool) -> None:
    panel.claim(*(names or (NAME,)), **overrides)
    panel.round()


def due(panel: Panel, name: str = NAME) -> timedelta:
    """How long until the next look."""
    at: datetime | None = panel.row(name).live_due_at
    assert at is not None
    return at - panel.at


def test_a_name_is_looked_at_as_soon_as_it_is_synced(panel: Panel, outside: Outside) -> None:
    panel.claim(NAME)
    panel.see(outside)
    assert (panel.row().live, outside.asked) == (None, [])
    panel.round()
    panel.see(outside)
    row = panel.row()
    assert (row.live, row.live_message) == (Liveness.LIVE, f"All 2 name servers answer {HERE}.")
    assert row.live_at == panel.at


def test_each_record_of_a_name_has_its_own_verdict(panel: Panel, outside: Outside) -> None:
    panel.save(target=Target(HERE, HERE6))
    synced(panel)
    panel.by_hand(NAME, "AAAA", "2001:db8::99")
    panel.see(outside)
    assert {row.type: row.live for row in panel.rows()} == {"A": Liveness.LIVE, "AAAA": Liveness.WRONG}


def test_a_live_name_is_looked_at_again_from_time_to_time(panel: Panel, outside: Outside) -> None:
    synced(panel)
    panel.see(outside)
    assert timedelta(minutes=7) < due(panel) < timedelta(minutes=13)
    panel.see(outside)
    assert len(outside.asked) == 1
    panel.wait(13 * 60)
    panel.see(outside)
    assert len(outside.asked) == 2


def test_a_name_that_is_not_there_yet_is_looked_at_soon_and_then_less_and_less(
    panel: Panel, outside: Outside
) -> None:
    synced(panel)
    outside.late = {NAME}
    pauses = []
    for _ in range(12):
        panel.see(outside)
        pauses.append(due(panel))
        panel.wait(pauses[-1].total_seconds())
    row = panel.row()
    assert (row.live, row.live_tries) == (Liveness.NOT_YET, 12)
    assert pauses[0] < timedelta(seconds=3) < pauses[3] < timedelta(seconds=25) < pauses[6]
    assert pauses[-1] < timedelta(minutes=13)


def test_a_name_that_comes_up_starts_anew(panel: Panel, outside: Outside) -> None:
    synced(panel)
    outside.late = {NAME}
    panel.see(outside)
    outside.late = set()
    panel.wait(60)
    panel.see(outside)
    assert (panel.row().live, panel.row().live_tries) == (Liveness.LIVE, 0)


def test_a_changed_wish_forgets_what_was_seen(panel: Panel, outside: Outside) -> None:
    synced(panel)
    panel.see(outside)
    panel.save(target=Target(THERE))
    row = panel.row()
    assert (row.live, row.live_message, row.live_due_at) == (None, None, None)
    panel.round()
    panel.see(outside)
    assert panel.row().live_message == f"All 2 name servers answer {THERE}."


def test_a_look_that_was_overtaken_by_a_change_is_not_kept(panel: Panel, outside: Outside) -> None:
    synced(panel)
    ask = outside.ask

    def meanwhile(zone: str, questions: list[tuple[str, str]]) -> object:
        panel.save(target=Target(THERE))
        panel.round()
        return ask(zone, questions)

    outside.ask = meanwhile  # type: ignore[assignment, method-assign]
    panel.see(outside)
    assert (panel.row().status, panel.row().live) == (Status.SYNCED, None)


def test_a_look_at_a_name_that_went_meanwhile_is_not_kept(panel: Panel, outside: Outside) -> None:
    synced(panel)
    ask = outside.ask

    def meanwhile(zone: str, questions: list[tuple[str, str]]) -> object:
        panel.release()
        panel.round()
        return ask(zone, questions)

    outside.ask = meanwhile  # type: ignore[assignment, method-assign]
    panel.see(outside)
    assert panel.rows() == []


def test_what_changed_at_the_name_servers_alone_shows(panel: Panel, outside: Outside) -> None:
    synced(panel)
    panel.edit(content=ELSEWHERE)
    panel.see(outside)
    row = panel.row()
    assert (row.status, row.live) == (Status.SYNCED, Liveness.WRONG)
    assert row.live_message == f"ns1.example.net answers {ELSEWHERE}; wanted is {HERE}."


def test_servers_that_cannot_be_found_are_unknown_and_tried_again(panel: Panel, outside: Outside) -> None:
    synced(panel)
    synced(panel, "p.example.com", proxied=True, proxy=2)  # type: ignore[arg-type]
    outside.lost = "nobody knows"
    panel.see(outside)
    assert {(row.live, row.live_message) for row in panel.rows()} == {(Liveness.UNKNOWN, "nobody knows")}
    assert due(panel) < timedelta(seconds=3)


def test_a_pass_looks_at_a_bounded_number_of_names(
    panel: Panel, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(livecheck, "MOST_NAMES", 3)
    synced(panel, *(f"n{n}.example.com" for n in range(7)))
    counts = []
    for _ in range(4):
        panel.see(outside)
        counts.append(sum(row.live is Liveness.LIVE for row in panel.rows()))
    assert counts == [3, 6, 7, 7]


def test_a_row_that_never_held_a_record_has_nothing_to_look_at(panel: Panel, outside: Outside) -> None:
    synced(panel)
    with transaction() as session:
        session.get_one(DnsRecord, panel.row().id).written_content = None
    panel.see(outside)
    assert outside.asked == []


def test_two_processes_never_look_at_once(panel: Panel, outside: Outside) -> None:
    synced(panel)
    with leased("live check", "another", now):
        LiveCheck("test", timedelta(minutes=10), outside, outside.visit, lambda: panel.at).run_due()
    assert outside.asked == []
    with reading() as session:
        assert session.scalar(select(Lease.name)) is None


def test_a_pass_ends_when_the_process_is_to_stop(panel: Panel, outside: Outside) -> None:
    synced(panel, NAME)
    synced(panel, "p.example.com", proxied=True, proxy=2)  # type: ignore[arg-type]
    check = LiveCheck(
        "test", timedelta(minutes=10), outside, outside.visit, lambda: panel.at, stopping=lambda: True
    )
    check.run_due()
    assert (panel.row(NAME).live, panel.row("p.example.com").live) == (Liveness.LIVE, None)
