"""Start, stop, restart and remove; what the engine shows by itself; and containers nobody knows."""

import pytest

from webapp.db import reading
from webapp.deploy import rows, service
from webapp.deploy.actions import Kind, Phase
from webapp.deploy.engine import Mount, MountKind
from webapp.deploy.models import Seen
from webapp.errors import Busy

DATA = (Mount(MountKind.VOLUME, "blog-data", "/data"),)


def outside(panel):
    """What stands outside and must not change."""
    return panel.leads_to(), panel.npm.writes, panel.claims()


def test_stop_start_and_restart_keep_host_and_name(live):
    before = outside(live)
    assert live.operate(Kind.STOP).phase is Phase.DONE
    assert live.running() == []
    assert live.instance().seen is Seen.STOPPED
    live.operate(Kind.START)
    assert len(live.running()) == 1
    live.operate(Kind.RESTART)
    assert len(live.running()) == 1
    assert outside(live) == before


def test_what_was_never_deployed_cannot_be_started(panel):
    panel.add()
    with pytest.raises(Busy, match="Nothing has been deployed"):
        service.operate(1, Kind.START, at=panel.now)


def test_a_container_stopped_behind_our_back_shows_and_can_be_started_again(live):
    live.engine.stop_by_hand(live.version(1).container_id)
    live.look()
    assert live.instance().seen is Seen.ENDED
    assert live.line().reachable.answer is False
    live.operate(Kind.START)
    live.look()
    assert live.instance().seen is Seen.RUNNING


def test_a_container_removed_behind_our_back_shows_and_is_made_again(live):
    port = live.leads_to()[1]
    live.engine.remove_by_hand(live.version(1).container_id)
    live.look()
    assert live.instance().seen is Seen.MISSING
    live.operate(Kind.START)
    live.look()
    assert live.instance().seen is Seen.RUNNING
    assert live.leads_to()[1] == port


def test_one_that_was_stopped_here_is_no_alarm(live):
    live.operate(Kind.STOP)
    live.look()
    assert (live.instance().seen, live.instance().seen_detail) == (Seen.STOPPED, "")


def test_an_engine_that_does_not_answer_is_said_and_nothing_is_taken_for_gone(live):
    live.engine.down = True
    live.look()
    with reading() as session:
        assert rows.engine_state(session).error
    assert live.instance().seen is Seen.RUNNING
    assert "does not answer" in live.line().reachable.reason
    live.engine.down = False
    live.look()
    with reading() as session:
        assert rows.engine_state(session).error is None
