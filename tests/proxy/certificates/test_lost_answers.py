"""No answer comes, or the process dies: what became of the request is read from the list, never asked for twice."""

from datetime import timedelta

import pytest

from tests.proxy.certificates.certificates_world import CertificatePanel
from tests.proxy.test_publish_crashes import Crash, dying_at
from webapp.proxy.certificates import service
from webapp.proxy.certificates.models import Phase
from webapp.proxy.models import HostStatus
from webapp.proxy.npm_transport import Transport
from webapp.sandbox.server import Failure, Reply


def is_issue(request):
    return request.method == "POST" and request.path.startswith("/api/nginx/certificates")


@pytest.mark.parametrize("failure", [Failure.RESET_AFTER, Failure.TRUNCATE, Failure.ANSWER_AFTER])
def test_a_certificate_whose_answer_is_lost_is_found_again(panel, npm, failure):
    row = panel.create()
    panel.run()
    page = Reply(502, "<html>502 Bad Gateway</html>")
    npm.fail(failure, matches=is_issue, reply=page)
    panel.ask(proxy=row)
    panel.settle(4).certify(seconds=20).settle(4)
    assert (panel.request().phase, len(panel.asked()), npm.certbot.runs) == (Phase.DONE, 1, 1)
    assert (npm.host_for("app.example.com")["certificate_id"], npm.served()) == (1, {"app.example.com"})


@pytest.mark.parametrize("failure", [Failure.RESET_BEFORE, Failure.ANSWER])
def test_a_request_that_got_lost_is_made_again_later(panel, npm, failure):
    npm.fail(failure, matches=is_issue, reply=Reply(502, "<html>502 Bad Gateway</html>"))
    panel.ask()
    panel.settle(4).certify(seconds=20)
    assert (panel.request().phase, panel.request().attempts, npm.certbot.runs) == (Phase.WAITING, 1, 0)
    panel.certify(minutes=5).settle()
    assert (panel.request().phase, npm.certbot.runs) == (Phase.DONE, 1)


def test_npm_that_goes_down_over_it_leaves_a_row_that_is_never_used(panel, npm):
    row = panel.create()
    panel.run()
    npm.certbot.dies = True
    npm.fail(Failure.RESET_AFTER, matches=is_issue)
    panel.ask(proxy=row)
    panel.settle(3).certify(seconds=20)
    assert ("app.example.com" in npm.served(), 1 in npm.nginx.loaded) == (True, False)
    assert "may still be at it" in panel.request().error
    npm.certbot.dies = False
    panel.certify(minutes=4)
    assert npm.nginx.loaded[1].domains == ("app.example.com",)  # the host does not wait for the end of it
    panel.certify(2, minutes=8)
    assert (panel.request().phase, panel.request().attempts) == (Phase.WAITING, 1)
    assert "Delete certificate 1 there: it is unfinished." in panel.request().error
    panel.certify(minutes=5).settle()
    assert (panel.request().phase, npm.host_for("app.example.com")["certificate_id"]) == (Phase.DONE, 2)


def test_npm_that_cannot_be_reached_costs_no_try(panel, npm):
    panel.ask()
    panel.certify()
    npm.stop()
    panel.settle(3)
    assert (panel.request().phase, panel.request().attempts) == (Phase.REQUESTING, 0)
    assert "cannot be reached" in panel.request().error
    npm.start()
    panel.certify(minutes=2).settle()
    assert panel.request().phase is Phase.DONE


def test_hosts_that_could_not_be_mended_are_mended_later_and_no_try_comes_sooner_for_it(panel, npm):
    row = panel.create()
    panel.run()
    npm.certbot.says = "Some challenges have failed."
    npm.fail(Failure.ANSWER, matches=lambda r: r.method == "PUT", times=1)
    panel.ask(proxy=row)
    panel.certify(2, seconds=1)
    row = panel.request()
    assert (row.disturbed, row.attempts, row.next_try_at > panel.now + timedelta(minutes=4)) == (
        True,
        1,
        True,
    )
    panel.certify(minutes=2)
    assert (panel.request().disturbed, panel.request().next_try_at) == (False, row.next_try_at)
    assert npm.nginx.loaded[1].domains == ("app.example.com",)


def test_a_renewal_whose_answer_is_lost_is_found_by_its_new_date(panel, npm):
    npm.add_certificate("app.example.com", ["app.example.com"], npm.now() + timedelta(days=10))
    panel.run()
    service.renew(1, at=panel.now)
    npm.fail(Failure.RESET_AFTER, matches=is_issue)
    panel.settle(3).certify(seconds=20).settle(2)
    assert (panel.request().phase, npm.certbot.runs) == (Phase.DONE, 1)


def test_a_renewal_that_got_lost_is_given_up_and_made_again(panel, npm):
    npm.add_certificate("app.example.com", ["app.example.com"], npm.now() + timedelta(days=10))
    panel.run()
    service.renew(1, at=panel.now)
    npm.fail(Failure.RESET_BEFORE, matches=is_issue)
    panel.settle(3).certify(2, minutes=11)
    assert (panel.request().attempts, npm.certbot.runs) == (1, 0)
    panel.certify(2, minutes=6).settle(3)
    assert (panel.request().phase, npm.certbot.runs) == (Phase.DONE, 1)


@pytest.mark.matrix
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_call_ends_with_one_certificate_in_use(panel, npm, monkeypatch, after):
    panel.run()
    for crash_at in range(1, 40):
        name = f"n{crash_at}.example.com"
        row = panel.create(name)
        panel.run()
        request = panel.ask(name, proxy=row, ssl_forced=True)
        with monkeypatch.context() as patch:
            patch.setattr(Transport, "send", dying_at(crash_at, after=after))
            survived = survives(panel)
        panel = restarted(panel, npm, crash_at)
        assert (panel.request(request).phase, panel.row(row).status) == (Phase.DONE, HostStatus.ONLINE)
        made = [c["id"] for c in npm.certificates.rows.values() if c["domain_names"] == [name]]
        assert (len(made), npm.host_for(name)["certificate_id"]) == (1, made[0])
        assert name in npm.served()
        if survived:
            break
    assert 5 < crash_at < 39


def survives(panel):
    try:
        panel.settle(5)
    except Crash:
        return False
    return True


def restarted(panel, npm, number):
    """Another process, some minutes later."""
    other = CertificatePanel(npm, holder=f"after {number}")
    other.now = panel.now
    return other.certify(minutes=3).settle(4).certify(minutes=6).settle(6)


@pytest.mark.parametrize(
    ("answer", "phase", "says"),
    [
        (Reply(502, "<html>502</html>"), Phase.REQUESTING, "is still starting"),
        (Reply(200, {"status": "OK"}), Phase.FAILED, "does not answer like Nginx Proxy Manager"),
    ],
)
def test_what_was_never_sent_costs_no_try(panel, npm, answer, phase, says):
    panel.ask(proxy=panel.create())
    panel.run().certify()
    npm.fail(Failure.ANSWER, matches=lambda r: r.path == "/api/", reply=answer)
    panel.certify()
    row = panel.request()
    assert (row.phase, row.attempts, row.disturbed, says in row.error) == (phase, 0, False, True)
    service.retry(1, at=panel.now)
    panel.settle()
    assert (panel.request().phase, npm.certbot.runs) == (Phase.DONE, 1)
