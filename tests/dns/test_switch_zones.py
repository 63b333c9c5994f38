"""Moving to another zone or provider: the new record is up before the old one goes, and the old one goes later."""

from dataclasses import replace
from typing import Any

import pytest

from tests.dns.panel_world import HERE, Panel
from tests.dns.watched import watch
from webapp.dns import providers, service
from webapp.dns.changes import Answer
from webapp.dns.desired import Mode, Policy
from webapp.dns.providers.memory import ACCOUNTS, Account
from webapp.dns.records import Target, Zone
from webapp.errors import Busy, NotFound, Outage

NAME = "app.shop.example.com"
WILDCARD: dict[str, Any] = {"mode": Mode.WILDCARD, "zone": None}


@pytest.fixture
def panel(context: None) -> Panel:
    """One name that is up in example.com and fits into shop.example.com too."""
    panel = Panel()
    panel.claim(NAME)
    panel.round()
    return panel


@pytest.fixture
def shop(panel: Panel) -> Zone:
    return panel.account.add_zone("shop.example.com")


def test_a_move_to_another_zone_is_previewed_and_happens(panel: Panel, shop: Zone) -> None:
    preview = panel.preview(zone=shop)
    assert (preview.creates, preview.updates, preview.deletes) == (1, 0, 1)
    assert (preview.old_zone, preview.new_zone, preview.outside) == ("example.com", "shop.example.com", ())
    panel.save(zone=shop)
    assert [c.zone_name for c in panel.connections()] == ["shop.example.com", "example.com"]
    panel.round()
    assert (panel.live(shop), panel.live()) == ({f"{NAME} A": HERE}, {})
    assert [c.zone_name for c in panel.connections()] == ["shop.example.com"]


def test_the_new_record_is_up_before_the_old_one_goes(
    panel: Panel, shop: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = watch(monkeypatch)
    panel.rounds = panel.new_rounds()
    panel.save(zone=shop)

    def new_fails(call: str) -> None:
        if call == "ensure_record":
            raise Outage("Gone.")

    script.before = new_fails
    panel.round()
    assert (panel.live(), panel.live(shop)) == ({f"{NAME} A": HERE}, {})
    calls = len(script.calls)
    panel.round(3)
    assert len(script.calls) == calls, "waiting must not keep the worker busy"
    script.before = lambda call: None
    panel.wait(11)
    panel.round()
    assert (panel.live(), panel.live(shop)) == ({}, {f"{NAME} A": HERE})
    assert script.calls.index("delete_record") > script.calls.index("ensure_record")


def test_a_conflict_in_the_new_zone_keeps_the_old_record_until_it_is_decided(
    panel: Panel, shop: Zone
) -> None:
    panel.account.put_by_hand(shop, NAME, "A", "198.51.100.7")
    panel.save(zone=shop)
    panel.round()
    panel.wait(11)
    panel.round()
    assert panel.live() == {f"{NAME} A": HERE}
    (row,) = [row for row in panel.rows(NAME) if row.wanted]
    service.answer(row.id, Answer.LEAVE, row.answered, at=panel.at)
    panel.wait(11)
    panel.round()
    assert (panel.live(), len(panel.connections())) == ({}, 1)


def test_names_that_the_new_zone_cannot_hold_are_named_and_lose_their_record(
    panel: Panel, shop: Zone
) -> None:
    panel.claim("mail.example.com", proxy=2)
    panel.round()
    preview = panel.preview(zone=shop)
    assert (preview.creates, preview.deletes, preview.outside) == (1, 2, ("mail.example.com",))
    panel.save(zone=shop)
    panel.round()
    assert panel.live() == {}
    row = panel.row("mail.example.com")
    assert (row.status, row.next_try_at) == ("failed", None)
    assert "is outside the zone shop.example.com" in (row.error or "")
    assert panel.unsettled() == 1


def test_a_row_without_a_zone_cannot_be_tried_again(panel: Panel, shop: Zone) -> None:
    """Nobody would ever attend to it, and the page would wait for ever."""
    panel.claim("mail.example.com", proxy=2)
    panel.save(zone=shop)
    (lost,) = [row for row in panel.rows("mail.example.com") if row.wanted]
    service.retry(lost.id, at=panel.at)
    (lost,) = [row for row in panel.rows("mail.example.com") if row.wanted]
    assert (lost.status, lost.next_try_at) == ("failed", None)


def test_a_name_that_never_had_a_zone_survives_every_switch(context: None) -> None:
    """It has a row without a zone before and after, and one row only."""
    panel = Panel(managed=False)
    panel.claim("app.example.org")
    assert panel.preview(mode=Mode.MANAGED, zone=panel.zone).outside == ("app.example.org",)
    for _ in range(2):
        panel.save(mode=Mode.MANAGED, zone=panel.zone)
        assert panel.row("app.example.org").status == "failed"
    panel.save(target=Target(ipv4=HERE, ipv6="2001:db8::1"))
    assert panel.row("app.example.org").status == "failed"
    panel.save(**WILDCARD)
    assert [row.status for row in panel.rows("app.example.org")] == ["covered", "covered"]
    panel.save(mode=Mode.MANAGED, zone=panel.account.add_zone("example.org"))
    panel.round()
    assert panel.unsettled() == 0


def test_a_name_that_is_outside_already_asks_for_nothing(context: None) -> None:
    panel = Panel(managed=False)
    panel.claim("app.example.org")
    panel.save(mode=Mode.MANAGED, zone=panel.zone)
    assert not panel.preview().asks
    assert not panel.preview(zone=panel.account.add_zone("example.net")).asks


def test_the_longest_visible_zone_counts_in_the_preview_too(panel: Panel, shop: Zone) -> None:
    panel.wait(86500)
    panel.round()
    other = panel.account.add_zone("app.shop.example.com")
    panel.save(zone=shop)
    panel.wait(86500)
    panel.round()
    assert set(panel.connection.zones) == {"example.com", "shop.example.com", "app.shop.example.com"}
    assert panel.preview(zone=panel.zone, credentials=None).outside == (NAME,)
    assert panel.preview(zone=other, credentials=None).outside == ()


def test_an_old_zone_that_is_down_is_finished_later_with_its_own_token(panel: Panel) -> None:
    new = ACCOUNTS[panel.token + "2"] = Account()
    new.zones["spare"] = Zone("zone-9", "spare")
    zone = Zone("zone-10", "shop.example.com")
    new.zones[zone.name], new.records[zone.id] = zone, {}
    panel.account.broken = True
    panel.save(zone=zone, credentials={"token": panel.token + "2"})
    panel.round()
    assert [r.name for r in new.records[zone.id].values()] == [NAME]
    active, old = panel.connections()
    assert (active.error, old.error) == (None, "The provider does not answer.")
    assert old.credentials_sealed
    panel.rounds = panel.new_rounds()
    panel.account.broken = False
    panel.wait(3)
    panel.round()
    assert panel.records() == []
    assert [c.zone_name for c in panel.connections()] == ["shop.example.com"]


def test_another_provider_takes_over(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = replace(providers.KINDS["memory"], name="second")
    monkeypatch.setitem(providers.KINDS, "second", kind)  # type: ignore[arg-type]
    other = ACCOUNTS[panel.token + "3"] = Account()
    zone = other.add_zone("example.com")
    panel.save(provider="second", zone=zone, credentials={"token": panel.token + "3"})
    panel.round()
    assert (panel.records(), len(other.records[zone.id])) == ([], 1)
    assert [c.provider for c in panel.connections()] == ["second"]


def test_a_provider_that_no_longer_exists_is_a_reason_in_the_row(panel: Panel, shop: Zone) -> None:
    panel.save(provider="gone", zone=shop)
    panel.round()
    (row,) = [row for row in panel.rows() if row.wanted]
    assert row.error == "There is no DNS provider called gone."


def test_an_old_zone_can_be_abandoned(panel: Panel, shop: Zone) -> None:
    panel.account.broken = True
    panel.save(zone=shop)
    active, old = panel.connections()
    with pytest.raises(Busy, match="in use"):
        service.abandon(active.id)
    assert service.abandon(old.id) == "example.com"
    with pytest.raises(NotFound):
        service.abandon(old.id)
    assert [c.zone_name for c in panel.connections()] == ["shop.example.com"]
    panel.account.broken = False
    panel.round()
    assert panel.live() == {f"{NAME} A": HERE}, "what is abandoned stays"
    assert panel.unsettled() == 0


def test_names_released_before_the_switch_do_not_block_it_as_reckless(panel: Panel) -> None:
    panel.claim(NAME, *(f"n{n}.example.com" for n in range(9)))
    panel.round()
    panel.account.broken = True
    panel.claim(NAME)
    panel.save(**WILDCARD)
    panel.account.broken = False
    panel.round()
    assert (panel.records(), panel.connections()) == ([], [])


def test_what_was_kept_on_purpose_stays_when_the_zone_is_left(panel: Panel) -> None:
    panel.save(policy=Policy.KEEP)
    panel.claim(NAME, "old.example.com")
    panel.round()
    panel.claim(NAME)
    panel.round()
    assert panel.seen() == {("orphan", "old.example.com")}
    assert panel.preview(**WILDCARD, policy=Policy.KEEP).deletes == 1
    panel.save(**WILDCARD)
    panel.round()
    assert panel.live() == {"old.example.com A": HERE}


def test_the_token_in_use_goes_along_to_a_zone_that_was_left_before(panel: Panel, shop: Zone) -> None:
    """The zone list on the page came from the token that is in use, not from the one of the old zone."""
    panel.save(zone=shop, credentials={"token": panel.token})
    ACCOUNTS[panel.token + "4"] = panel.account
    panel.save(credentials={"token": panel.token + "4"})
    panel.save(zone=panel.zone, credentials=None)
    assert service.saved_credentials("memory") == {"token": panel.token + "4"}
