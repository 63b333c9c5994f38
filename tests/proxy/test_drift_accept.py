"""Accept: what somebody made of a host over there becomes what is wanted, where the panel can keep it."""

import pytest

from tests.proxy.publish_world import CHECK_EVERY, wish
from webapp.db import reading
from webapp.dns import claims, ledger
from webapp.dns.ledger import Consumer
from webapp.dns.models import ConsumerType
from webapp.errors import Busy, InvalidInput, NotFound, Stale
from webapp.proxy import drift
from webapp.proxy.models import HostStatus


@pytest.fixture
def host(panel, npm):
    """One host that is up; its id there."""
    panel.create()
    panel.run()
    return npm.hosts()[0]["id"]


def drifted(panel, npm, host, **edit):
    """Somebody edits, and the panel notices."""
    npm.edit_by_hand(host, **edit)
    return look(panel)


def look(panel):
    panel.run(seconds=CHECK_EVERY.total_seconds() + 1)
    return panel.row()


def claimed():
    with reading() as session:
        return {row.fqdn for row in ledger.wanted(session)}


def test_theirs_becomes_ours_without_a_write(panel, npm, host):
    row = drifted(panel, npm, host, forward_scheme="https", forward_host="nas.lan", forward_port=443)
    there, writes = dict(npm.hosts()[0]), npm.writes
    drift.accept(1, shown=drift.stamp(row.seen), at=panel.now)
    panel.run()
    row = panel.row()
    assert (row.status, row.forward_scheme, row.forward_host, row.forward_port) == (
        HostStatus.ONLINE, "https", "nas.lan", 443,
    )  # fmt: skip
    assert (npm.hosts(), npm.writes) == ([there], writes)
    assert look(panel).status is HostStatus.ONLINE


def test_a_certificate_of_theirs_with_its_flags_is_kept(panel, npm, host):
    number = npm.add_certificate("mine", ["app.example.com"], npm.now())
    row = drifted(panel, npm, host, certificate_id=number, ssl_forced=True, hsts_enabled=True)
    assert f"Certificate: none → {number} (mine)." in row.error
    drift.accept(1, at=panel.now)
    panel.run()
    row = panel.row()
    assert (row.certificate_id, row.ssl_forced, row.hsts_enabled) == (number, True, True)


def test_off_is_kept(panel, npm, host):
    npm.switch_by_hand(host, on=False)
    look(panel)
    drift.accept(1, at=panel.now)
    panel.run()
    assert (panel.row().enabled, panel.row().status) == (False, HostStatus.OFF)


def test_a_lost_mark_is_put_back_and_nothing_else(panel, npm, host):
    row = drifted(panel, npm, host, meta={"theirs": 1}, forward_port=1)
    assert row.status is HostStatus.DRIFTED
    before = dict(npm.hosts()[0])
    drift.accept(1, at=panel.now)
    panel.run()
    (after,) = panel.ours()
    assert panel.row().status is HostStatus.ONLINE
    assert after["meta"]["theirs"] == 1
    same = set(before) - {"meta", "modified_on"}
    assert {key: after[key] for key in same} == {key: before[key] for key in same}


def test_a_new_name_takes_its_claim_along(panel, npm, host):
    drifted(panel, npm, host, domain_names=["new.example.com"])
    drift.accept(1, at=panel.now)
    panel.run()
    assert (panel.row().fqdn, panel.row().status) == ("new.example.com", HostStatus.ONLINE)
    assert claimed() == {"new.example.com"}


def test_a_new_name_that_another_proxy_wants_is_refused(panel, npm, host):
    drifted(panel, npm, host, domain_names=["b.example.com"])
    panel.create("b.example.com")
    with pytest.raises(Busy, match=r"b\.example\.com is in use by the proxy of that name"):
        drift.accept(1, at=panel.now)
    assert panel.row().fqdn == "app.example.com"


def test_a_new_name_whose_record_an_instance_holds_is_refused(panel, npm, host):
    drifted(panel, npm, host, domain_names=["b.example.com"])
    claims.claim(Consumer(ConsumerType.INSTANCE, 5), [wish("b.example.com").fqdn], at=panel.now)
    with pytest.raises(Busy, match="the instance that answers there"):
        drift.accept(1, at=panel.now)
    assert (panel.row().fqdn, claimed()) == ("app.example.com", {"app.example.com", "b.example.com"})


def test_a_deletion_is_kept(panel, npm, host):
    npm.delete_by_hand(host)
    look(panel)
    drift.accept(1, at=panel.now)
    panel.run()
    assert (panel.rows(), npm.hosts(), claimed()) == ([], [], set())


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        ({"domain_names": ["a.example.com", "b.example.com"]}, "It has 2 names"),
        ({"domain_names": ["under_score.example.com"]}, "cannot be kept here: .*underscore"),
        ({"forward_host": "10.0.0.5/base"}, "The host to forward to cannot be kept here"),
        ({"forward_host": "NAS.lan"}, "is written NAS.lan there; here it would be nas.lan"),
        ({"certificate_id": 9}, "Its certificate 9 is not there any more"),
    ],
)
def test_what_the_panel_cannot_keep_is_refused_with_the_reason(panel, npm, host, edit, reason):
    row = drifted(panel, npm, host, **edit)
    with pytest.raises(Busy, match=reason):
        drift.accept(1, at=panel.now)
    assert panel.row().version == row.version
    with reading() as session:
        assert drift.answers(session, [panel.row()])[1]["why_not"]


def test_a_new_name_that_the_zone_cannot_hold_is_refused(panel, npm, host, monkeypatch):
    drifted(panel, npm, host, domain_names=["app.example.org"])
    problem = InvalidInput("app.example.org is outside the zone example.com.")
    monkeypatch.setattr(claims, "check_zone", lambda *_: (_ for _ in ()).throw(problem))
    with pytest.raises(Busy, match="outside the zone"):
        drift.accept(1, at=panel.now)
    assert (panel.row().fqdn, panel.row().status) == ("app.example.com", HostStatus.DRIFTED)


def test_what_changed_since_it_was_shown_is_refused(panel, npm, host):
    shown = drift.stamp(drifted(panel, npm, host, forward_port=1).seen)
    drifted(panel, npm, host, forward_port=2)
    for answer in (drift.accept, drift.restore):
        with pytest.raises(Stale, match="changed again since"):
            answer(1, shown=shown, at=panel.now)


def test_what_changed_since_it_was_accepted_is_shown_anew(panel, npm, host):
    drifted(panel, npm, host, forward_port=1)
    drift.accept(1, at=panel.now)
    npm.edit_by_hand(host, forward_port=2)
    panel.run()
    row = panel.row()
    assert (row.status, row.forward_port, npm.hosts()[0]["forward_port"]) == (HostStatus.DRIFTED, 1, 2)


@pytest.mark.parametrize("answer", [drift.accept, drift.restore])
def test_only_what_is_astray_can_be_answered(panel, npm, host, answer):
    with pytest.raises(Busy, match="not waiting for such an answer"):
        answer(1, at=panel.now)
    for unknown in (2, 2**40):
        with pytest.raises(NotFound):
            answer(unknown, at=panel.now)
