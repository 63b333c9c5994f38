"""Writes down how far an action is: its phase, its log, its progress. Each call is a short transaction of its own."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from webapp.db import transaction
from webapp.deploy.actions import MOST_TEXT, Action, ActionLine, Level, Phase

log = logging.getLogger(__name__)


def enter(action_id: int, phase: Phase, text: str, *, at: datetime) -> bool:
    """Go on to a phase and say so. Returns False, and says nothing, where an earlier try has been already."""
    with transaction() as session:
        action = session.get_one(Action, action_id)
        if not action.enter(phase, at):
            return False
        session.add(ActionLine(action_id=action_id, at=at, phase=phase, text=text[:MOST_TEXT]))
        log.info("deploy: %s: %s", action.title, text)
    return True


def say(action_id: int, text: str, *, level: Level = Level.INFO, at: datetime) -> None:
    """Add a line to the log of an action."""
    add(action_id, [text], level=level, at=at)
    if level is Level.WARNING:
        log.warning("deploy: action %s: %s", action_id, text)


def add(action_id: int, texts: Iterable[str], *, level: Level, at: datetime) -> None:
    """Add many lines at once."""
    with transaction() as session:
        phase = session.get_one(Action, action_id).phase
        for text in texts:
            line = ActionLine(action_id=action_id, at=at, phase=phase, level=level, text=text[:MOST_TEXT])
            session.add(line)


def progress(action_id: int, facts: Mapping[str, Any]) -> None:
    """Keep how far a pull is, for the page."""
    with transaction() as session:
        session.get_one(Action, action_id).progress = dict(facts)


def put_off(action_id: int, message: str, next_try_at: datetime, *, at: datetime) -> None:
    """A step failed in a way that waiting may heal; said once for the same reason."""
    with transaction() as session:
        action = session.get_one(Action, action_id)
        if action.error != message[:MOST_TEXT]:
            line = ActionLine(
                action_id=action_id, at=at, phase=action.phase, level=Level.WARNING, text=message[:MOST_TEXT]
            )
            session.add(line)
        action.put_off(message, next_try_at)
        log.warning("deploy: %s: %s", action.title, message)


def undoing(action_id: int, outcome: Phase, reason: str, *, at: datetime) -> None:
    """It cannot be done, or is not wanted any more: what was done has to be undone, whatever happens meanwhile."""
    with transaction() as session:
        action = session.get_one(Action, action_id)
        if action.phase is Phase.UNDOING:
            return
        level = Level.ERROR if outcome is Phase.FAILED else Level.INFO
        text = reason[:MOST_TEXT]
        session.add(ActionLine(action_id=action_id, at=at, phase=action.phase, level=level, text=text))
        action.enter(Phase.UNDOING, at)
        action.outcome, action.error = outcome, text
        log.warning("deploy: %s: %s", action.title, reason)


def end(action_id: int, phase: Phase, text: str, error: str | None = None, *, at: datetime) -> None:
    """It is over."""
    with transaction() as session:
        action = session.get_one(Action, action_id)
        action.end(phase, at, error)
        level = Level.INFO if phase is not Phase.FAILED else Level.ERROR
        session.add(ActionLine(action_id=action_id, at=at, phase=phase, level=level, text=text[:MOST_TEXT]))
        log.info("deploy: %s: %s", action.title, text)
