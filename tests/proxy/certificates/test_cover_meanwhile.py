"""Hosts that change while NPM asks for their certificate, once others may pass: what is wished holds in the end."""

from datetime import timedelta

import flask
import pytest

from tests.proxy.certificates.certificates_world import CertificatePanel
from webapp.db import transaction
from webapp.lease import Lease
from webapp.proxy import adoption, npm_cover, publish, service
from webapp.proxy.certificates.models import Phase
from webapp.proxy.models import HostStatus
from webapp.proxy.npm_mark import Mark, body_of
from webapp.proxy.npm_proof import location
from webapp.proxy.outcomes import ASKING
from webapp.sandbox.server import Failure, Reply

NAME, NEW = "app.example.com", "new.example.com"


@pytest.fixture
def row(panel, npm):
    """A proxy whose host is number 9: its cover 10 sorts before it."""
    npm.proxy_hosts.count = 8
    row = panel.create(forward_port=8123)
    panel.run()
    return row


@pytest.fixture
def meanwhile(panel, npm):
    """Have something done, and a pass of another process, while certbot is at it and the lease is let go."""
    app = flask.current_app._get_current_object()

    def have(act, see):
        seen = []

        def pause(_seconds):
            if seen:
                return
            with app.app_context():
                act()
                with transaction() as session:
                    session.query(Lease).delete()
                another_passes(panel, "another")
                seen.append(see())

        npm.certbot.pause = pause
        panel.ask(NAME, proxy=1)
        panel.settle(3)
        panel.certify(seconds=20).settle(5)
        return seen[0]

    return have


def another_passes(panel, holder):
    """A pass of another process, while the stand-in is at it."""
    other = CertificatePanel(panel.npm, holder)
    other.now = panel.now
    panel.npm.lock.release()
    try:
        other.run()
    finally:
        panel.npm.lock.acquire()


def answering(npm, name):
    """The port where the site leads that nginx takes for a name."""
    site = npm.nginx.site_of(name)
    return site.forward[2] if site else None


def test_a_deploy_counts_at_once_though_the_challenge_fails_by_it_and_is_tried_again(
    panel, npm, row, meanwhile
):
    seen = meanwhile(
        lambda: panel.update(row, forward_port=9000), lambda: (panel.row().status, answering(npm, NAME))
    )
    assert seen == (HostStatus.ONLINE, 9000)
    assert (panel.request().phase, panel.request().attempts) == (Phase.WAITING, 1)
    panel.certify(minutes=6).settle()
    assert (panel.request().phase, answering(npm, NAME), len(npm.hosts())) == (Phase.DONE, 9000, 1)


def test_a_deploy_that_could_not_uncover_at_first_does_so_at_the_next_try(panel, npm, row, meanwhile):
    def deploy():
        panel.update(row, forward_port=9000)
        npm.fail(Failure.ANSWER, matches=lambda r: r.method == "DELETE", reply=Reply(502, "<html>502</html>"))

    def see():
        hidden = answering(npm, NAME)
        panel.now += timedelta(minutes=1)
        another_passes(panel, "yet another")
        return hidden, answering(npm, NAME)

    assert meanwhile(deploy, see) == (8123, 9000)


def test_a_wish_that_changes_nothing_is_fulfilled_and_does_not_uncover(panel, npm, row, meanwhile):
    def again():
        with transaction() as session:
            service.get(session, row).ask(panel.now)

    seen = meanwhile(again, lambda: (panel.row().status, answering(npm, NAME), 9 in npm.nginx.loaded))
    assert seen == (HostStatus.ONLINE, 8123, False)


def test_a_new_proxy_that_is_given_up_before_it_gets_the_name_waits_for_nothing(panel, npm, row, meanwhile):
    def swap_and_forget():
        panel.update(row, NEW, forward_port=8123)
        service.remove(panel.create(NAME, forward_port=9000), at=panel.now)

    seen = meanwhile(swap_and_forget, lambda: [one.fqdn for one in panel.rows()])
    assert seen == [NEW]


def test_while_it_is_asked_for_a_host_gets_no_new_proof(panel, npm, row, meanwhile, monkeypatch):
    piece = location("/.well-known/tiny-forge/abc", "a proof")
    monkeypatch.setattr(publish, "pieces", lambda _session: {NAME: piece})

    def look_again():
        with transaction() as session:
            service.npm_settings(session).read_at = service.LONG_AGO

    assert meanwhile(look_again, lambda: piece in npm.host_for(NAME)["advanced_config"]) is False
    panel.run(minutes=11)
    assert piece in npm.host_for(NAME)["advanced_config"]


def test_a_proxy_that_is_removed_goes_when_there_is_an_answer(panel, npm, row, meanwhile):
    seen = meanwhile(lambda: service.remove(row, at=panel.now), lambda: (panel.row().error, len(npm.hosts())))
    assert seen == (ASKING, 2)
    assert (panel.rows(), npm.hosts(), npm.served(), set(npm.nginx.files)) == ([], [], set(), set())


def test_a_proxy_that_is_renamed_moves_when_there_is_an_answer(panel, npm, row, meanwhile):
    seen = meanwhile(lambda: panel.update(row, NEW, forward_port=9000), lambda: answering(npm, NAME))
    assert seen == 8123
    assert (answering(npm, NEW), npm.served(), len(npm.hosts())) == (9000, {NEW}, 1)


def test_a_proxy_that_is_turned_off_goes_off_when_there_is_an_answer(panel, npm, row, meanwhile):
    meanwhile(lambda: service.switch(row, enabled=False, at=panel.now), lambda: None)
    assert (panel.row().status, npm.served(), set(npm.nginx.files)) == (HostStatus.OFF, set(), set())


def test_another_proxy_that_gets_the_name_waits_for_the_answer(panel, npm, row, meanwhile):
    def swap():
        panel.update(row, NEW, forward_port=8123)
        panel.create(NAME, forward_port=9000)

    seen = meanwhile(swap, lambda: answering(npm, NAME))
    assert seen == 8123
    assert (answering(npm, NAME), answering(npm, NEW), npm.served()) == (9000, 8123, {NAME, NEW})


def test_the_covers_of_a_lost_installation_go_with_its_host(panel, npm):
    npm.host_by_hand(NAME, forward_port=8123, meta=body_of(Mark("lost", "standalone", 4)))
    config = {"advanced_config": f"server_name {NAME};"}
    npm.host_by_hand("cover-7-1.invalid", meta=body_of(Mark("lost", npm_cover.COVER, 7)), **config)
    npm.host_by_hand("cover-7-2.invalid", meta=body_of(Mark("lost", npm_cover.COVER, 7)))
    panel.run(minutes=11)
    with transaction() as session:
        shown = adoption.candidate(session, 1, "lost").shown
    adoption.adopt(1, shown=shown, of="lost", at=panel.now)
    npm.fail(Failure.ANSWER, matches=lambda r: r.method == "DELETE", reply=Reply(502, "<html>502</html>"))
    panel.run()
    assert len(npm.hosts()) == 3
    panel.run(minutes=1)
    assert [host["domain_names"][0] for host in npm.hosts()] == [NAME, "cover-7-2.invalid"]
