"""Keeps an eye on the engine: what instances are doing, told by its events, with a regular look as safety net."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from webapp.db import db, now, reading, transaction, work_committed
from webapp.deploy import rows
from webapp.deploy.connection import engine
from webapp.deploy.engine import Container, EngineInfo, Health, State
from webapp.deploy.health import ended
from webapp.deploy.models import Instance, Seen, Version, VersionState
from webapp.errors import EngineError

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=20)
"""Events tell sooner; this is for those that were missed."""

LISTEN_AGAIN = 3.0
"""Seconds between two tries to hear the engine's events."""


class Watch:
    """One process's eye on the engine."""

    def __init__(self, app: Flask, clock: Callable[[], datetime] = now) -> None:
        self._app = app
        self._clock = clock
        self._stirred = threading.Event()
        self._leaving = threading.Event()
        self._looked: datetime | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within the block the engine's events bring the next look forward."""
        thread = threading.Thread(target=self._listen, name="engine events", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.leave()
            thread.join(5)

    def leave(self) -> None:
        """Stop listening."""
        self._leaving.set()

    def run_due(self) -> None:
        """Look when something happened, or when the last look is old. Never raises for faults of the engine."""
        at = self._clock()
        if not self._stirred.is_set() and self._looked is not None and self._looked + LOOK_EVERY > at:
            return
        self._stirred.clear()
        self._looked = at
        try:
            info, containers = engine().info(), engine().containers()
        except EngineError as error:
            _unreachable(error.message, at)
        else:
            _saw(info, containers, at)

    def _listen(self) -> None:
        while not self._leaving.is_set():
            with self._app.app_context():
                try:
                    events = engine().events(self._leaving.is_set)
                    self._stir()  # it may have been away, and somebody may have been at it meanwhile
                    for _event in events:
                        self._stir()
                    self._stir()  # the stream ended: it went away
                except (EngineError, SQLAlchemyError) as error:
                    log.debug("engine events: %s", error)
                finally:
                    db.session.remove()
            self._leaving.wait(LISTEN_AGAIN)

    def _stir(self) -> None:
        self._stirred.set()
        work_committed.ring()


def _unreachable(message: str, at: datetime) -> None:
    with reading() as session:
        state = rows.engine_state_or_none(session)
        known = state is not None and state.error == message[:500]
    if known:
        return
    log.warning("engine: %s", message)
    with transaction() as session:
        state = rows.engine_state(session)
        state.error, state.error_since = message[:500], state.error_since or at


def _saw(info: EngineInfo, containers: list[Container], at: datetime) -> None:
    """Compare what is there with the rows, and write only what changed."""
    by_id = {container.id: container for container in containers}
    with transaction() as session:
        state = rows.engine_state(session)
        strays = _strays(session, containers)
        facts = {"version": info.version, "api": info.api, "error": None, "error_since": None}
        for name, value in (facts | {"strays": strays}).items():
            if getattr(state, name) != value:
                setattr(state, name, value)
        if state.looked_at is None or state.looked_at + timedelta(minutes=1) <= at:
            state.looked_at = at
        query = select(Version, Instance).join(Instance, Version.instance_id == Instance.id)
        for version, instance in session.execute(query.where(Version.state == VersionState.CURRENT)):
            instance.saw(*_state_of(instance, by_id.get(version.container_id or "")), at)


def _state_of(instance: Instance, container: Container | None) -> tuple[Seen, str]:
    if container is None:
        return Seen.MISSING, "Somebody removed its container. Start it to make it again."
    if container.state is State.RUNNING:
        if container.health is Health.UNHEALTHY:
            return Seen.UNHEALTHY, "The image's own health check fails."
        return (Seen.STARTING if container.health is Health.STARTING else Seen.RUNNING), ""
    if container.state is State.RESTARTING:
        return Seen.RESTARTING, "It keeps ending and being started again. Its log says why."
    if instance.at_rest:
        return Seen.STOPPED, ""
    if container.state is State.PAUSED:
        return Seen.ENDED, "Somebody paused its container."
    return Seen.ENDED, f"Stopped from outside: {ended(container)}."


def _strays(session: Session, containers: list[Container]) -> list[dict[str, Any]]:
    """Containers of ours that no version knows. One that a crash left behind still has its version's mark."""
    known = set(session.scalars(select(Version.container_id)))
    versions = set(session.scalars(select(Version.id)))
    return [
        {"id": c.id, "name": c.name, "state": str(c.state), "app": c.owner.app if c.owner else ""}
        for c in sorted(containers, key=lambda c: c.name)
        if c.id not in known and (c.owner is None or c.owner.version not in versions)
    ]
