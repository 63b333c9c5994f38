"""The process dies before or after any call, or an answer is lost: afterwards there is exactly one host."""

import pytest

from tests.proxy.publish_world import Panel
from webapp.proxy import service
from webapp.proxy.models import HostStatus
from webapp.proxy.npm_transport import Transport
from webapp.sandbox.server import Failure

pytestmark = pytest.mark.matrix


class Crash(BaseException):
    """The process dies here."""


def begin(panel, story, number):
    """Wish for something; the name that the host has in the end, None for a removal."""
    name = f"n{number}.example.com"
    row = panel.create(name)
    if story == "create":
        return name
    panel.run()
    if story == "remove":
        service.remove(row, at=panel.now)
        return None
    panel.update(row, f"renamed-{name}")
    return f"renamed-{name}"


def dying_at(crash_at, *, after):
    """A transport that works until the given call."""
    send, calls = Transport.send, [0]

    def dying(self, *args, **kwargs):
        calls[0] += 1
        if calls[0] == crash_at and not after:
            raise Crash
        answer = send(self, *args, **kwargs)
        if calls[0] == crash_at:
            raise Crash
        return answer

    return dying


def survives(panel):
    """Whether a pass comes to its end."""
    try:
        panel.run()
    except Crash:
        return False
    return True


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("story", ["create", "rename", "remove"])
def test_a_crash_at_any_call_converges(panel, npm, monkeypatch, story, after):
    panel.run()
    expected = set()
    for crash_at in range(1, 40):
        expected.add(begin(panel, story, crash_at))
        with monkeypatch.context() as patch:
            patch.setattr(Transport, "send", dying_at(crash_at, after=after))
            survived = survives(panel)
        restarted = Panel(npm, holder=f"after {crash_at}")
        restarted.now = panel.now
        restarted.run_until_settled(3)
        panel.now = restarted.now
        assert sorted(host["domain_names"][0] for host in npm.hosts()) == sorted(expected - {None})
        assert {row.status for row in panel.rows()} <= {HostStatus.ONLINE}
        if survived:
            break
    assert 3 < crash_at < 39


@pytest.mark.parametrize("failure", [Failure.RESET_BEFORE, Failure.RESET_AFTER, Failure.TRUNCATE])
@pytest.mark.parametrize("skip", range(6))
def test_a_lost_answer_at_any_call_makes_exactly_one_host(panel, npm, failure, skip):
    panel.create()
    fault = npm.fail(failure, skip=skip)
    panel.run_until_settled(4)
    assert fault.times == 0
    assert len(npm.hosts()) == 1
    assert panel.row().status is HostStatus.ONLINE
