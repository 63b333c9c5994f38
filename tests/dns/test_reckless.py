"""The stop before a large part of our records is changed without anybody having asked for it."""

from collections.abc import Callable

import pytest

from tests.dns.panel_world import ELSEWHERE, HERE, THERE, Panel
from webapp.dns import service
from webapp.dns.models import Status
from webapp.dns.records import Target
from webapp.errors import RecklessPlan

NAMES = [f"n{number}.example.com" for number in range(10)]
NAME = NAMES[0]


@pytest.fixture
def panel(context: None) -> Panel:
    panel = Panel()
    panel.claim(*NAMES)
    panel.round()
    return panel


def drift(panel: Panel, count: int) -> None:
    for name in NAMES[:count]:
        panel.edit(name, content=ELSEWHERE)


def shown(panel: Panel) -> dict[str, object]:
    return panel.connection.review or {}


def drifted(panel: Panel) -> int:
    return sum(record.content == ELSEWHERE for record in panel.records())


def test_three_changes_pass_without_a_question(panel: Panel) -> None:
    drift(panel, 3)
    panel.check()
    assert drifted(panel) == 0


def test_more_than_a_third_stops_and_asks(panel: Panel) -> None:
    drift(panel, 4)
    assert panel.writes_during(panel.check) == 0
    assert panel.connection.review_state == "reckless"
    assert shown(panel)["reckless"] is True
    assert [panel.row(name).status for name in NAMES[:5]] == [Status.DRIFTED] * 4 + [Status.SYNCED]


def test_what_waits_for_a_reckless_plan_says_so_and_is_not_tried_again(panel: Panel) -> None:
    drift(panel, 4)
    panel.claim("new.example.com", proxy=2)
    panel.round()
    row = panel.row("new.example.com")
    assert (row.status, row.next_try_at) == ("failed", None)
    assert "would change or delete 4 of 10 records" in (row.error or "")


def test_a_confirmed_reckless_plan_is_carried_out(panel: Panel) -> None:
    drift(panel, 4)
    panel.check()
    service.request_apply(str(shown(panel)["hash"]))
    panel.round()
    assert (drifted(panel), panel.unsettled(), shown(panel)) == (0, 0, {})


def test_the_confirmation_counts_for_that_plan_only(panel: Panel) -> None:
    drift(panel, 4)
    panel.check()
    service.request_apply(str(shown(panel)["hash"]))
    panel.edit(NAMES[5], content=ELSEWHERE)
    assert panel.writes_during(panel.round) == 0
    assert panel.connection.review_state == "moved"


def test_a_reckless_plan_goes_away_when_the_world_is_right_again(panel: Panel) -> None:
    drift(panel, 4)
    panel.check()
    for name in NAMES[:4]:
        panel.edit(name, content=HERE)
    panel.check()
    assert (panel.connection.review_state, panel.unsettled()) == (None, 0)


def test_deleting_half_of_the_records_by_hand_only_makes_them_again(panel: Panel) -> None:
    for name in NAMES[:5]:
        panel.lose(name)
    panel.check()
    assert len(panel.records()) == 10


def test_a_change_of_target_carries_its_own_approval(panel: Panel) -> None:
    panel.save(target=Target(ipv4=THERE))
    panel.round()
    assert {record.content for record in panel.records()} == {THERE}


def test_the_approval_does_not_cover_what_nobody_has_seen(panel: Panel) -> None:
    panel.save(target=Target(ipv4=THERE))
    panel.account.broken = True
    panel.round()
    panel.account.broken = False
    for name in NAMES[:5]:
        panel.by_hand("x" + name, "A", HERE, mark=panel.settings().install_id)
    panel.wait(3)
    panel.round()
    contents = [record.content for record in panel.records()]
    assert (contents.count(THERE), contents.count(HERE)) == (10, 5)
    assert (panel.connection.review_state, len(shown(panel)["deletes"])) == ("reckless", 5)  # type: ignore[arg-type]


def test_the_plan_that_is_left_is_the_one_that_is_shown_and_confirmed(panel: Panel) -> None:
    drift(panel, 4)
    panel.claim(*NAMES[:6])
    panel.round()
    assert len(panel.records()) == 6
    service.request_apply(str(shown(panel)["hash"]))
    panel.round()
    assert (drifted(panel), panel.unsettled(), shown(panel)) == (0, 0, {})


def test_a_name_that_is_only_confirmed_in_part_waits_as_a_whole(panel: Panel) -> None:
    drift(panel, 4)
    panel.by_hand(NAMES[5], "AAAA", "2001:db8::1", mark=panel.settings().install_id)
    panel.save(target=Target(ipv4=THERE), proxied=False)
    panel.by_hand("y.example.com", "A", HERE, mark=panel.settings().install_id)
    for number in range(4):
        panel.by_hand(f"x{number}.example.com", "A", HERE, mark=panel.settings().install_id)
    panel.round()
    live = panel.live()
    assert {live[f"{name} A"] for name in NAMES if name != NAMES[5]} == {THERE}
    assert (live[f"{NAMES[5]} A"], live[f"{NAMES[5]} AAAA"]) == (HERE, "2001:db8::1")
    assert "would change or delete" in (panel.row(NAMES[5]).error or "")


def test_one_round_reports_the_reckless_plan(panel: Panel) -> None:
    drift(panel, 4)
    report = panel.rounds.sync(panel.connection.id)
    assert isinstance(report.error, RecklessPlan)
    assert not report.applied


def outage(panel: Panel, meanwhile: Callable[[], object]) -> None:
    """Something is wished for while the provider is down; then it is up again."""
    panel.account.broken = True
    meanwhile()
    panel.round()
    panel.account.broken = False
    panel.wait(60)
    panel.round()


def test_deletions_that_were_each_confirmed_do_not_stall_after_an_outage(panel: Panel) -> None:
    for number, name in enumerate(NAMES, start=1):
        panel.claim(name, proxy=number)
    panel.round()

    def meanwhile() -> None:
        for number in range(1, 8):
            panel.release(number)
        panel.claim("new.example.com", proxy=20)

    outage(panel, meanwhile)
    assert set(panel.live()) == {f"{name} A" for name in (*NAMES[7:], "new.example.com")}
    assert panel.unsettled() == 0


def test_renames_do_not_stall_after_an_outage(panel: Panel) -> None:
    outage(panel, lambda: panel.claim(*(f"x{name}" for name in NAMES)))
    assert set(panel.live()) == {f"x{name} A" for name in NAMES}


def test_drift_on_a_large_scale_still_counts_beside_confirmed_deletions(panel: Panel) -> None:
    drift(panel, 4)
    panel.claim(*NAMES[:6])
    panel.round()
    assert panel.connection.review_state == "reckless"
    assert (len(panel.records()), drifted(panel)) == (6, 4)
