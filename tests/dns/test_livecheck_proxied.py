"""Proxied names: Cloudflare answers with addresses of its own, so they have to be visited."""

import pytest
from sqlalchemy import select

from tests.dns.outside_world import EDGE, Outside
from tests.dns.panel_world import HERE, HERE6, Panel
from tests.dns.undo_world import deleted, put_back
from webapp.db import reading
from webapp.dns import livecheck
from webapp.dns.live import Liveness, Verdict
from webapp.dns.models import DnsRecord
from webapp.dns.records import Target

NAME = "app.example.com"


@pytest.fixture
def outside(panel: Panel) -> Outside:
    return Outside(panel)


def synced(panel: Panel, *names: str) -> None:
    panel.claim(*(names or (NAME,)))
    panel.round()


@pytest.fixture
def panel(context: None) -> Panel:
    panel = Panel()
    panel.save(proxied=True)
    return panel


def test_a_proxied_name_is_live_when_a_visit_proves_it(panel: Panel, outside: Outside) -> None:
    synced(panel)
    panel.see(outside)
    assert (panel.row().live, panel.row().live_message) == (Liveness.LIVE, "Proven.")
    assert outside.visits == [(NAME, tuple(sorted((c for _, c in EDGE), key=lambda c: ":" in c)))]


def test_any_address_alone_proves_nothing(panel: Panel, outside: Outside) -> None:
    synced(panel)
    outside.found = Verdict(Liveness.WRONG, "Somebody else.")
    panel.see(outside)
    assert panel.row().live is Liveness.WRONG


def test_a_name_that_the_servers_do_not_know_yet_is_not_visited(panel: Panel, outside: Outside) -> None:
    synced(panel, NAME, "b.example.com")
    panel.lose("b.example.com")
    outside.late = {NAME}
    panel.see(outside)
    assert outside.visits == []
    assert {row.fqdn: row.live_message for row in panel.rows()} == {
        NAME: "ns2.example.net does not have the record yet.",
        "b.example.com": "No name server has the record yet.",
    }


def test_a_record_that_a_person_keeps_has_nothing_to_prove_itself_by(panel: Panel, outside: Outside) -> None:
    deleted(panel)
    put_back(panel)
    outside.found = Verdict(Liveness.WRONG, "Somebody else.")
    panel.see(outside)
    assert (panel.row().live, outside.visits) == (Liveness.UNKNOWN, [])
    assert "nothing here serves the name" in (panel.row().live_message or "")


def test_two_records_of_a_name_take_one_visit(panel: Panel, outside: Outside) -> None:
    panel.save(target=Target(HERE, HERE6))
    synced(panel)
    panel.see(outside)
    assert ([row.live for row in panel.rows()], len(outside.visits)) == ([Liveness.LIVE] * 2, 1)


def test_visits_are_few_in_a_pass_and_leave_room_for_the_other_names(
    panel: Panel, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(livecheck, "MOST_VISITS", 3)
    monkeypatch.setattr(livecheck, "AT_ONCE", 2)
    synced(panel, *(f"n{n}.example.com" for n in range(5)))
    panel.claim("plain.example.com", proxy=2, proxied=False)
    panel.round()
    panel.see(outside)
    with reading() as session:
        seen = session.scalars(select(DnsRecord.fqdn).where(DnsRecord.live.is_not(None))).all()
    assert (len(outside.visits), len(seen), "plain.example.com" in seen) == (3, 4, True)
