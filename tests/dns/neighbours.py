"""Two installations of the panel, each with its own database, that keep records in one zone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile
from typing import TypeVar

from flask import Flask

from tests.dns.panel_world import Panel
from tests.support import make_config
from webapp import create_app
from webapp.db import db
from webapp.dns.desired import Mode
from webapp.dns.records import Target

Found = TypeVar("Found")
ADDRESSES = ("192.0.2.1", "192.0.2.2")


class Neighbour:
    """One of the two; `number` decides what its records point at."""

    def __init__(self, app: Flask, number: int, beside: "Neighbour | None" = None) -> None:
        self.app, self.address = app, ADDRESSES[number]
        self.panel = self.tell(lambda: Panel(managed=False))
        if beside is not None:
            self.panel.token, self.panel.account = beside.panel.token, beside.panel.account
            self.panel.zone = beside.panel.zone
        credentials = {"token": self.panel.token}
        self.tell(
            lambda: self.panel.save(
                mode=Mode.MANAGED, zone=self.panel.zone, credentials=credentials, target=Target(self.address)
            )
        )
        self.id = self.tell(lambda: self.panel.settings().install_id)

    def tell(self, act: Callable[[], Found]) -> Found:
        """Have something done in its process."""
        with self.app.app_context():
            return act()

    def claim(self, *names: str, proxy: int = 1) -> None:
        """A proxy of it wants these names, and the worker makes a pass."""
        self.tell(lambda: self.panel.claim(*names, proxy=proxy))
        self.round()

    def round(self) -> None:
        """One pass of its worker."""
        self.tell(self.panel.round)

    def check(self) -> int:
        """A pass when the next regular look is due; returns how much it wrote."""
        return self.tell(lambda: self.panel.writes_during(self.panel.check))

    def ours(self) -> list[object]:
        """What is at the provider with its mark."""
        return [record for record in self.panel.records() if record.mark == self.id]

    def statuses(self) -> dict[str, str]:
        """Status by name."""
        return self.tell(self.panel.statuses)


@contextmanager
def apps(folder: Path, tables: Path) -> Iterator[list[Flask]]:
    """Two apps with databases of their own."""
    made = []
    for name in ("one", "two"):
        (folder / name).mkdir()
        copyfile(tables, folder / name / tables.name)
        made.append(create_app(make_config(folder / name)))
    yield made
    for app in made:
        with app.app_context():
            db.engine.dispose()
