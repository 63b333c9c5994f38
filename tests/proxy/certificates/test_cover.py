"""Nothing goes offline while a certificate is asked for: a copy of the host serves its name, and goes afterwards."""

from datetime import timedelta

import pytest

from tests.proxy.npm_world import VERSIONS
from webapp.db import transaction
from webapp.proxy import npm_cover
from webapp.proxy.certificates import service
from webapp.proxy.certificates.errand import Errand
from webapp.proxy.certificates.models import CertificateRequest, Challenge, Phase
from webapp.proxy.npm_mark import Mark, body_of
from webapp.sandbox.server import Failure, Reply

NAME = "app.example.com"


@pytest.fixture(autouse=True)
def nine(npm):
    """The next host is number 9, and its cover 10, which sorts before it: the harder case for what nginx takes."""
    npm.proxy_hosts.count = 8


@pytest.fixture
def meanwhile(npm):
    """What nginx serves while certbot is at it: the site that answers for the name, at each run."""
    seen = []
    npm.certbot.pause = lambda _seconds: seen.append(npm.nginx.site_of(NAME))
    return seen


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("challenge", [Challenge.HTTP, Challenge.DNS])
def test_a_host_is_served_as_it_is_while_its_first_certificate_is_asked_for(
    panel, npm, meanwhile, version, challenge
):
    row = panel.create(forward_host="10.0.0.9", forward_port=8123)
    panel.run()
    if challenge is Challenge.DNS:
        panel.zone()
    panel.ask(NAME, challenge=challenge, proxy=row)
    panel.settle()
    assert [conf.forward for conf in meanwhile] == [("http", "10.0.0.9", 8123)]
    assert (panel.request().phase, npm.host_for(NAME)["certificate_id"]) == (Phase.DONE, 1)
    assert ([host["domain_names"] for host in npm.hosts()], npm.served()) == ([[NAME]], {NAME})


def test_a_cover_goes_when_asking_fails(panel, npm, meanwhile):
    row = panel.create()
    panel.run()
    npm.certbot.says = "Some challenges have failed."
    panel.ask(NAME, proxy=row)
    panel.settle()
    assert (panel.request().attempts, None in meanwhile) == (1, False)
    assert (len(npm.hosts()), npm.served()) == (1, {NAME})


def test_a_host_with_a_certificate_of_lets_encrypt_is_covered_with_it(panel, npm, meanwhile):
    old = npm.add_certificate(NAME, [NAME], panel.now + timedelta(days=3))
    row = panel.create(certificate_id=old, ssl_forced=True)
    panel.run()
    panel.ask(NAME, proxy=row)
    panel.settle()
    assert [conf.certificate for conf in meanwhile] == [old]
    assert (panel.request().phase, npm.host_for(NAME)["certificate_id"]) == (Phase.DONE, 2)


def test_a_host_that_is_turned_off_stays_off(panel, npm, meanwhile):
    row = panel.create(enabled=False)
    panel.run()
    panel.ask(NAME, proxy=row)
    panel.certify(2)
    assert (meanwhile, len(npm.hosts())) == ([None], 1)


@pytest.mark.parametrize(
    "answer", [Reply(400, {"error": {"code": 400, "message": "data must NOT have x"}}), Reply(201, [])]
)
def test_a_cover_that_is_refused_does_not_stop_the_certificate(panel, npm, caplog, answer):
    row = panel.create()
    panel.run()
    npm.fail(Failure.ANSWER, matches=is_cover, reply=answer)
    panel.ask(NAME, proxy=row)
    panel.settle()
    assert (panel.request().phase, npm.served()) == (Phase.DONE, {NAME})
    assert f"{NAME} is not served until there is an answer" in caplog.text


@pytest.mark.parametrize(("failure", "served"), [(Failure.RESET_AFTER, True), (Failure.RESET_BEFORE, False)])
def test_a_cover_whose_answer_is_lost_is_looked_for_and_does_not_stop_the_certificate(
    panel, npm, meanwhile, failure, served
):
    row = panel.create()
    panel.run()
    npm.fail(failure, matches=is_cover, times=100)
    panel.ask(NAME, proxy=row)
    panel.settle()
    assert ([conf is not None for conf in meanwhile], panel.request().phase) == ([served], Phase.DONE)
    assert (len(npm.hosts()), npm.served()) == (1, {NAME})


def test_a_cover_stays_until_its_host_serves_again(panel, npm, meanwhile):
    row = panel.create()
    panel.run()
    npm.fail(Failure.ANSWER, matches=lambda r: r.method == "PUT", times=1)
    panel.ask(NAME, proxy=row)
    panel.certify(2, seconds=1)
    assert (len(npm.hosts()), npm.nginx.loaded[10].names) == (2, ("cover-1-9.invalid", NAME))
    panel.certify(minutes=2).settle()
    assert (panel.request().phase, len(npm.hosts()), npm.served()) == (Phase.DONE, 1, {NAME})


@pytest.mark.parametrize("when", ["before", "between"])
def test_a_host_that_goes_meanwhile_needs_no_cover(panel, npm, when):
    row = panel.create()
    panel.run()
    panel.ask(NAME, proxy=row)

    def goes(request):
        path = "/proxy-hosts/9" if when == "between" else "/certificates"
        if request.method == "GET" and request.path.endswith(path) and npm.hosts():
            npm.delete_by_hand(9)
        return False

    npm.fail(Failure.ANSWER, matches=goes)
    panel.settle(2)
    assert (len(panel.asked()), npm.hosts()) == (1, [])


def test_a_request_that_is_forgotten_in_the_last_moment_leaves_nothing_behind(panel, npm, monkeypatch):
    row = panel.create()
    panel.run()
    number = panel.ask(NAME, proxy=row)
    token = Errand._token

    def forgotten(errand, request):
        service.forget(number)
        return token(errand, request)

    monkeypatch.setattr(Errand, "_token", forgotten)
    panel.settle(3)
    assert (panel.request(), panel.asked(), len(npm.hosts())) == (None, [], 1)


def lost_in_flight(panel, npm, row):
    """NPM goes down while it asks, so the cover stays."""
    npm.certbot.dies = True
    npm.fail(Failure.RESET_AFTER, matches=lambda r: r.path.endswith("/certificates") and r.method == "POST")
    panel.ask(NAME, proxy=row)
    panel.settle(2)
    npm.certbot.dies = False
    assert len(npm.hosts()) == 2


def test_a_cover_that_a_database_put_back_knows_nothing_of_goes_at_the_next_look(panel, npm):
    row = panel.create()
    panel.run()
    lost_in_flight(panel, npm, row)
    npm.host_by_hand("theirs.example.com", meta=body_of(Mark("another", npm_cover.COVER, 1)))
    panel.run(minutes=11)
    assert len(npm.hosts()) == 3, "its request still needs it"
    with transaction() as session:
        session.delete(session.get_one(CertificateRequest, 1))
    npm.fail(Failure.ANSWER, matches=lambda r: r.method == "DELETE", reply=Reply(400, {"error": {}}))
    panel.run(minutes=11)
    assert (len(npm.hosts()), panel.settings().error) == (3, None), "what cannot be done is done another time"
    panel.run(minutes=11)
    assert [host["domain_names"] for host in npm.hosts()] == [[NAME], ["theirs.example.com"]]


def test_a_cover_goes_though_its_answer_never_comes(panel, npm):
    row = panel.create()
    panel.run()
    lost_in_flight(panel, npm, row)
    panel.certify(seconds=20).certify(minutes=4)
    assert (panel.request().asked_at is None, len(npm.hosts()), npm.served()) == (False, 1, {NAME})


def test_a_host_that_nginx_refuses_needs_no_cover(panel, npm):
    npm.nginx.unresolvable.add("gone.internal")
    row = panel.create(forward_host="gone.internal")
    panel.run()
    panel.ask(NAME, proxy=row)
    panel.certify(2)
    assert (npm.proxy_hosts.count, len(panel.asked())) == (9, 1)


def test_a_cover_that_nginx_refuses_is_told_and_deleted(panel, npm, caplog):
    row = panel.create()
    panel.run()
    npm.nginx.refused.add("server_name")
    panel.ask(NAME, proxy=row)
    panel.settle()
    assert f"{NAME} is not served until there is an answer" in caplog.text
    assert (panel.request().phase, len(npm.hosts())) == (Phase.DONE, 1)


def is_cover(request):
    return request.method == "POST" and request.path == "/api/nginx/proxy-hosts" and b"cover-" in request.body
