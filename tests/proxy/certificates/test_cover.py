"""Nothing goes offline while a certificate is asked for: a copy of the host serves its name, and goes afterwards."""

from datetime import timedelta

import pytest

from tests.proxy.certificates.certificates_world import CertificatePanel
from tests.proxy.npm_world import VERSIONS
from webapp.proxy import npm_cover
from webapp.proxy.certificates.models import Challenge, Phase
from webapp.proxy.npm_cover import CHALLENGE, STALE
from webapp.proxy.npm_mark import Mark
from webapp.sandbox.server import Failure, Reply

NAME = "app.example.com"
ASKED = Mark("us", "cover", 7)


@pytest.fixture
def meanwhile(npm):
    """What nginx serves while certbot is at it: the site that answers for the name, at each run."""
    seen = []

    def look(_seconds):
        first = sorted((str(n), conf) for n, conf in npm.nginx.loaded.items() if NAME in conf.names)
        seen.append(first[0][1] if first else None)

    npm.certbot.pause = look
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


def test_a_cover_whose_answer_is_lost_is_deleted_before_the_next_try(panel, npm, meanwhile):
    row = panel.create()
    panel.run()
    npm.fail(Failure.RESET_AFTER, matches=is_cover)
    panel.ask(NAME, proxy=row)
    panel.certify(2)
    assert (panel.request().phase, panel.request().attempts) == (Phase.REQUESTING, 0)
    panel.certify(minutes=2).settle()
    assert (panel.request().phase, len(meanwhile), None in meanwhile) == (Phase.DONE, 1, False)
    assert (len(npm.hosts()), npm.served()) == (1, {NAME})


def test_a_host_that_goes_meanwhile_needs_no_cover(panel, npm):
    row = panel.create()
    panel.run()
    panel.ask(NAME, proxy=row)
    listed = iter([lambda: npm.delete_by_hand(1)])

    def goes(request):
        if request.method == "GET" and request.path.endswith("/proxy-hosts/1"):
            next(listed, lambda: None)()
        return False

    npm.fail(Failure.ANSWER, matches=goes)
    panel.settle(2)
    assert (len(panel.asked()), npm.hosts()) == (1, [])


def test_a_cover_that_a_database_put_back_forgot_goes_within_days(panel, npm):
    row = panel.create()
    panel.run()
    npm.certbot.dies = True
    npm.fail(Failure.RESET_AFTER, matches=lambda r: r.path.endswith("/certificates") and r.method == "POST")
    panel.ask(NAME, proxy=row)
    panel.settle(2)
    npm.certbot.dies = False
    assert len(npm.hosts()) == 2
    forgotten = CertificatePanel(npm)
    forgotten.now = npm.now() + STALE / 2
    forgotten.run()
    assert len(npm.hosts()) == 2
    forgotten.run(days=1)
    assert [host["domain_names"] for host in npm.hosts()] == [[NAME]]


ROW = {
    "id": 3, "domain_names": [NAME], "forward_scheme": "http", "forward_host": "10.0.0.9", "forward_port": 80,
    "access_list_id": 4, "certificate_id": 0, "ssl_forced": 0, "caching_enabled": 1, "block_exploits": 0,
    "advanced_config": "# theirs", "locations": None, "meta": {"nginx_online": True},
}  # fmt: skip


def test_a_cover_keeps_the_password_and_all_else_that_visitors_meet():
    place = {"path": "/x", "forward_scheme": "http", "forward_host": "10.0.0.8", "forward_port": 81}
    body = npm_cover.body({**ROW, "locations": [place]}, ASKED, shows_challenge=False)
    assert body == {
        "domain_names": ["cover-7-3.invalid"],
        "forward_scheme": "http", "forward_host": "10.0.0.9", "forward_port": 80,
        "access_list_id": 4, "caching_enabled": True, "block_exploits": False, "locations": [place],
        "advanced_config": f"server_name {NAME};\n{CHALLENGE}\n# theirs",
        "meta": {"tiny_forge": {"install": "us", "consumer": "cover", "id": 7}},
    }  # fmt: skip


def test_a_cover_of_a_host_with_tls_has_its_certificate_and_flags():
    row = {**ROW, "certificate_id": 5, "ssl_forced": 1, "hsts_enabled": 0}
    body = npm_cover.body(row, ASKED, shows_challenge=True)
    assert (body["certificate_id"], body["ssl_forced"], body["hsts_enabled"]) == (5, True, False)
    assert CHALLENGE not in body["advanced_config"]


def is_cover(request):
    return request.method == "POST" and request.path == "/api/nginx/proxy-hosts" and b"cover-" in request.body
