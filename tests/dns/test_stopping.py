"""Stopping between changes, and a lease that outlives the slowest call."""

from tests.dns.panel_world import HERE, Panel
from tests.dns.watched import Script

NAMES = [f"n{n}.example.com" for n in range(5)]


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
