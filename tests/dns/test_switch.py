"""Changing mode, zone and target: what the preview says is what then happens, and names stay up on the way."""

from typing import Any

import pytest

from tests.dns.panel_world import HERE, HERE6, THERE, Panel
from webapp.db import reading
from webapp.dns import ledger, service, switch
from webapp.dns.desired import Mode, Policy
from webapp.dns.records import Target, Zone
from webapp.errors import InvalidInput, Stale

ONE, TWO = "one.example.com", "two.example.com"
WILDCARD: dict[str, Any] = {"mode": Mode.WILDCARD, "zone": None}


@pytest.fixture
def panel(context: None) -> Panel:
    """Two names that are up."""
    panel = Panel()
    panel.claim(ONE, TWO)
    panel.round()
    return panel


def happens(panel: Panel, changes: dict[str, Any]) -> tuple[int, int, int]:
    """How many records saving creates, changes and deletes."""
    before = {r.id: r for zone in panel.account.zones.values() for r in panel.records(zone)}
    panel.save(**changes)
    panel.round(2)
    after = {r.id: r for zone in panel.account.zones.values() for r in panel.records(zone)}
    changed = sum(before[i] != after[i] for i in before.keys() & after.keys())
    return len(after.keys() - before.keys()), changed, len(before.keys() - after.keys())


CHANGES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "to the wildcard": WILDCARD,
    "another address": {"target": Target(ipv4=THERE)},
    "address to name": {"target": Target(cname="home.example.net")},
    "IPv6 too": {"target": Target(ipv4=HERE, ipv6=HERE6)},
    "only IPv6": {"target": Target(ipv6=HERE6)},
    "ttl": {"ttl": 300},
    "proxied": {"proxied": True},
    "ttl of proxied records": {"proxied": True, "ttl": 300},
    "policy": {"policy": Policy.KEEP},
    "base domain": {"base_domain": "two.example.com"},
    "never delete, but leave": {"policy": Policy.KEEP, **WILDCARD},
}
NUMBERS = {
    "nothing": (0, 0, 0), "to the wildcard": (0, 0, 2), "another address": (0, 2, 0),
    "address to name": (2, 0, 2), "IPv6 too": (2, 0, 0), "only IPv6": (2, 0, 2), "ttl": (0, 2, 0),
    "proxied": (0, 2, 0), "ttl of proxied records": (0, 2, 0), "policy": (0, 0, 0), "base domain": (0, 0, 0),
    "never delete, but leave": (0, 0, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_the_preview_tells_what_then_happens(panel: Panel, name: str) -> None:
    preview = panel.preview(**CHANGES[name])
    assert (preview.creates, preview.updates, preview.deletes) == NUMBERS[name]
    assert preview.asks == (NUMBERS[name] != (0, 0, 0))
    assert happens(panel, CHANGES[name]) == NUMBERS[name]
    assert panel.unsettled() == 0


def test_removing_ipv6_deletes_only_the_second_record(panel: Panel) -> None:
    panel.save(target=Target(ipv4=HERE, ipv6=HERE6))
    panel.round()
    assert panel.preview(target=Target(ipv4=HERE)).deletes == 2
    assert happens(panel, {"target": Target(ipv4=HERE)}) == (0, 0, 2)
    assert panel.live() == {f"{ONE} A": HERE, f"{TWO} A": HERE}


def test_names_with_the_same_override_do_not_change_with_the_default(panel: Panel) -> None:
    panel.claim(ONE, TWO, ttl=300)
    panel.round()
    assert not panel.preview(ttl=300).asks


def test_a_preview_changes_nothing(panel: Panel) -> None:
    rows = [(r.id, r.status, r.wanted) for r in panel.rows()]
    panel.preview(**WILDCARD)
    panel.preview(target=Target(ipv4=THERE), zone=panel.account.add_zone("example.net"))
    assert [(r.id, r.status, r.wanted) for r in panel.rows()] == rows
    assert [c.zone_name for c in panel.connections()] == ["example.com"]
    assert panel.settings().target == Target(ipv4=HERE)


def test_the_wildcard_covers_every_name_and_the_old_zone_is_cleaned(panel: Panel) -> None:
    panel.save(**WILDCARD)
    assert {row.status for row in panel.rows() if row.wanted} == {"covered"}
    assert not panel.connection.active
    panel.round()
    assert (panel.records(), panel.connections(), panel.unsettled()) == ([], [], 0)


def test_in_wildcard_mode_claims_make_no_call(panel: Panel) -> None:
    panel.save(**WILDCARD)
    panel.round()
    panel.account.broken = True
    panel.claim(ONE, "three.example.com")
    panel.round()
    assert panel.statuses() == {ONE: "covered", "three.example.com": "covered"}
    panel.release()
    assert panel.rows() == []


def test_from_the_wildcard_every_name_gets_its_record(context: None) -> None:
    panel = Panel(managed=False)
    panel.claim(ONE, TWO)
    preview = panel.preview(mode=Mode.MANAGED, zone=panel.zone)
    assert (preview.creates, preview.deletes, preview.old_zone, preview.new_zone) == (
        2,
        0,
        None,
        "example.com",
    )
    panel.save(mode=Mode.MANAGED, zone=panel.zone)
    panel.round()
    assert panel.live() == {f"{ONE} A": HERE, f"{TWO} A": HERE}
    assert [row.consumer_id for row in panel.rows()] == [1, 1]


def test_from_the_wildcard_to_a_zone_and_other_types(context: None) -> None:
    panel = Panel(managed=False)
    panel.save(target=Target(ipv4=HERE, ipv6=HERE6))
    panel.claim(ONE)
    panel.save(target=Target(cname="home.example.net"))
    assert [(row.type, row.status) for row in panel.rows()] == [("CNAME", "covered")]
    panel.save(mode=Mode.MANAGED, zone=panel.zone)
    panel.round()
    assert panel.live() == {f"{ONE} CNAME": "home.example.net"}


def test_switching_back_before_it_is_finished_keeps_the_records(panel: Panel) -> None:
    before = panel.records()
    panel.account.broken = True
    panel.save(**WILDCARD)
    panel.round()
    preview = panel.preview(mode=Mode.MANAGED, zone=panel.zone, credentials=None)
    assert (preview.creates, preview.updates, preview.deletes) == (0, 0, 0)
    panel.save(mode=Mode.MANAGED, zone=panel.zone, credentials=None)
    panel.account.broken = False
    panel.wait(3)
    assert panel.writes_during(panel.round) == 0
    assert panel.records() == before
    assert panel.unsettled() == 0


def test_switching_back_knows_its_records_also_without_their_marks(panel: Panel) -> None:
    """The row's record id and the unchanged content still prove whose they are."""
    before = panel.records()
    panel.save(**WILDCARD)
    panel.edit(ONE, mark=None)
    panel.save(mode=Mode.MANAGED, zone=panel.zone)
    panel.round()
    assert panel.unsettled() == 0
    assert panel.records() == before, "the same records, and the mark is back"


def test_switching_back_to_another_target_counts_as_a_change(panel: Panel) -> None:
    panel.save(**WILDCARD)
    changes = {"mode": Mode.MANAGED, "zone": panel.zone, "target": Target(ipv4=THERE)}
    preview = panel.preview(**changes)
    assert (preview.creates, preview.updates, preview.deletes) == (0, 2, 0)
    assert happens(panel, changes) == (0, 2, 0)


def test_rows_without_a_record_are_not_counted_as_deletes(panel: Panel) -> None:
    panel.account.broken = True
    panel.claim("three.example.com", proxy=2)
    panel.round()
    assert panel.preview(**WILDCARD).deletes == 2


def test_the_same_zone_again_only_tries_failed_rows_again(panel: Panel) -> None:
    panel.account.read_only = True
    panel.claim("three.example.com", proxy=2)
    panel.round()
    assert panel.connection.blocked
    panel.account.read_only = False
    panel.save()
    panel.round()
    assert panel.statuses()["three.example.com"] == "synced"
    assert (panel.connection.blocked, panel.connection.error) == (False, None)


def test_a_stale_page_cannot_save(panel: Panel) -> None:
    version = panel.settings().version
    panel.save(ttl=300)
    with pytest.raises(Stale):
        switch.commit(panel.wanted(ttl=600), version=version, at=panel.at)
    assert panel.settings().ttl == 300


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"zone": None}, "zone"),
        ({"target": Target()}, "ipv4"),
        ({"target": Target(cname="One.example.com.")}, "cname"),
        ({"provider": "cloudflare", "zone": Zone("f" * 32, "example.com"), "credentials": None}, "token"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_anything_is_asked(
    panel: Panel, changes: dict[str, Any], field: str
) -> None:
    for act in (panel.preview, panel.save):
        with pytest.raises(InvalidInput) as refusal:
            act(**changes)
        assert refusal.value.field == field
    assert panel.settings().version == 2


def test_the_wildcard_needs_no_target_and_no_zone(panel: Panel) -> None:
    panel.save(**WILDCARD, target=Target(), base_domain="")
    panel.round()
    assert panel.unsettled() == 0


def test_a_new_token_has_its_zones_read_again(panel: Panel) -> None:
    assert panel.connection.zones_read_at is not None
    panel.save(credentials=None)
    assert panel.connection.zones_read_at is not None
    panel.save(credentials={"token": panel.token})
    assert panel.connection.zones_read_at is None


def test_a_token_can_be_tried_out_before_anything_is_saved(context: None) -> None:
    panel = Panel(managed=False)
    with reading() as session:
        assert ledger.settings_or_none(session) is None
    token = {"token": panel.token}
    assert service.list_zones("memory", token, api_url="") == [panel.zone]
    assert all(finding.passed for finding in service.test("memory", token, panel.zone, api_url=""))
    with reading() as session:
        assert ledger.settings_or_none(session) is None, "a look writes nothing"


def test_saved_credentials_are_those_in_use(panel: Panel) -> None:
    assert service.saved_credentials("memory") == {"token": panel.token}
    assert service.saved_credentials("cloudflare") is None
