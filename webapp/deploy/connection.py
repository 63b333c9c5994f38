"""The way to the running app's engine, bound to this installation's mark."""

from collections.abc import Callable

from flask import Flask, current_app

from webapp.config import Config
from webapp.db import reading, transaction
from webapp.deploy.docker import DockerEngine
from webapp.deploy.engine import Engine
from webapp.dns import ledger

Bind = Callable[[str], Engine]
"""Makes the engine for an installation id."""


def init(app: Flask, config: Config) -> None:
    """Have the app use the engine that the environment names."""
    use(app, lambda install: DockerEngine(config.docker_host, install, config.binds_dir))


def use(app: Flask, bind: Bind) -> None:
    """Have the app use another engine, as the sandbox does."""
    app.extensions["engine"] = bind
    app.extensions.pop("bound engine", None)


def engine() -> Engine:
    """The engine. Making it does not talk to it yet."""
    found: dict[str, Engine] = current_app.extensions.setdefault("bound engine", {})
    install = _install()
    if install not in found:
        found[install] = current_app.extensions["engine"](install)
    return found[install]


def _install() -> str:
    with reading() as session:
        known = ledger.settings_or_none(session)
        if known is not None:
            return known.install_id
    with transaction() as session:
        return ledger.settings(session).install_id
