"""Follows an action on the terminal to its end: its log, and the progress of a pull where there is a terminal."""

import sys
import time
from typing import Any

import click

from webapp.db import reading
from webapp.deploy import rows
from webapp.deploy.actions import Action, Level, Phase
from webapp.terminal import say

COLOURS = {Level.WARNING: "yellow", Level.ERROR: "red", Level.OUTPUT: "bright_black"}
EVERY = 0.2


def follow(action_id: int, *, as_json: bool) -> int:
    """Print the log as it grows; returns the exit code: 0 done, 1 failed or cancelled."""
    seen, bar = 0, _Bar(not as_json and sys.stdout.isatty())
    while True:
        with reading() as session:
            action = rows.action(session, action_id)
            lines = rows.lines(session, action_id, seen)
        if lines:
            bar.finish()
        for line in lines:
            seen = line.id
            if not as_json:
                indent = "    " if line.level is Level.OUTPUT else ""
                click.secho(indent + line.text, fg=COLOURS.get(line.level))
        if action.is_over:
            break
        bar.show(action)
        time.sleep(EVERY)
    if as_json:
        facts = {"action": action.id, "phase": action.phase, "error": action.error, "title": action.title}
        say(facts, "", as_json=True)
    return 0 if action.phase is Phase.DONE else 1


class _Bar:
    """The progress of a pull, on a terminal only."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._bar: Any = None

    def show(self, action: Action) -> None:
        """Draw how far it is, where the registry tells."""
        layers = action.progress.get("layers", []) if action.phase is Phase.PULLING else []
        total = sum(layer["total"] for layer in layers)
        if not self._wanted or not total:
            return
        if self._bar is None:
            self._bar = click.progressbar(length=total, label="Pulling")
        self._bar.length = total
        self._bar.pos = sum(min(layer["done"], layer["total"]) for layer in layers)
        self._bar.render_progress()

    def finish(self) -> None:
        """Leave the line; the next pull has a bar of its own."""
        if self._bar is not None:
            self._bar.render_finish()
            self._bar = None
