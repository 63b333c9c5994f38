"""Stopping between changes, and a lease that outlives the slowest call."""

import pytest

from tests.dns.panel_world import HERE, Panel
from tests.dns.watched import Script, watch
from webapp.errors import Busy

NAMES = [f"n{n}.example.com" for n in range(5)]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    return watch(monkeypatch)


@pytest.fixture
def panel(context: None, script: Script) -> Panel:
    return Panel()


def test_a_round_ends_before_its_next_change_when_it_is_to_stop(panel: Panel) -> None:
    panel.claim(*NAMES)
    panel.rounds.stopping = lambda: len(panel.records()) >= 2
    panel.round()
    assert len(panel.records()) == 2
    assert sorted(panel.statuses().values()) == ["pending"] * 3 + ["synced"] * 2
    panel.rounds.stopping = lambda: False
    panel.round()
    assert panel.live() == {f"{name} A": HERE for name in NAMES}


def test_no_round_begins_when_it_is_to_stop(panel: Panel, script: Script) -> None:
    panel.claim(*NAMES)
    panel.rounds.stopping = lambda: True
    panel.round()
    assert script.calls == []


def test_no_other_process_takes_over_during_a_slow_call(panel: Panel, script: Script) -> None:
    panel.claim(*NAMES)
    refused = []

    def second_comes() -> None:
        panel.wait(85)
        with pytest.raises(Busy):
            panel.new_rounds("second").sync(panel.connection.id)
        refused.append(True)

    script.once("after", "list_records", second_comes)
    panel.round()
    assert refused
    assert script.calls.count("list_records") == 1
