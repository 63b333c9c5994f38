"""Plans that wait for a person: check now, look at it, apply it or put it away."""

import pytest

from tests.dns.panel_world import ELSEWHERE, HERE, Panel
from webapp.dns import service
from webapp.errors import Busy, NotFound

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


def look(panel: Panel) -> dict[str, object]:
    service.request_check(at=panel.at)
    panel.round()
    return shown(panel)


def shown(panel: Panel) -> dict[str, object]:
    return panel.connection.review or {}


def drifted(panel: Panel) -> int:
    return sum(record.content == ELSEWHERE for record in panel.records())


def test_a_check_shows_the_plan_and_changes_nothing(panel: Panel) -> None:
    panel.edit(NAMES[0], content=ELSEWHERE)
    panel.lose(NAMES[1])
    panel.by_hand("mail.example.com", "A", ELSEWHERE)
    stray = panel.by_hand("stray.example.com", "A", HERE, mark=panel.settings().install_id)
    assert panel.writes_during(lambda: look(panel)) == 0
    plan = shown(panel)
    made = {"name": NAMES[1], "type": "A", "content": HERE, "ttl": 1, "proxied": False}
    wanted = {**made, "name": NAMES[0]}
    mark = panel.settings().install_id
    assert plan == {
        "zone": "example.com",
        "creates": [made],
        "updates": [{**wanted, "old": {**wanted, "content": ELSEWHERE, "mark": mark}, "why": ["content"]}],
        "deletes": [{
            **made, "name": stray.name, "mark": mark, "why": "carries our mark, but nothing uses it",
        }],
        "conflicts": [], "foreign": 1, "unchanged": 8, "reckless": False, "hash": plan["hash"],
    }  # fmt: skip
    assert (panel.connection.review_state, panel.connection.used) == ("ready", 11)
    statuses = panel.statuses()
    assert (statuses[NAMES[0]], statuses[NAMES[1]], statuses[NAMES[2]]) == ("drifted", "missing", "synced")
    assert panel.seen() == {("foreign", "mail.example.com"), ("orphan", "stray.example.com")}


def test_a_check_sees_that_somebody_repaired_a_record(panel: Panel) -> None:
    drift(panel, 1)
    look(panel)
    panel.edit(NAME, content=HERE)
    look(panel)
    assert (panel.row(NAME).status, panel.row(NAME).seen) == ("synced", None)


def test_a_check_sees_conflicts(panel: Panel) -> None:
    panel.by_hand("new.example.com", "A", ELSEWHERE)
    panel.account.broken = True
    panel.claim("new.example.com", proxy=2)
    panel.round()
    panel.account.broken = False
    plan = look(panel)
    assert panel.row("new.example.com").status == "conflict"
    conflicts = plan["conflicts"]
    assert isinstance(conflicts, list)
    assert (conflicts[0]["live"][0]["content"], conflicts[0]["left"]) == (ELSEWHERE, False)


def test_a_row_with_a_try_ahead_keeps_its_reason_through_a_check(panel: Panel) -> None:
    panel.account.quota = 10
    panel.claim("late.example.com", proxy=2)
    panel.round()
    before = panel.row("late.example.com")
    look(panel)
    after = panel.row("late.example.com")
    assert (after.status, after.error, after.next_try_at) == ("failed", before.error, before.next_try_at)


def test_apply_carries_out_the_plan_that_was_shown(panel: Panel) -> None:
    drift(panel, 2)
    service.request_apply(str(look(panel)["hash"]))
    panel.round()
    assert (drifted(panel), panel.unsettled()) == (0, 0)
    connection = panel.connection
    assert (connection.review_state, connection.review, connection.approved_hash) == (None, None, None)


def test_apply_is_refused_for_another_plan_than_the_one_shown(panel: Panel) -> None:
    look(panel)
    with pytest.raises(Busy, match="no longer the current one"):
        service.request_apply("0123456789abcdef")


def test_apply_is_refused_when_the_world_moved_and_the_new_plan_is_shown(panel: Panel) -> None:
    drift(panel, 1)
    old = str(look(panel)["hash"])
    panel.edit(NAMES[1], content=ELSEWHERE)
    service.request_apply(old)
    assert panel.writes_during(panel.round) == 0
    assert panel.connection.review_state == "moved"
    assert shown(panel)["hash"] != old
    assert panel.connection.approved_hash is None
    service.request_apply(str(shown(panel)["hash"]))
    panel.round()
    assert drifted(panel) == 0


def test_a_refused_apply_does_not_stop_new_wishes(panel: Panel) -> None:
    drift(panel, 1)
    old = str(look(panel)["hash"])
    panel.claim("new.example.com", proxy=2)
    service.request_apply(old)
    panel.round(2)
    assert panel.row("new.example.com").status == "synced"


def test_an_outage_during_apply_takes_the_plan_away_and_says_why(panel: Panel) -> None:
    drift(panel, 1)
    service.request_apply(str(look(panel)["hash"]))
    panel.account.broken = True
    panel.round()
    assert (panel.connection.review_state, panel.connection.error) == (None, "The provider does not answer.")


def test_a_check_that_fails_shows_no_plan(panel: Panel) -> None:
    panel.account.broken = True
    assert look(panel) == {}
    assert (panel.connection.review_state, panel.connection.error) == (None, "The provider does not answer.")


def test_a_check_acts_on_a_blocked_connection(panel: Panel) -> None:
    panel.account.read_only = True
    panel.claim("new.example.com", proxy=2)
    panel.round()
    panel.account.read_only = False
    plan = look(panel)
    assert (panel.connection.blocked, panel.row("new.example.com").status) == (False, "missing")
    assert panel.row("new.example.com").error is None
    service.request_apply(str(plan["hash"]))
    panel.round()
    assert panel.unsettled() == 0


def test_a_plan_can_be_put_away(panel: Panel) -> None:
    look(panel)
    service.dismiss_review()
    assert panel.connection.review_state is None
    service.request_check(at=panel.at)
    service.dismiss_review()
    assert panel.connection.review_state == "requested", "a check under way is not put away"


def test_a_regular_round_puts_an_outdated_plan_away(panel: Panel) -> None:
    drift(panel, 1)
    look(panel)
    panel.check()
    assert (panel.connection.review_state, shown(panel)) == (None, {})


def test_a_plan_without_changes_stays_on_show(panel: Panel) -> None:
    look(panel)
    panel.check()
    assert panel.connection.review_state == "ready"


def test_there_is_nothing_to_check_or_apply_without_a_provider(context: None) -> None:
    Panel(managed=False)
    with pytest.raises(NotFound):
        service.request_check(at=Panel(managed=False).at)
    with pytest.raises(Busy):
        service.request_apply("")
    service.dismiss_review()
