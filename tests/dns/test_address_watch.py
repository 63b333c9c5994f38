"""The worker follows the public address: it looks in time, and changes the target as a person would."""

from collections.abc import Iterable, Mapping, Sequence

import pytest

from tests.dns.panel_world import HERE, HERE6, Panel
from tests.dns.sky_world import NAMES, NEW, NEW6, OTHER, Sky, told, turn, twice
from webapp.db import now, transaction
from webapp.dns.address_row import Watched
from webapp.dns.address_watch import LOOK_EVERY, AddressWatcher
from webapp.dns.desired import Mode
from webapp.dns.following import CONFIRM_AFTER
from webapp.dns.providers.public_address import Sight
from webapp.dns.records import Target
from webapp.lease import leased


@pytest.fixture
def panel(context: None) -> Panel:
    panel = Panel()
    turn(on=True)
    return panel


@pytest.fixture
def sky() -> Sky:
    return Sky()


@pytest.fixture
def watcher(panel: Panel, sky: Sky) -> AddressWatcher:
    return AddressWatcher("test", [], sky, lambda: panel.at)


def test_a_new_address_that_is_seen_twice_becomes_the_target(
    panel: Panel, watcher: AddressWatcher, sky: Sky
) -> None:
    panel.claim(*NAMES)
    panel.round()
    sky.move()
    twice(panel, watcher)
    assert panel.settings().target == Target(ipv4=NEW)
    assert told() == Watched(True, panel.at, f"IPv4: changed from {HERE} to {NEW}.")
    panel.round()
    assert {record.content for record in panel.records()} == {NEW}


def test_once_is_not_enough(panel: Panel, watcher: AddressWatcher, sky: Sky) -> None:
    sky.move()
    watcher.run_due()
    assert panel.settings().target == Target(ipv4=HERE)
    assert told().message == f"IPv4: {NEW} is new, and has to be seen again after 3 minutes."


def test_an_address_that_flaps_never_counts(panel: Panel, watcher: AddressWatcher, sky: Sky) -> None:
    for address in (NEW, HERE, NEW, OTHER, NEW):
        sky.move(address)
        watcher.run_due()
        panel.wait(LOOK_EVERY.total_seconds())
    assert panel.settings().target == Target(ipv4=HERE)


def test_sources_that_disagree_are_told_and_nothing_is_done(
    panel: Panel, watcher: AddressWatcher, sky: Sky
) -> None:
    sky.said[4] = (NEW, HERE)
    twice(panel, watcher)
    assert panel.settings().target == Target(ipv4=HERE)
    assert told().message == (
        f"IPv4: nothing is changed, because the sources do not agree: a says {NEW}, b says {HERE}."
    )


def test_it_looks_from_time_to_time_and_sooner_when_there_is_news(
    panel: Panel, watcher: AddressWatcher, sky: Sky
) -> None:
    watcher.run_due()
    panel.wait(LOOK_EVERY.total_seconds() - 1)
    watcher.run_due()
    assert len(sky.asked) == 1
    sky.move()
    panel.wait(1)
    watcher.run_due()
    panel.wait(CONFIRM_AFTER.total_seconds())
    watcher.run_due()
    assert len(sky.asked) == 3


def test_turned_off_it_looks_at_nothing(panel: Panel, watcher: AddressWatcher, sky: Sky) -> None:
    turn(on=False)
    watcher.run_due()
    assert (sky.asked, told()) == ([], Watched())


def test_turned_on_again_it_begins_from_nothing(panel: Panel, watcher: AddressWatcher, sky: Sky) -> None:
    sky.move()
    watcher.run_due()
    turn(on=False)
    turn(on=True)
    panel.wait(CONFIRM_AFTER.total_seconds())
    watcher.run_due()
    assert panel.settings().target == Target(ipv4=HERE)


def test_only_addresses_that_are_set_are_looked_for_and_changed(
    panel: Panel, watcher: AddressWatcher, sky: Sky
) -> None:
    sky.move(NEW, NEW6)
    twice(panel, watcher)
    assert (set(sky.asked), panel.settings().target) == ({(4,)}, Target(ipv4=NEW))


def test_both_addresses_follow_each_on_its_own(panel: Panel, watcher: AddressWatcher, sky: Sky) -> None:
    panel.save(target=Target(HERE, HERE6))
    sky.move(HERE, NEW6)
    twice(panel, watcher)
    assert panel.settings().target == Target(HERE, NEW6)
    assert told().message == f"IPv4: {HERE}, as set. IPv6: changed from {HERE6} to {NEW6}."


def test_a_name_as_the_target_leaves_nothing_to_follow(
    panel: Panel, watcher: AddressWatcher, sky: Sky
) -> None:
    panel.save(target=Target(cname="home.example.net"))
    watcher.run_due()
    assert sky.asked == []
    assert told().message.startswith("There is nothing to follow")


@pytest.mark.parametrize("base", ["example.com", ""])
def test_in_wildcard_mode_it_only_tells(panel: Panel, watcher: AddressWatcher, sky: Sky, base: str) -> None:
    panel.save(mode=Mode.WILDCARD, base_domain=base)
    sky.move()
    twice(panel, watcher)
    for _ in range(2):
        panel.wait(CONFIRM_AFTER.total_seconds())
        watcher.run_due()
        assert told().message.startswith(f"The public address is now {NEW}, not {HERE}.")
    assert panel.settings().target == Target(ipv4=HERE)
    assert ("*.example.com" in told().message) == bool(base)


def test_settings_that_are_saved_during_a_look_win(panel: Panel, watcher: AddressWatcher, sky: Sky) -> None:
    sky.move()
    watcher.run_due()
    panel.wait(CONFIRM_AFTER.total_seconds())

    def meanwhile(sources: Sequence[str], versions: Iterable[int]) -> Mapping[int, Sight]:
        panel.save(target=Target(ipv4=OTHER))
        return sky(sources, versions)

    watcher.look = meanwhile
    watcher.run_due()
    assert panel.settings().target == Target(ipv4=OTHER)
    watcher.look = sky
    watcher.run_due()
    assert told().looked_at == panel.at


def test_a_watch_that_is_turned_off_during_a_look_says_nothing(
    panel: Panel, watcher: AddressWatcher, sky: Sky
) -> None:
    def meanwhile(sources: Sequence[str], versions: Iterable[int]) -> Mapping[int, Sight]:
        turn(on=False)
        return sky(sources, versions)

    watcher.look = meanwhile
    watcher.run_due()
    assert told() == Watched()


def test_a_target_that_cannot_be_saved_is_told(panel: Panel, watcher: AddressWatcher, sky: Sky) -> None:
    with transaction() as session:
        for connection in panel.connections():
            session.delete(session.merge(connection))
    sky.move()
    twice(panel, watcher)
    assert told().message.startswith(f"The server is now at {NEW}, but this could not be saved: ")


def test_two_processes_never_look_at_once(panel: Panel, watcher: AddressWatcher, sky: Sky) -> None:
    watcher.clock = now
    with leased("address watch", "another", now):
        watcher.run_due()
    assert sky.asked == []


def test_what_another_process_has_just_looked_at_is_not_looked_at_again(
    watcher: AddressWatcher, sky: Sky, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = iter([watcher._situation(), None])
    monkeypatch.setattr(watcher, "_situation", lambda: next(due))
    watcher.run_due()
    assert sky.asked == []


def test_before_the_first_settings_there_is_nothing_to_do(context: None, sky: Sky) -> None:
    AddressWatcher("test", [], sky).run_due()
    assert sky.asked == []
