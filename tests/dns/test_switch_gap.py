"""Whether a switch leaves a name without its record for a moment, as the preview tells it."""

from typing import Any

import pytest

from tests.dns.panel_world import HERE, HERE6, Panel
from tests.dns.watched import watch
from webapp.dns.desired import Mode
from webapp.dns.records import Target


@pytest.fixture
def panel(context: None) -> Panel:
    """Two names that are up."""
    panel = Panel()
    panel.claim("one.example.com", "two.example.com")
    panel.round()
    return panel


@pytest.mark.parametrize(
    ("changes", "gap"),
    [
        ({"target": Target(cname="home.example.net")}, True),
        ({"target": Target(ipv4=HERE, ipv6=HERE6)}, False),
        ({"target": Target(ipv6=HERE6)}, False),
        ({"ttl": 300}, False),
        ({"mode": Mode.WILDCARD, "zone": None}, False),
    ],
)
def test_the_preview_tells_whether_a_name_is_without_a_record_for_a_moment(
    panel: Panel, changes: dict[str, Any], gap: bool
) -> None:
    assert panel.preview(**changes).gap is gap


def test_another_zone_makes_before_it_breaks(panel: Panel) -> None:
    zone = panel.account.add_zone("one.example.com")
    preview = panel.preview(zone=zone, target=Target(cname="home.example.net"))
    assert (preview.creates, preview.deletes, preview.gap) == (1, 2, False)


def test_an_address_of_the_other_kind_is_made_before_the_old_one_goes(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = watch(monkeypatch)
    panel.rounds = panel.new_rounds()
    up: list[set[str]] = []
    script.after = lambda _call: up.append({record.name for record in panel.records()})
    panel.save(target=Target(ipv6=HERE6))
    panel.round()
    assert set(panel.live().values()) == {HERE6}
    assert {len(names) for names in up} == {2}
