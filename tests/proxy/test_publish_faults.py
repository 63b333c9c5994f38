"""Faults while publishing: no wish is lost, nothing is made twice, and it heals when it can."""

from datetime import timedelta

import pytest

from tests.proxy.npm_world import PASSWORD, stand_in
from tests.proxy.publish_world import Panel
from webapp import vault
from webapp.db import transaction
from webapp.lease import leased
from webapp.proxy import service
from webapp.proxy.models import HostStatus
from webapp.sandbox.server import Failure, Reply


def test_down_means_pending_with_reason_and_next_try(panel, npm):
    npm.stop()
    panel.create()
    panel.run()
    row = panel.row()
    assert row.status is HostStatus.PENDING
    assert "cannot be reached" in row.error
    assert timedelta() < row.next_try_at - panel.now < timedelta(seconds=5)
    assert panel.settings().error == row.error

    npm.start()
    panel.run(minutes=1)
    assert (panel.row().status, panel.row().error) == (HostStatus.ONLINE, None)
    assert panel.settings().error is None


def test_the_pauses_grow(panel, npm):
    npm.stop()
    panel.create()
    pauses = []
    for _ in range(6):
        panel.run()
        pauses.append(panel.row().next_try_at - panel.now)
        panel.now = panel.row().next_try_at
    assert pauses[-1] > 8 * pauses[0]


def test_before_the_next_try_nothing_is_sent(panel, npm):
    npm.starting = True
    panel.create()
    panel.run()
    calls = len(npm.log)
    panel.run(passes=5)
    assert len(npm.log) == calls


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (Reply(502, "<html>Bad Gateway</html>"), "starting"),
        (Reply(500, {"error": {"message": "Internal Error"}}), "could not"),
        (Reply(429, {"error": {"message": "slow down"}}), "could not"),
        (Reply(200, b"["), "cannot be read"),
    ],
)
def test_an_odd_answer_is_waited_out(panel, npm, reply, word):
    npm.fail(Failure.ANSWER, reply=reply, times=3)
    panel.create()
    panel.run()
    assert (panel.row().status, word in panel.row().error) == (HostStatus.PENDING, True)
    panel.run_until_settled()
    assert panel.row().status is HostStatus.ONLINE


def test_a_wrong_password_waits_for_a_person(panel, npm):
    panel.connect("wrong")
    panel.create()
    panel.run()
    row = panel.row()
    assert (row.status, row.next_try_at) == (HostStatus.FAILED, None)
    assert "refused the e-mail address or password" in row.error
    assert "wrong" not in row.error.replace("wrong one", "")
    calls = len(npm.log)
    panel.run_until_settled()
    assert len(npm.log) == calls

    panel.connect(PASSWORD).run()
    assert panel.row().status is HostStatus.ONLINE


def test_a_key_that_was_lost_waits_for_a_person(panel, npm):
    with transaction() as session:
        service.npm_settings(session).password_sealed = vault.Vault("another").seal(PASSWORD)
    panel.create()
    panel.run()
    assert panel.row().status is HostStatus.FAILED
    assert "secret key has changed" in panel.row().error


def test_a_missing_permission_waits_for_a_person(context):
    with stand_in("2.15.1", proxy_hosts="view") as npm:
        panel = Panel(npm).connect()
        panel.create()
        panel.run()
        assert panel.row().status is HostStatus.FAILED
        assert "may not" in panel.row().error


def test_one_refusal_does_not_hold_up_the_others(panel, npm):
    npm.occupy_by_hand("a.example.com")
    first, second = panel.create("a.example.com"), panel.create("b.example.com")
    panel.run()
    assert panel.row(first).status is HostStatus.FAILED
    assert panel.row(second).status is HostStatus.ONLINE


def test_a_broken_nginx_is_told_and_heals(panel, npm):
    npm.nginx_broken = True
    panel.create()
    panel.run()
    assert panel.row().status is HostStatus.PENDING
    npm.nginx_broken = False
    panel.run_until_settled()
    assert npm.served() == {"app.example.com"}
    assert len(npm.hosts()) == 1


def test_a_removal_that_nginx_does_not_follow_is_logged(panel, npm, caplog):
    panel.create()
    panel.run()
    npm.nginx_broken = True
    service.remove(1, at=panel.now)
    panel.run()
    assert npm.hosts() == []
    assert "nginx serves it until another site is repaired" in caplog.text


def test_another_process_at_work_is_left_alone(panel, npm):
    panel.create()
    with leased("nginx proxy manager", "somebody else", clock=lambda: panel.now):
        panel.run()
    assert npm.log == []
    panel.run()
    assert panel.row().status is HostStatus.ONLINE


def test_a_host_whose_creation_was_never_confirmed_goes_with_its_wish(panel, npm):
    panel.create()
    panel.run()
    with transaction() as session:
        service.get(session, 1).npm_host_id = None
    service.remove(1, at=panel.now)
    panel.run()
    assert (npm.hosts(), panel.row()) == ([], None)


def test_a_new_wish_during_an_outage_waits_for_the_next_try(panel, npm):
    npm.starting = True
    panel.create("a.example.com")
    panel.run()
    calls = len(npm.log)
    panel.create("b.example.com")
    panel.run()
    assert len(npm.log) == calls
    npm.starting = False
    panel.run(minutes=1)
    assert npm.served() == {"a.example.com", "b.example.com"}


def test_a_person_may_try_again_at_once(panel, npm):
    npm.starting = True
    panel.create()
    panel.run()
    npm.starting = False
    service.retry(1, at=panel.now)
    panel.run()
    assert panel.row().status is HostStatus.ONLINE


PLAIN = Reply(404, "default backend - 404")


def test_a_strange_answer_where_it_answered_before_is_waited_out(panel, npm):
    """What stands before Nginx Proxy Manager answers for it while it restarts."""
    panel.run()
    npm.fail(Failure.ANSWER, reply=PLAIN, times=3)
    panel.create()
    panel.run()
    assert panel.row().status is HostStatus.PENDING
    assert "does not answer like Nginx Proxy Manager" in panel.row().error
    panel.run_until_settled()
    assert panel.row().status is HostStatus.ONLINE


def test_a_strange_answer_in_the_middle_of_a_job_is_waited_out(panel, npm):
    panel.run()
    panel.create()
    npm.fail(Failure.ANSWER, reply=PLAIN, skip=1, times=6)
    panel.run()
    assert panel.row().status is HostStatus.PENDING
    panel.run_until_settled()
    assert (len(npm.hosts()), panel.row().status) == (1, HostStatus.ONLINE)


def test_an_address_that_never_answered_as_it_should_waits_for_a_person(panel, npm):
    npm.fail(Failure.ANSWER, reply=PLAIN, times=100)
    panel.create()
    panel.run(passes=3)
    assert (panel.row().status, panel.row().next_try_at) == (HostStatus.FAILED, None)


def test_what_failed_with_the_connection_is_tried_again_when_that_is_well(panel, npm):
    panel.connect("wrong")
    panel.create("a.example.com")
    panel.run()
    assert panel.row(1).status is HostStatus.FAILED
    with transaction() as session:
        service.npm_settings(session).password_sealed = vault.seal(PASSWORD)
    panel.create("b.example.com")
    panel.run(passes=2)
    assert npm.served() == {"a.example.com", "b.example.com"}


def test_it_is_tried_again_also_when_the_fault_changed_in_between(panel, npm):
    panel.connect("wrong")
    panel.create("a.example.com")
    panel.run()
    npm.stop()
    panel.create("b.example.com")
    panel.run()
    assert [row.status for row in panel.rows()] == [HostStatus.PENDING] * 2
    npm.start()
    panel.connect(PASSWORD).run_until_settled()
    assert npm.served() == {"a.example.com", "b.example.com"}


def test_what_failed_by_itself_is_not_tried_again_with_the_connection(panel, npm):
    npm.occupy_by_hand("a.example.com")
    panel.create("a.example.com")
    panel.run()
    npm.stop()
    panel.create("b.example.com")
    panel.run()
    npm.start()
    panel.run_until_settled()
    assert [row.status for row in panel.rows()] == [HostStatus.FAILED, HostStatus.ONLINE]
