"""Laws that hold in every history: ours only, always up, what is wished comes true, and then there is peace."""

import os
import sys
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.dns.history_chance import BACKEND
from tests.dns.history_guard import Guard, Guarded
from tests.dns.history_install import Install
from tests.dns.history_machine import Histories
from tests.support import make_config
from webapp import create_app
from webapp.config import Config
from webapp.db import db
from webapp.dns import providers
from webapp.dns.providers.memory import ACCOUNTS, Account
from webapp.dns.records import Zone

pytestmark = pytest.mark.matrix

SHARDS = 8
HISTORIES = int(os.environ.get("TINY_FORGE_HISTORIES", "1600"))
"""Of one installation; of two half as many."""

SEED = int(os.environ.get("TINY_FORGE_HISTORIES_SEED", "0"))
"""Every run tries the same histories; another number means others."""


class Panels:
    """Apps that are used for one history after the other."""

    def __init__(self, folder: Path, tables: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.tables, self.patch = folder, tables, patch
        self.apps: list[tuple[Flask, Config]] = []

    def begin(self, installs: int) -> tuple[Guard, list[Install]]:
        """A new world: two accounts with one zone each."""
        guard = Guard([Account(), Account(ids=count(10_000))])
        places = []
        for number, name in enumerate(("example.com", "shop.example.com")):
            account = ACCOUNTS[f"account {number}"] = guard.accounts[number]
            zone = account.zones[name] = Zone(f"zone {number}", name)
            account.records[zone.id] = {}
            places.append((f"account {number}", zone))
        kind = providers.KINDS["memory"]
        self.patch.setitem(providers.KINDS, "memory", providers.Kind(
            "memory", kind.label, kind.credentials, partial(Guarded, guard)
        ))  # fmt: skip
        while len(self.apps) < installs:
            self.apps.append(self._app(self.folder / str(len(self.apps))))
        return guard, [
            Install(f"forge-{number}", app, config, guard, places)
            for number, (app, config) in enumerate(self.apps[:installs])
        ]

    def _app(self, folder: Path) -> tuple[Flask, Config]:
        folder.mkdir()
        copyfile(self.tables, folder / self.tables.name)
        config = make_config(folder)
        return create_app(config), config


@pytest.fixture
def untraced() -> Iterator[None]:
    """Measuring coverage would take half of the time; and what only chance has been to has no test."""
    tracer = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(tracer)


@pytest.fixture
def panels(tmp_path: Path, tables: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Panels]:
    panels = Panels(tmp_path, tables, monkeypatch)
    yield panels
    for app, _ in panels.apps:
        with app.app_context():
            db.engine.dispose()


@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("installs", [1, 2])
def test_every_history_comes_to_a_good_end(panels: Panels, tally: Any, installs: int, shard: int) -> None:
    ended: list[int] = []

    @seed(SEED * SHARDS + shard)
    class Machine(Histories):
        begin = staticmethod(lambda: panels.begin(installs))
        ended = staticmethod(lambda: ended.append(1))

    failed = 1
    try:
        run_state_machine_as_test(Machine, settings=_settings(HISTORIES // SHARDS // installs))
        failed = 0
    finally:
        tally(f"Histories of {installs}", len(ended) + failed, len(ended))


def _settings(histories: int) -> settings:
    return settings(
        max_examples=histories,
        backend=BACKEND,
        stateful_step_count=25,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
