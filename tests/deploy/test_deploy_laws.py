"""Whatever happens at whichever step of a deploy: afterwards containers, hosts, rows and names agree."""

import pytest
from sqlalchemy import delete, select, text

from tests.deploy.deploy_world import NAME
from tests.deploy.stories import STORIES, back, first, removal, restart, second, sick
from webapp.db import reading, transaction
from webapp.deploy import service
from webapp.deploy.actions import Action, ActionLine, Kind, Phase
from webapp.deploy.models import App
from webapp.errors import EngineError
from webapp.proxy.npm_transport import Transport
from webapp.sandbox.server import Failure

pytestmark = pytest.mark.matrix

MOST_CALLS = 60


class Crash(BaseException):
    """The process dies here."""


def whole(panel):
    """What stands outside, as one value."""
    return panel.leads_to(), panel.running(), panel.claims(), panel.versions(), sorted(panel.engine.volumes)


def assert_lawful(panel, action_id, before, foreign):
    """Everything agrees, and what is not ours was not touched."""
    assert panel.settle(), panel.log(action_id)
    action = panel.action(action_id)
    assert action.is_over
    if action.phase is not Phase.DONE and "could not be dealt with" not in "".join(panel.log(action_id)):
        assert whole(panel) == before, panel.log(action_id)
    containers, versions = panel.ours(), panel.versions()
    log = "\n".join(panel.log(action_id))
    left = "The new container could not be dealt with" in log
    assert 0 <= len(containers) - len(versions) <= left, "a container for every version, and none besides"
    current = [number for number, state in versions if state == "current"]
    if current:
        version = panel.version(current[0])
        refused = left or "could not be put away" in log
        running = set(panel.running())
        assert running == {version.container_name} or (refused and version.container_name in running)
        assert panel.leads_to() == (version.forward_host, version.forward_port)
        assert panel.claims() == [(NAME, "instance", 1)]
        assert len(panel.npm.hosts()) == 1
    else:
        assert (panel.running(), panel.npm.hosts(), panel.claims()) == ([], [], [])
    assert foreign in panel.engine.running()


def rounds(panel, story):
    """The story again and again, each time on a clean slate; yields a number and how to begin."""
    for number in range(1, MOST_CALLS):
        begin = story(panel)
        yield number, begin
        if panel.instance() is not None:
            panel.remove(volumes=True)
        service.remove_app(panel_app(panel), at=panel.now)
        panel.settle()
        renumber(panel)


def panel_app(panel):
    with reading() as session:
        return session.scalars(select(App.id)).one()


def renumber(panel):
    """Ids begin at 1 again, as the stories have it."""
    with transaction() as session:
        session.execute(text("DELETE FROM sqlite_sequence"))
        session.execute(delete(ActionLine))
        session.execute(delete(Action))


def striking(engine, number, moment, act):
    """Have `act` done at the number-th call from now on; returns whether it happened."""
    count, happened = [0], []

    def on_call(method, when):
        if when == moment:
            count[0] += 1
            if count[0] == number:
                happened.append(method)
                act()

    engine.on_call = on_call
    return happened


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("story", STORIES)
def test_a_crash_at_any_call_of_the_engine_is_survived(panel, story, moment):
    foreign = panel.engine.put_by_hand("somebody-elses")
    struck = 0
    for number, begin in rounds(panel, story):
        before = whole(panel)

        def die():
            raise Crash

        happened = striking(panel.engine, number, moment, die)
        action = begin()
        try:
            panel.finish(action.id)
        except Crash:
            panel.start_anew(f"after {number}")
        panel.engine.on_call = None
        assert_lawful(panel, action.id, before, foreign)
        struck += bool(happened)
        if not happened:
            break
    assert struck >= 3


@pytest.mark.parametrize("will_heal", [True, False], ids=["outage", "refusal"])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("story", STORIES)
def test_a_fault_at_any_call_of_the_engine_leaves_no_half(panel, story, moment, will_heal):
    foreign = panel.engine.put_by_hand("somebody-elses")
    struck = 0
    for number, begin in rounds(panel, story):
        before = whole(panel)

        def refuse():
            raise EngineError("Planted.", will_heal=will_heal)

        happened = striking(panel.engine, number, moment, refuse)
        action = begin()
        panel.finish(action.id)
        panel.engine.on_call = None
        if story is removal and panel.action(action.id).phase is not Phase.DONE:
            action = service.remove(1, volumes=True, at=panel.now)  # a refused removal can be asked for again
            panel.finish(action.id)
        if story is restart and panel.action(action.id).phase is not Phase.DONE:
            action = service.operate(1, Kind.START, at=panel.now)
            panel.finish(action.id)
        assert_lawful(panel, action.id, before, foreign)
        struck += bool(happened)
        if will_heal and story is not sick:
            assert panel.action(action.id).phase is Phase.DONE
        if not happened:
            break
    assert struck >= 3


@pytest.mark.parametrize(
    "failure", [Failure.RESET_BEFORE, Failure.RESET_AFTER, Failure.TRUNCATE, Failure.ANSWER]
)
@pytest.mark.parametrize("story", [first, second, back, removal])
def test_a_fault_at_any_request_to_the_proxy_manager_leaves_no_half(panel, npm, story, failure):
    foreign = panel.engine.put_by_hand("somebody-elses")
    struck = 0
    for number, begin in rounds(panel, story):
        before = whole(panel)
        fault = npm.fail(failure, skip=number - 1)
        action = begin()
        panel.finish(action.id)
        happened = fault.times == 0
        npm.faults.clear()
        assert_lawful(panel, action.id, before, foreign)
        struck += happened
        if not happened:
            break
    assert struck >= 3


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("story", [first, second, back, removal])
def test_a_crash_at_any_request_to_the_proxy_manager_is_survived(panel, monkeypatch, story, after):
    foreign = panel.engine.put_by_hand("somebody-elses")
    struck = 0
    for number, begin in rounds(panel, story):
        before, calls = whole(panel), [0]
        with monkeypatch.context() as patch:
            patch.setattr(Transport, "send", dying_at(number, calls, after=after))
            action = begin()
            try:
                panel.finish(action.id)
            except Crash:
                panel.start_anew(f"after {number}")
        assert_lawful(panel, action.id, before, foreign)
        struck += calls[0] >= number
        if calls[0] < number:
            break
    assert struck >= 3


def dying_at(number, calls, *, after):
    """A transport that works until the given call."""
    send = Transport.send

    def dying(self, *args, **kwargs):
        calls[0] += 1
        if calls[0] == number and not after:
            raise Crash
        answer = send(self, *args, **kwargs)
        if calls[0] == number:
            raise Crash
        return answer

    return dying
