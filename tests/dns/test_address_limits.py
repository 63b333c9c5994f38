"""When the target follows the public address, only that change is approved: the limit holds for all the rest."""

import pytest

from tests.dns.panel_world import HERE, Panel
from tests.dns.sky_world import NAMES, NEW, Sky, turn, twice
from webapp.dns.address_watch import AddressWatcher


@pytest.fixture
def panel(context: None) -> Panel:
    """Ten names, and a mass deletion of something else that waits for a person."""
    panel = Panel()
    turn(on=True)
    panel.claim(*NAMES)
    panel.round()
    for number in range(6):
        panel.by_hand(f"lost{number}.example.com", "A", HERE, mark=panel.settings().install_id)
    panel.check()
    assert panel.connection.review_state == "reckless"
    return panel


@pytest.fixture
def moved(panel: Panel) -> AddressWatcher:
    """The watch of a server that has another address by now."""
    sky = Sky()
    sky.move()
    return AddressWatcher("test", [], sky, lambda: panel.at)


def test_the_records_follow_although_a_mass_deletion_is_stopped(panel: Panel, moved: AddressWatcher) -> None:
    twice(panel, moved)
    panel.round(2)
    live = panel.live()
    assert {live[f"{name} A"] for name in NAMES} == {NEW}
    assert sum(name.startswith("lost") for name in live) == 6
    assert (panel.connection.review_state, panel.unsettled()) == ("reckless", 0)
    assert len((panel.connection.review or {})["deletes"]) == 6


def test_a_record_that_somebody_changed_is_part_of_the_deliberate_change(
    panel: Panel, moved: AddressWatcher
) -> None:
    panel.edit(NAMES[0], content="198.51.100.1")
    twice(panel, moved)
    panel.round()
    assert panel.record(NAMES[0]).content == NEW


def test_a_provider_that_is_down_takes_nothing_from_the_approval(panel: Panel, moved: AddressWatcher) -> None:
    panel.account.broken = True
    twice(panel, moved)
    panel.round()
    panel.account.broken = False
    panel.wait(60)
    panel.round()
    contents = [record.content for record in panel.records()]
    assert (contents.count(NEW), contents.count(HERE)) == (10, 6)
