"""Zones that hold only so many records: what fits is made, the rest says why not, and nothing goes down for it."""

from dataclasses import replace

from tests.dns.panel_world import ELSEWHERE, HERE, HERE6, Panel
from tests.dns.watched import Script
from webapp.dns import service
from webapp.dns.changes import Answer
from webapp.dns.records import Target

NAME = "app.example.com"


def test_a_full_zone_fails_only_the_rows_without_room(panel: Panel) -> None:
    panel.account.quota = 2
    panel.by_hand("mail.example.com", "A", ELSEWHERE)
    panel.claim("one.example.com", "two.example.com")
    panel.round()
    assert panel.statuses() == {"one.example.com": "synced", "two.example.com": "failed"}
    assert "1 of 2 records are used" in (panel.row("two.example.com").error or "")
    panel.lose("mail.example.com")
    panel.wait(3)
    panel.round()
    assert panel.unsettled() == 0


def test_room_that_is_known_is_not_asked_for_again(panel: Panel, script: Script) -> None:
    panel.account.quota = 3
    panel.claim("one.example.com")
    panel.round()
    assert script.calls.count("usage") == 1
    panel.by_hand("mail.example.com", "A", ELSEWHERE)
    panel.claim("two.example.com", proxy=2)
    panel.round()
    assert script.calls.count("usage") == 1
    assert (panel.connection.used, panel.connection.allowed) == (3, 3)
    panel.claim("three.example.com", proxy=3)
    panel.round()
    assert script.calls.count("usage") == 2
    assert "3 of 3 records are used" in (panel.row("three.example.com").error or "")


def test_a_plan_that_became_smaller_unseen_only_refuses_what_is_new(panel: Panel, script: Script) -> None:
    panel.account.quota = 200
    panel.claim("one.example.com")
    panel.round()
    panel.account.quota = 1
    panel.claim("two.example.com", proxy=2)
    panel.round()
    assert panel.statuses() == {"one.example.com": "synced", "two.example.com": "failed"}
    assert "quota" in (panel.row("two.example.com").error or "")


def test_another_plan_has_its_own_room(panel: Panel, script: Script) -> None:
    panel.account.quota = 200
    panel.claim("one.example.com")
    panel.round()
    zones = panel.account.zones
    zones["example.com"] = replace(zones["example.com"], plan="free")
    panel.wait(86500)
    panel.claim("two.example.com", proxy=2)
    panel.round()
    assert script.calls.count("usage") == 2


def test_an_overfull_zone_keeps_the_old_record_until_the_new_one_has_room(
    panel: Panel, script: Script
) -> None:
    """After a smaller plan was booked: the A record must not go when its CNAME cannot come."""
    panel.claim(NAME)
    panel.round()
    for n in range(3):
        panel.by_hand(f"other{n}.example.com", "A", ELSEWHERE)
    panel.account.quota = 2
    panel.save(target=Target(cname="home.example.net"))
    panel.round()
    assert panel.live()[f"{NAME} A"] == HERE
    calls = len(script.calls)
    panel.round(3)
    assert len(script.calls) == calls, "the row that waits must not keep the worker busy"
    panel.account.quota = 200
    panel.wait(11)
    panel.round()
    assert panel.live()[f"{NAME} CNAME"] == "home.example.net"
    assert panel.unsettled() == 0


def test_what_replaces_a_record_waits_with_it_for_all_of_the_name_to_have_room(panel: Panel) -> None:
    """The old record stays while a part of the name does not fit; until then nothing is put beside it."""
    panel.by_hand(NAME, "A", ELSEWHERE)
    panel.account.quota = 1
    panel.save(target=Target(HERE, HERE6))
    panel.claim("other.example.com", proxy=2)
    panel.claim(NAME)
    panel.round()
    contested = panel.rows(NAME)[0]
    service.answer(contested.id, Answer.REPLACE, contested.answered, at=panel.at)
    panel.account.quota = 3
    panel.wait(11)
    panel.round()
    assert [r.content for r in panel.records() if r.name == NAME] == [ELSEWHERE]
    panel.account.quota = 200
    panel.wait(100)
    panel.round()
    assert {r.content for r in panel.records() if r.name == NAME} == {HERE, HERE6}
    assert panel.unsettled() == 0
