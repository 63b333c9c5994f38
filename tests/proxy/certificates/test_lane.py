"""The certificates' lane among others: hosts go first, one process at a time, nothing is left behind."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from webapp.db import reading, transaction
from webapp.dns.models import ConsumerType, DnsRecord, Status
from webapp.dns.records import RecordType
from webapp.lease import Held, leased
from webapp.proxy.certificates import certifier
from webapp.proxy.certificates.certifier import at_most
from webapp.proxy.certificates.desk import holds, pause
from webapp.proxy.certificates.errand import Errand
from webapp.proxy.certificates.models import CertificateRequest, Phase


def count():
    with reading() as session:
        return session.query(CertificateRequest).count()


def test_hosts_go_before_certificates(panel):
    panel.ask()
    panel.certify()
    panel.create("other.example.com")
    panel.certify(3)
    assert panel.asked() == []
    panel.run().certify()
    assert len(panel.asked()) == 1


def test_another_process_at_npm_is_waited_for(panel):
    panel.ask()
    with leased("nginx proxy manager", "another", lambda: panel.now):
        panel.certify(3)
        assert panel.asked() == []
    panel.certify()
    assert len(panel.asked()) == 1


def test_a_process_that_stops_begins_nothing(panel):
    panel.ask()
    panel.certifier.stopping = lambda: True
    panel.certify(3)
    assert panel.request().phase is Phase.WAITING


def test_hosts_pass_while_a_certificate_takes_long(panel, npm, monkeypatch):
    """The lease is let go, hosts are served, and what is left to do is done after the answer."""
    panel.ask(proxy=panel.create())
    panel.run().certify()
    monkeypatch.setattr(certifier, "HOLD", 0.05)
    call = Errand._call

    def slow(errand, row, token):
        threading.Event().wait(0.3)
        panel.create("meanwhile.example.com")
        panel.run()
        assert "meanwhile.example.com" in npm.served()
        return call(errand, row, token)

    monkeypatch.setattr(Errand, "_call", slow)
    panel.certify()
    assert (panel.request().phase, panel.request().disturbed) == (Phase.ATTACHING, True)
    panel.settle(4)
    assert (panel.request().phase, len(panel.asked())) == (Phase.DONE, 1)
    assert npm.served() == {"app.example.com", "meanwhile.example.com"}


@pytest.mark.parametrize(("seconds", "kept"), [(5.0, True), (0.01, False)])
def test_a_lease_is_held_for_a_while_only(context, seconds, kept):
    with leased("a", "me") as held, at_most(seconds, held):
        threading.Event().wait(0.1)
        assert held.lost is not kept


def test_a_database_that_is_away_keeps_the_lease(context, monkeypatch, caplog):
    def away(_held):
        raise OperationalError("x", {}, Exception("locked"))

    monkeypatch.setattr(Held, "let_go", away)
    with leased("a", "me") as held:
        with at_most(0.01, held):
            threading.Event().wait(0.1)
        held()
    assert "the lease could not be let go" in caplog.text


def test_our_own_record_is_waited_for_without_a_question(panel):
    with transaction() as session:
        session.add(
            DnsRecord(
                fqdn="app.example.com", type=RecordType.A, consumer_type=ConsumerType.STANDALONE, consumer_id=1,
                status=Status.PENDING, created_at=panel.now, updated_at=panel.now,
            )
        )  # fmt: skip
    panel.ask()
    panel.certify(2)
    assert panel.request().error == "The record of app.example.com is not there yet: pending."


def test_what_was_fulfilled_is_shown_for_a_week(panel):
    panel.ask()
    panel.settle()
    panel.certify(days=6)
    assert count() == 1
    panel.certify(days=2)
    assert count() == 0


def test_a_record_is_looked_for_ever_more_seldom():
    ages = [timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)]
    assert [pause(age).total_seconds() for age in ages] == [2, 10, 60, 600]


@pytest.mark.parametrize(
    ("name", "good"),
    [("a.example.com", True), ("a.b.example.com", False), ("example.com", False), ("x.net", True)],
)
def test_a_star_is_one_label(name, good):
    assert holds(["*.example.com", "x.net"], name) is good
