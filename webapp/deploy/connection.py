"""The way to the running app's engine, bound to this installation's mark."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask, current_app

from webapp.config import Config
from webapp.db import reading, transaction
from webapp.deploy.docker import DockerEngine
from webapp.deploy.engine import Engine
from webapp.dns import ledger
from webapp.errors import EngineError

GLANCE = 3
"""Seconds that a page waits for the engine."""

MOST_AT_ONCE = 3
"""Pages that look at the engine at the same time: the web server has few threads."""

_looking = threading.BoundedSemaphore(MOST_AT_ONCE)
Bind = Callable[[str], Engine]
"""Makes the engine for an installation id."""


def init(app: Flask, config: Config) -> None:
    """Have the app use the engine that the environment names."""
    use(
        app,
        lambda install: DockerEngine(config.docker_host, install, config.binds_dir),
        lambda install: DockerEngine(config.docker_host, install, config.binds_dir, look=GLANCE),
    )


def use(app: Flask, bind: Bind, bind_quick: Bind | None = None) -> None:
    """Have the app use another engine, as the sandbox does; `bind_quick` is the same with less patience."""
    app.extensions["engine"], app.extensions["quick engine"] = bind, bind_quick or bind
    app.extensions["bound engines"] = {}


def engine() -> Engine:
    """The engine. Making it does not talk to it yet."""
    return _bound("engine")


@contextmanager
def glance() -> Iterator[Engine]:
    """The engine, for a look while a page waits: with short limits, and only for few pages at once.

    Raises EngineError when too many look already, as they do when the engine hangs.
    """
    if not _looking.acquire(timeout=1):
        raise EngineError("The engine is slow, and other pages wait for it already. Try again in a moment.")
    try:
        yield _bound("quick engine")
    finally:
        _looking.release()


def _bound(kind: str) -> Engine:
    found: dict[tuple[str, str], Engine] = current_app.extensions["bound engines"]
    key = kind, _install()
    if key not in found:
        found[key] = current_app.extensions[kind](key[1])
    return found[key]


def _install() -> str:
    with reading() as session:
        known = ledger.settings_or_none(session)
        if known is not None:
            return known.install_id
    with transaction() as session:
        return ledger.settings(session).install_id
