"""What people can wish for: checked at once, written down, and acted on by the worker."""

from datetime import timedelta

import pytest

from webapp.db import reading, transaction
from webapp.errors import Busy, InvalidInput, NotFound
from webapp.proxy.certificates import service
from webapp.proxy.certificates.models import CertificateRequest, Challenge, Holder, Phase
from webapp.proxy.certificates.service import CertificateWish
from webapp.proxy.service import npm_settings

WILDCARD = "*.example.com"


def known(panel, *names, days=80, provider="letsencrypt", **more):
    """What was last read at NPM."""
    until = (panel.now + timedelta(days=days)).isoformat() if days is not None else None
    with transaction() as session:
        npm_settings(session).certificates = [
            {"id": 7, "name": "a", "domains": list(names), "provider": provider, "expires_on": until} | more
        ]


def change(panel, number=1, **fields):
    with transaction() as session:
        row = session.get_one(CertificateRequest, number)
        for name, value in fields.items():
            setattr(row, name, value)


def count():
    with reading() as session:
        return session.query(CertificateRequest).count()


def test_names_are_kept_sorted_and_once(panel):
    panel.ask("b.example.com", "a.example.com", "b.example.com")
    assert panel.request().names == ["a.example.com", "b.example.com"]
    assert (panel.request().phase, panel.request().next_try_at) == (Phase.WAITING, panel.now)


@pytest.mark.parametrize("number", [0, 101])
def test_a_certificate_holds_1_to_100_names(panel, number):
    wish = CertificateWish(tuple(f"n{i}.example.com" for i in range(number)), Challenge.HTTP)
    with pytest.raises(InvalidInput, match="1 to 100 names"):
        service.ask(wish, at=panel.now)


def test_a_wildcard_cannot_be_proven_over_http(panel):
    with pytest.raises(InvalidInput, match="DNS challenge only"):
        panel.ask(WILDCARD)


def test_a_dns_challenge_needs_the_zone_of_every_name(panel):
    with pytest.raises(InvalidInput, match="Connect a zone"):
        panel.ask(challenge=Challenge.DNS)
    panel.zone()
    with pytest.raises(InvalidInput, match="outside the zone"):
        panel.ask("app.example.com", "app.example.net", challenge=Challenge.DNS)


def test_the_same_names_are_asked_for_once(panel):
    panel.ask()
    with pytest.raises(Busy, match="being asked for already"):
        panel.ask()
    panel.ask("other.example.com")


def test_a_certificate_that_is_there_is_not_asked_for_again(panel):
    known(panel, "app.example.com")
    with pytest.raises(Busy, match="Renew it instead"):
        panel.ask()


@pytest.mark.parametrize("odd", [{"days": 20}, {"days": None}, {"provider": "other"}, {"made": False}])
def test_one_that_does_not_last_is_no_reason_to_refuse(panel, odd):
    known(panel, "app.example.com", **odd)
    assert panel.ask()


def test_one_that_is_there_is_put_to_use(panel):
    known(panel, "app.example.com")
    panel.ask(proxy=panel.create())
    assert (panel.request().phase, panel.request().certificate_id) == (Phase.ATTACHING, 7)


def test_a_holder_has_one_open_request(panel):
    row = panel.create()
    panel.ask(proxy=row)
    panel.zone().ask(WILDCARD, challenge=Challenge.DNS, proxy=row)
    assert (count(), panel.request(2).names) == (1, [WILDCARD])


def test_two_names_are_said_as_one_and_more():
    assert service.said(["a.example.com", "b.example.com", "c.example.com"]) == "a.example.com and 2 more"


def test_only_what_lets_encrypt_made_can_be_renewed(panel):
    with pytest.raises(NotFound):
        service.renew(7, at=panel.now)
    known(panel, "app.example.com", provider="other")
    with pytest.raises(InvalidInput, match="Upload a new one"):
        service.renew(7, at=panel.now)
    known(panel, WILDCARD, dns=True)
    row = service.renew(7, at=panel.now)
    assert (row.phase, row.renews, row.challenge) == (Phase.REQUESTING, 7, Challenge.DNS)
    with pytest.raises(Busy):
        service.renew(7, at=panel.now)


def test_trying_again_starts_from_the_first_try(panel):
    panel.ask()
    change(panel, phase=Phase.FAILED, attempts=5, next_try_at=None)
    row = service.retry(1, at=panel.now)
    assert (row.phase, row.attempts, row.next_try_at) == (Phase.WAITING, 0, panel.now)
    change(panel, phase=Phase.REQUESTING)
    assert service.retry(1, at=panel.now).phase is Phase.REQUESTING


def test_trying_again_keeps_to_lets_encrypts_limit(panel):
    panel.ask()
    times = [(panel.now - timedelta(minutes=m)).isoformat() for m in (50, 40, 30, 20, 10)]
    change(panel, phase=Phase.FAILED, failures=times)
    with pytest.raises(Busy, match=r"Try again after 12:10 UTC"):
        service.retry(1, at=panel.now)
    assert service.retry(1, at=panel.now + timedelta(minutes=11)).phase is Phase.WAITING


def test_what_is_done_cannot_be_tried_again(panel):
    panel.ask()
    change(panel, phase=Phase.DONE)
    with pytest.raises(Busy, match="there already"):
        service.retry(1, at=panel.now)


def test_a_request_is_forgotten(panel):
    panel.ask()
    service.forget(1)
    assert count() == 0
    for number in (1, 2**40):
        with pytest.raises(NotFound):
            service.forget(number)


def test_one_that_is_under_way_is_dropped_and_goes_later(panel):
    panel.ask()
    change(panel, phase=Phase.REQUESTING, asked_at=panel.now)
    service.forget(1)
    with reading() as session:
        assert (service.requests(session), len(service.open_requests(session))) == ([], 1)
    with pytest.raises(NotFound):
        service.retry(1, at=panel.now)


def test_requests_are_found_by_their_holder(panel):
    first, second = panel.create("a.example.com"), panel.create("b.example.com")
    panel.ask("a.example.com", proxy=first)
    panel.ask("b.example.com", proxy=second)
    change(panel, 2, phase=Phase.DONE)
    with reading() as session:
        assert set(service.of_holders(session, Holder.PROXY, [first, second])) == {first}
        assert service.certificates(session) == []
        assert [row.id for row in service.requests(session)] == [2, 1]


def test_without_settings_there_are_no_certificates(context):
    with reading() as session:
        assert service.certificates(session) == []
