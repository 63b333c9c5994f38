"""Claims: rows are written with the change that causes them, a name has one holder, and nothing else happens."""

import pytest
from sqlalchemy.exc import IntegrityError

from tests.dns.panel_world import HERE, HERE6, Panel, count_rows, standalone
from webapp.db import transaction, work_committed
from webapp.dns import claims, ledger
from webapp.dns.desired import Mode, Overrides
from webapp.dns.ledger import Consumer
from webapp.dns.models import ConsumerType, DnsRecord, Status
from webapp.dns.names import Fqdn
from webapp.dns.records import RecordType, Target
from webapp.errors import Busy, InvalidInput, NotFound

NAME = "app.example.com"


def test_a_claim_writes_a_pending_row_and_wakes_the_worker(panel: Panel) -> None:
    rings = work_committed.rings
    panel.claim(NAME)
    row = panel.row()
    assert (row.type, row.consumer_type, row.consumer_id, row.status) == ("A", "standalone", 1, "pending")
    assert row.created_at == row.updated_at == row.next_try_at == panel.at
    assert work_committed.rings > rings
    assert panel.records() == [], "a claim calls nobody"


def test_a_claim_belongs_to_the_change_that_causes_it(panel: Panel) -> None:
    rings = work_committed.rings
    with pytest.raises(RuntimeError), transaction():
        panel.claim(NAME)
        raise RuntimeError
    assert panel.rows() == []
    assert work_committed.rings == rings


def test_a_claim_works_while_the_provider_is_down(panel: Panel) -> None:
    panel.account.broken = True
    panel.claim(NAME)
    assert panel.row().status == "pending"


def test_each_type_of_the_target_has_its_row(panel: Panel) -> None:
    panel.save(target=Target(ipv4=HERE, ipv6=HERE6))
    panel.claim(NAME)
    assert [row.type for row in panel.rows()] == [RecordType.A, RecordType.AAAA]


def test_in_wildcard_mode_a_name_is_covered_even_without_any_settings(context: None) -> None:
    panel = Panel(managed=False)
    panel.claim("x.y.example.org")
    row = panel.row("x.y.example.org")
    assert (row.status, row.connection_id, row.next_try_at) == ("covered", None, None)


def test_the_same_claim_again_asks_for_nothing(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()
    before = panel.row().updated_at
    panel.wait(5)
    panel.claim(NAME)
    assert (panel.row().status, panel.row().updated_at) == ("synced", before)


def test_names_left_out_of_the_next_claim_are_released(panel: Panel) -> None:
    panel.claim(NAME, "b.example.com")
    panel.claim("b.example.com", "c.example.com")
    assert {row.fqdn: row.wanted for row in panel.rows()} == {
        NAME: False,
        "b.example.com": True,
        "c.example.com": True,
    }


def test_a_claim_leaves_the_names_of_others_alone(panel: Panel) -> None:
    panel.claim(NAME)
    panel.claim("b.example.com", proxy=2)
    panel.release(2)
    assert [row.fqdn for row in panel.rows() if row.wanted] == [NAME]


def test_a_name_in_use_is_refused_with_who_holds_it(panel: Panel) -> None:
    panel.claim(NAME)
    with pytest.raises(Busy, match=r"app\.example\.com is in use by the proxy of that name"):
        panel.claim("free.example.com", NAME, proxy=2)
    assert count_rows() == 1, "both or neither"


def test_an_instance_and_a_proxy_with_one_number_are_not_the_same(panel: Panel) -> None:
    panel.claim(NAME)
    instance = Consumer(ConsumerType.INSTANCE, 1)
    with pytest.raises(Busy):
        claims.claim(instance, [Fqdn(NAME)], at=panel.at)
    claims.release(instance, at=panel.at)
    assert panel.row().wanted
    assert str(instance) == "instance 1"


def test_an_instance_that_holds_a_name_is_called_one(panel: Panel) -> None:
    claims.claim(Consumer(ConsumerType.INSTANCE, 1), [Fqdn("xn--bcher-kva.example.com")], at=panel.at)
    with pytest.raises(Busy, match=r"bücher\.example\.com is in use by the instance that answers there"):
        panel.claim("xn--bcher-kva.example.com")


def test_a_released_name_is_free_at_once(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()
    panel.release()
    panel.claim(NAME, proxy=2, ttl=300)
    row = panel.row()
    assert (row.wanted, row.consumer_id, row.override_ttl, row.status) == (True, 2, 300, "pending")
    assert row.provider_record_id == panel.record().id


def test_names_can_change_hands_within_one_change(panel: Panel) -> None:
    panel.claim(NAME)
    panel.claim("b.example.com", proxy=2)
    with transaction():
        panel.release(1)
        panel.claim(NAME, proxy=2)
        panel.claim("b.example.com")
    assert {row.fqdn: row.consumer_id for row in panel.rows() if row.wanted} == {NAME: 2, "b.example.com": 1}


@pytest.mark.parametrize("name", ["app.example.org", "notexample.com", "com"])
def test_a_name_outside_the_zone_is_refused(panel: Panel, name: str) -> None:
    with pytest.raises(InvalidInput, match="is outside the zone") as refusal:
        panel.claim(name)
    assert (refusal.value.field, panel.rows()) == ("name", [])


def test_a_name_belongs_to_the_longest_zone(panel: Panel) -> None:
    panel.account.add_zone("shop.example.com")
    panel.round()
    with pytest.raises(InvalidInput, match="belongs to the zone shop"):
        panel.claim("a.shop.example.com")
    panel.claim("workshop.example.com")


def test_a_zone_under_a_public_suffix_holds_its_names(panel: Panel) -> None:
    zone = panel.account.add_zone("example.co.uk")
    panel.save(zone=zone)
    panel.claim("app.example.co.uk", "example.co.uk")
    panel.round()
    assert set(panel.live(zone)) == {"app.example.co.uk A", "example.co.uk A"}


@pytest.mark.parametrize("spelling", ["home.example.com", "Home.Example.com."])
def test_the_name_that_all_records_point_at_cannot_be_claimed(panel: Panel, spelling: str) -> None:
    panel.save(target=Target(cname=spelling))
    with pytest.raises(InvalidInput, match="cannot point at itself"):
        panel.claim("home.example.com")


def test_a_name_that_has_found_its_zone_moves_there(panel: Panel) -> None:
    """It was left without a record when the zones changed, and fits by now."""
    panel.save(mode=Mode.WILDCARD, zone=None)
    panel.claim("a.shop.example.com")
    panel.account.add_zone("shop.example.com")
    panel.save(mode=Mode.MANAGED, zone=panel.zone)
    panel.round()
    assert panel.row("a.shop.example.com").status == "failed"
    del panel.account.zones["shop.example.com"]
    panel.wait(86500)
    panel.round()
    panel.save()
    panel.round()
    assert panel.row("a.shop.example.com").status == "synced"


def test_a_row_without_a_zone_makes_room_for_one_with_a_zone(panel: Panel) -> None:
    with transaction() as session:
        row = DnsRecord(fqdn=NAME, type=RecordType.A, consumer_type=ConsumerType.STANDALONE, consumer_id=1,
                        status=Status.FAILED, created_at=panel.at, updated_at=panel.at)  # fmt: skip
        session.add(row)
    panel.claim(NAME)
    assert panel.row().connection_id == panel.connection.id


def test_the_database_has_the_last_word_on_who_holds_a_name(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes may both have found it free."""
    panel.claim(NAME)
    monkeypatch.setattr(claims, "check_free", lambda *_: None)
    monkeypatch.setattr(claims, "_row_for", lambda *_: None)
    with pytest.raises(Busy, match="a moment ago") as refusal:
        panel.claim("free.example.com", NAME, proxy=2)
    assert isinstance(refusal.value.__cause__, IntegrityError)
    assert count_rows() == 1


def test_claims_are_found_by_consumer_and_by_name(panel: Panel) -> None:
    panel.claim("b.example.com", NAME)
    panel.claim("c.example.com", proxy=2)
    with transaction() as session:
        assert [r.fqdn for r in ledger.by_consumer(session, standalone(1))] == [NAME, "b.example.com"]
        found = ledger.statuses(session, ConsumerType.STANDALONE, [1, 2, 3])
        assert {consumer: len(rows) for consumer, rows in found.items()} == {1: 2, 2: 1}
        assert [r.consumer_id for r in ledger.by_fqdn(session, ["c.example.com", "nowhere.example.com"])] == [
            2
        ]
        with pytest.raises(NotFound):
            ledger.record(session, 4711)


def test_overrides_are_told_back(panel: Panel) -> None:
    panel.claim(NAME, proxied=True, ttl=120)
    assert panel.row().overrides == Overrides(proxied=True, ttl=120)
