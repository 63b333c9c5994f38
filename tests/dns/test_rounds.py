"""Rounds against a provider: what is made, healed and left alone when everybody behaves."""

from datetime import timedelta

import pytest

from tests.dns.panel_world import ELSEWHERE, HERE, HERE6, THERE, Panel
from webapp.dns.desired import Policy
from webapp.dns.records import Target

NAME = "app.example.com"


def test_a_claim_becomes_a_marked_record(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()
    made = panel.record()
    assert (made.type, made.content, made.mark) == ("A", HERE, panel.settings().install_id)
    row = panel.row()
    assert (row.status, row.provider_record_id, row.written_content) == ("synced", made.id, HERE)
    assert (row.next_try_at, row.error, row.attempts) == (None, None, 0)


def test_overrides_reach_the_record(panel: Panel) -> None:
    panel.claim(NAME, ttl=300)
    panel.claim("cdn.example.com", proxy=2, proxied=True, ttl=300)
    panel.round()
    assert (panel.record().ttl, panel.record().proxied) == (300, False)
    assert (panel.record("cdn.example.com").ttl, panel.record("cdn.example.com").proxied) == (1, True)


def test_a_changed_override_changes_the_record_in_place(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()
    before = panel.record().id
    panel.claim(NAME, proxied=True)
    panel.round()
    assert (panel.record().id, panel.record().proxied, panel.row().status) == (before, True, "synced")


def test_a_released_name_loses_its_record_and_its_row(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()
    panel.release()
    panel.round()
    assert panel.records() == []
    assert panel.rows() == []


def test_a_rename_moves_the_record(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()
    panel.claim("new.example.com")
    panel.round()
    assert panel.live() == {"new.example.com A": HERE}
    assert panel.statuses() == {"new.example.com": "synced"}


@pytest.mark.parametrize(
    "target",
    [Target(ipv4=HERE), Target(ipv4=HERE, ipv6=HERE6), Target(ipv6=HERE6), Target(cname="Home.Example.NET.")],
)
@pytest.mark.parametrize(("ttl", "proxied"), [(1, False), (300, False), (300, True)])
def test_a_second_round_writes_nothing(panel: Panel, target: Target, ttl: int, proxied: bool) -> None:
    panel.save(target=target, ttl=ttl, proxied=proxied)
    panel.claim(NAME, "*.example.com", "xn--bcher-kva.example.com", "example.com")
    panel.claim("slow.example.com", proxy=2, proxied=not proxied, ttl=900)
    panel.round()
    assert panel.unsettled() == 0
    rows = [(r.id, r.updated_at) for r in panel.rows()]
    assert panel.writes_during(panel.check) == 0
    assert [(r.id, r.updated_at) for r in panel.rows()] == rows


def test_each_name_gets_a_record_per_address(panel: Panel) -> None:
    panel.save(target=Target(ipv4=HERE, ipv6=HERE6))
    panel.claim(NAME)
    panel.round()
    assert panel.live() == {f"{NAME} A": HERE, f"{NAME} AAAA": HERE6}


def test_drift_is_healed_by_the_next_regular_round(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()
    panel.edit(content=THERE)
    panel.round()
    assert panel.record().content == THERE, "nothing is due yet"
    panel.check()
    assert (panel.record().content, panel.row().status) == (HERE, "synced")


def test_a_missing_record_is_made_again(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()
    panel.lose()
    panel.check()
    assert (panel.live(), panel.row().provider_record_id) == ({f"{NAME} A": HERE}, panel.record().id)


def test_a_lost_mark_is_put_back(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()
    before = panel.record()
    panel.edit(mark=None)
    panel.check()
    assert panel.record() == before


def test_foreign_records_stay_as_they_are(panel: Panel) -> None:
    others = [
        panel.by_hand("example.com", "MX", "mail.example.net"),
        panel.by_hand("old.example.com", "A", ELSEWHERE),
        panel.by_hand("theirs.example.com", "A", ELSEWHERE, mark="another-one"),
        panel.by_hand(NAME, "TXT", "note"),
    ]
    panel.claim(NAME)
    panel.round()
    panel.release()
    panel.round()
    panel.check()
    assert panel.records() == others
    assert panel.seen() == {("foreign", r.name) for r in others}


def test_the_apex_can_be_claimed_beside_its_name_servers(panel: Panel) -> None:
    panel.by_hand("example.com", "NS", "ns.example.net")
    panel.claim("example.com")
    panel.round()
    assert panel.live()["example.com A"] == HERE


def test_orphans_are_deleted_under_full_sync(panel: Panel) -> None:
    panel.by_hand("left.example.com", "A", HERE, mark=panel.settings().install_id)
    panel.check()
    assert panel.records() == []
    assert panel.seen() == set()


def test_orphans_are_kept_and_shown_under_never_delete(panel: Panel) -> None:
    panel.save(policy=Policy.KEEP)
    panel.claim(NAME)
    panel.round()
    panel.release()
    panel.round()
    assert panel.rows() == []
    assert panel.live() == {f"{NAME} A": HERE}
    assert panel.seen() == {("orphan", NAME)}
    panel.claim(NAME)
    assert panel.writes_during(panel.round) == 0
    assert panel.row().status == "synced"


def test_an_orphan_that_cannot_be_deleted_stays_visible(panel: Panel) -> None:
    """A record of ours under a name in conflict keeps the name up, and the page shows it."""
    panel.by_hand(NAME, "A", THERE, mark=panel.settings().install_id)
    panel.by_hand(NAME, "CNAME", "elsewhere.example.net")
    panel.save(target=Target(cname="home.example.net"))
    panel.claim(NAME)
    panel.round()
    assert ("orphan", NAME) in panel.seen()


def test_claiming_again_before_the_removal_leaves_no_gap(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()
    before = panel.record()
    panel.release()
    panel.claim(NAME, proxy=2)
    assert panel.writes_during(panel.round) == 0
    assert panel.record() == before
    row = panel.row()
    assert (row.consumer_id, row.status) == (2, "synced")


def test_no_call_is_made_while_nothing_is_due(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()
    panel.account.broken = True
    panel.wait(599)
    panel.round()
    assert panel.connection.error is None
    panel.wait(2)
    panel.round()
    assert panel.connection.error == "The provider does not answer."


def test_the_zones_of_the_token_are_read_once_a_day(panel: Panel) -> None:
    panel.round()
    assert panel.connection.zones == ["example.com"]
    panel.account.add_zone("deep.example.com")
    panel.check()
    assert panel.connection.zones == ["example.com"]
    panel.wait(timedelta(days=1).total_seconds())
    panel.round()
    assert panel.connection.zones == ["deep.example.com", "example.com"]


def test_a_name_that_a_longer_zone_holds_waits_for_a_person(panel: Panel) -> None:
    """The token's zones are known only after the first round, when the names have been claimed already."""
    panel.account.add_zone("deep.example.com")
    panel.claim("app.deep.example.com", NAME)
    panel.round()
    assert panel.live() == {f"{NAME} A": HERE}
    row = panel.row("app.deep.example.com")
    assert (row.status, row.next_try_at) == ("failed", None)
    assert "belongs to the zone deep.example.com" in (row.error or "")
    panel.check()
    assert panel.row("app.deep.example.com").attempts == row.attempts


def test_a_record_that_is_up_stays_when_a_longer_zone_appears(panel: Panel) -> None:
    panel.claim("app.deep.example.com")
    panel.round()
    panel.account.add_zone("deep.example.com")
    panel.wait(86500)
    assert panel.writes_during(panel.round) == 0
    assert panel.row("app.deep.example.com").status == "synced"


def test_usage_counts_what_the_round_made_and_deleted(panel: Panel) -> None:
    panel.account.quota = 200
    panel.claim(NAME, "two.example.com")
    panel.round()
    assert (panel.connection.used, panel.connection.allowed) == (2, 200)
    panel.release()
    panel.round()
    assert panel.connection.used == 0
