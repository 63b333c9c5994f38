"""Standalone proxies as wishes: names that are free, changes that change nothing, two at once."""

from threading import Barrier, Thread

import pytest

from tests.proxy.publish_world import START, wish
from webapp.db import db, reading, transaction, work_committed
from webapp.dns import claims, ledger
from webapp.dns.ledger import Consumer
from webapp.dns.models import ConsumerType
from webapp.dns.names import Fqdn
from webapp.errors import Busy, InvalidInput, NotFound, Stale
from webapp.proxy import listing, service
from webapp.proxy.models import HostStatus, ProxyHost

pytestmark = pytest.mark.usefixtures("context")


def create(name="app.example.com", **fields):
    return service.create(wish(name, **fields), at=START)


def names():
    with reading() as session:
        return [row.fqdn for row in ledger.wanted(session)]


def hosts():
    with reading() as session:
        return [(row.fqdn, row.forward_port) for row in listing.matching(session)]


def seen(*facts):
    """The hosts that Nginx Proxy Manager had at the last look."""
    with transaction() as session:
        settings = service.npm_settings(session)
        settings.hosts, settings.read_at = list(facts), START


def by_hand(name, install=None):
    return {"id": 4, "domains": [name], "forward": "http://10.0.0.9:80", "install": install}


def test_a_new_proxy_claims_its_name_and_wakes_the_worker():
    rings = work_committed.rings
    host = create()
    assert (host.status, host.next_try_at, host.version) == (HostStatus.PENDING, START, 1)
    assert names() == ["app.example.com"]
    assert work_committed.rings > rings


def test_without_dns_no_name_is_claimed():
    create(use_dns=False)
    assert names() == []


def test_dns_can_be_given_up_and_taken_again():
    create()
    service.update(1, wish(use_dns=False), at=START)
    assert names() == []
    service.update(1, wish(), at=START)
    assert names() == ["app.example.com"]


def test_a_name_in_use_by_us_is_refused_with_its_holder():
    create()
    with pytest.raises(Busy, match="in use by the proxy of that name"):
        create(forward_port=1)
    assert hosts() == [("app.example.com", 8080)]


def test_a_name_claimed_by_something_else_leaves_no_proxy_behind():
    claims.claim(Consumer(ConsumerType.INSTANCE, 7), [Fqdn("app.example.com")], at=START)
    with pytest.raises(Busy, match="in use by the instance that answers there"):
        create()
    assert hosts() == []


def test_a_name_of_a_host_made_by_hand_is_refused_with_its_holder():
    seen(by_hand("app.example.com"))
    with pytest.raises(Busy, match=r"host 4 in Nginx Proxy Manager.*forwards to http://10.0.0.9:80"):
        create()
    assert (hosts(), names()) == ([], [])


def test_after_such_a_refusal_the_list_is_read_again_soon():
    seen(by_hand("app.example.com"))
    rings = work_committed.rings
    with pytest.raises(Busy):
        create()
    with reading() as session:
        assert service.npm_settings(session).read_at == service.LONG_AGO
    assert work_committed.rings > rings


def test_a_host_of_ours_that_is_still_there_does_not_hold_its_name():
    with transaction() as session:
        install = ledger.settings(session).install_id
    seen(by_hand("app.example.com", install))
    create()
    assert hosts() == [("app.example.com", 8080)]


def test_a_host_of_another_installation_holds_its_name():
    seen(by_hand("app.example.com", "somebody else"))
    with pytest.raises(Busy):
        create()


def test_a_rename_moves_the_claim():
    create()
    service.update(1, wish("new.example.com"), at=START)
    assert (names(), hosts()) == (["new.example.com"], [("new.example.com", 8080)])


def test_a_rename_to_a_name_in_use_changes_nothing():
    create("a.example.com")
    create("b.example.com")
    with pytest.raises(Busy, match="in use by the proxy of that name"):
        service.update(2, wish("a.example.com", forward_port=9), at=START)
    assert hosts() == [("a.example.com", 8080), ("b.example.com", 8080)]
    assert names() == ["a.example.com", "b.example.com"]


def test_a_wish_that_changes_nothing_is_no_work():
    create()
    with transaction() as session:
        service.get(session, 1).settle(HostStatus.ONLINE, START)
    rings = work_committed.rings
    host = service.update(1, wish(), at=START)
    assert (host.status, host.version) == (HostStatus.ONLINE, 1)
    assert work_committed.rings == rings
    service.switch(1, enabled=True, at=START)
    assert work_committed.rings == rings


def test_a_stale_page_is_refused():
    create()
    service.update(1, wish(forward_port=1), version=1, at=START)
    with pytest.raises(Stale, match="changed in the meantime"):
        service.update(1, wish(forward_port=2), version=1, at=START)
    assert hosts() == [("app.example.com", 1)]


def test_a_removed_name_is_free_at_once():
    create()
    service.remove(1, at=START)
    assert names() == []
    create(forward_port=5)
    assert hosts() == [("app.example.com", 8080), ("app.example.com", 5)]


@pytest.mark.parametrize("proxy_id", [1, 0, 2**31, 10**30])
def test_what_is_not_there_cannot_be_changed(proxy_id):
    for act in (service.remove, service.retry):
        with pytest.raises(NotFound):
            act(proxy_id, at=START)
    with pytest.raises(NotFound):
        service.switch(proxy_id, enabled=False, at=START)
    with pytest.raises(NotFound):
        service.update(proxy_id, wish(), at=START)


def test_what_is_being_removed_can_only_be_tried_again():
    create()
    service.remove(1, at=START)
    with pytest.raises(NotFound, match="being removed"):
        service.remove(1, at=START)
    assert service.retry(1, at=START).removing


def test_a_host_of_an_instance_is_no_standalone_proxy():
    with transaction() as session:
        row = ProxyHost(
            fqdn="i.example.com", consumer_type=ConsumerType.INSTANCE, consumer_id=9, forward_host="c",
            forward_port=1, created_at=START, updated_at=START,
        )  # fmt: skip
        session.add(row)
        session.flush()
        assert row.consumer == Consumer(ConsumerType.INSTANCE, 9)
    assert hosts() == []
    with pytest.raises(NotFound):
        service.retry(1, at=START)
    with pytest.raises(Busy, match="in use by the instance that answers there"):
        create("i.example.com")


def test_a_name_outside_the_zone_is_refused(monkeypatch):
    def outside(*_args, **_kwargs):
        raise InvalidInput("outside", "name")

    monkeypatch.setattr(claims, "claim", outside)
    with pytest.raises(InvalidInput):
        create()
    assert hosts() == []


@pytest.mark.parametrize(
    ("text", "found"),
    [("APP", 1), ("10.0", 2), ("_", 0), ("%", 0), ("\\", 0), ("", 2), ("b.ex", 1)],
)
def test_the_list_is_searched_by_name_and_target(text, found):
    create("app.example.com")
    create("b.example.com")
    with reading() as session:
        assert len(listing.matching(session, text)) == found


def test_the_list_is_filtered_by_status():
    create("a.example.com")
    create("b.example.com")
    with transaction() as session:
        service.get(session, 1).settle(HostStatus.ONLINE, START)
    with reading() as session:
        assert [h.id for h in listing.matching(session, status="online")] == [1]
        assert len(listing.matching(session, status="nonsense")) == 2
        assert service.unsettled(session) == 1


def test_two_at_once_with_one_name_make_one_proxy(app):
    start, outcomes = Barrier(2), []

    def make():
        with app.app_context():
            start.wait()
            try:
                outcomes.append(create().fqdn)
            except Busy as error:
                outcomes.append(error.message)
            db.session.remove()

    threads = [Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[0] == "app.example.com"
    assert any(words in sorted(outcomes)[1] for words in ("in use by", "taken by"))  # who saw it first
    assert hosts() == [("app.example.com", 8080)]


def test_a_name_taken_behind_our_back_is_refused_by_the_database(monkeypatch):
    create()
    monkeypatch.setattr(service, "check_free", lambda *_: None)
    with pytest.raises(Busy, match="taken by another proxy a moment ago"):
        create(forward_port=2)
    assert hosts() == [("app.example.com", 8080)]
