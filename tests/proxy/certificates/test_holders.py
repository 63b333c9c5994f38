"""Proxies and people change their minds while a certificate is got: only what is still wanted comes about."""

from datetime import timedelta

from tests.proxy.certificates.certificates_world import CertificatePanel
from webapp.db import reading, transaction
from webapp.proxy import service as proxies
from webapp.proxy.certificates import service
from webapp.proxy.certificates.desk import Desk
from webapp.proxy.certificates.models import CertificateRequest, Holder, Phase
from webapp.proxy.models import HostStatus, ProxyHost


def count():
    with reading() as session:
        return session.query(CertificateRequest).count()


def test_a_request_goes_with_its_proxy(panel):
    row = panel.create()
    panel.run()
    panel.unseen.add("app.example.com")
    panel.ask(proxy=row)
    panel.certify()
    proxies.remove(row, at=panel.now)
    panel.certify()
    assert count() == 0


def test_what_was_forgotten_under_way_is_mended_and_goes(panel, npm):
    row = panel.create()
    panel.run()
    panel.ask(proxy=row)
    panel.certify()
    with transaction() as session:
        asked = session.get_one(CertificateRequest, 1)
        asked.asked_at, asked.disturbed = panel.now, True
    service.forget(1)
    npm.nginx.loaded.clear()
    panel.certify(2)
    assert (count(), npm.served(), panel.row().certificate_id) == (0, {"app.example.com"}, 0)


def test_a_name_that_changed_meanwhile_is_not_certified(panel):
    row = panel.create()
    panel.run()
    panel.unseen.add("app.example.com")
    panel.ask(proxy=row)
    panel.certify()
    panel.update(row, "news.example.com")
    panel.certify(seconds=20)
    assert (panel.request().phase, "news.example.com" in panel.request().error) == (Phase.FAILED, True)


def test_a_choice_made_meanwhile_stays(panel, npm):
    """The proxy goes while its certificate is put to use: nothing is left to do."""
    row = panel.create()
    panel.run()
    panel.ask(proxy=row)
    panel.certify()
    panel.certify()
    assert panel.request().phase is Phase.ATTACHING
    proxies.remove(row, at=panel.now)
    panel.certify(seconds=2)
    assert count() == 0


def test_two_processes_do_not_switch_a_host_twice(panel, npm):
    row = panel.create()
    panel.run()
    panel.ask(proxy=row)
    other = CertificatePanel(npm, "other")
    for _ in range(6):
        panel.certify(seconds=1).run()
        other.now = panel.now
        other.certify()
    assert (panel.request().phase, len(panel.asked()), npm.hosts()[0]["certificate_id"]) == (Phase.DONE, 1, 1)
    assert Holder.PROXY is panel.request().holder


def test_what_goes_between_two_looks_is_no_fault(panel):
    """Another lane deletes the proxy, a person the request, while this lane is about to turn to it."""
    row = panel.create()
    panel.run()
    panel.ask(proxy=row)
    panel.certify(2)
    desk = Desk(panel.visible, lambda: panel.now)
    with transaction() as session:
        session.delete(session.get_one(ProxyHost, row))
    desk.go_on(1)
    assert panel.request().phase is Phase.ATTACHING
    service.forget(1)
    panel.certifier._go_on(1, desk)
    assert count() == 0


def test_a_certificate_that_is_in_use_already_is_not_put_to_use_again(panel, npm):
    npm.add_certificate("w", ["app.example.com"], npm.now() + timedelta(days=80))
    row = panel.create(certificate_id=1, ssl_forced=True)
    panel.run()
    version = panel.row().version
    panel.ask(proxy=row, ssl_forced=True)
    panel.settle(4)
    assert (panel.request().phase, panel.row().version) == (Phase.DONE, version)


def test_one_that_came_about_meanwhile_is_used(panel, npm):
    row = panel.create()
    panel.run()
    panel.ask(proxy=row)
    panel.certify()
    npm.add_certificate("by hand", ["app.example.com"], npm.now() + timedelta(days=80))
    panel.settle(4)
    assert (panel.request().phase, panel.asked(), panel.row().certificate_id) == (Phase.DONE, [], 1)


def test_a_certificate_is_not_put_to_use_under_another_name(panel, npm):
    """Ids of proxies come again, and names change: only a host of its names gets the certificate."""
    row = panel.create()
    panel.run()
    panel.ask(proxy=row)
    panel.certify(2)
    panel.update(row, "news.example.com")
    panel.settle(3)
    assert (panel.request().phase, npm.hosts()[0]["certificate_id"]) == (Phase.FAILED, 0)
    assert "The name is news.example.com by now" in panel.request().error


def test_what_is_forgotten_at_the_last_moment_is_not_asked_for(panel, npm):
    panel.ask()
    panel.certify()
    errand = panel.certifier._errand(1, lambda: None)
    look = errand._token

    def forget(row):
        service.forget(1)
        return look(row)

    errand._token = forget
    errand.go_on()
    assert (panel.asked(), count()) == ([], 0)


def test_a_host_that_somebody_changed_waits_for_a_word_about_that(panel, npm):
    row = panel.create()
    panel.run()
    panel.ask(proxy=row)
    panel.certify(2)
    npm.edit_by_hand(1, forward_port=99)
    panel.run(minutes=20).settle(3)
    assert (panel.row().status, panel.request().phase) == (HostStatus.DRIFTED, Phase.ATTACHING)
    assert "Say first what holds" in panel.request().error
    proxies.retry(row, at=panel.now)
    panel.run().certify(seconds=20).settle(4)
    assert (panel.request().phase, panel.row().certificate_id, npm.hosts()[0]["forward_port"]) == (
        Phase.DONE,
        1,
        8080,
    )
