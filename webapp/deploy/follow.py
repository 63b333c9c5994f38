"""Follows an action on the terminal to its end: its log, and the progress of a pull where there is a terminal."""

import sys
import time

import click

from webapp.db import reading
from webapp.deploy import rows
from webapp.deploy.actions import Action, Level, Phase
from webapp.terminal import say

COLOURS = {Level.WARNING: "yellow", Level.ERROR: "red", Level.OUTPUT: "bright_black"}
EVERY = 0.2


def follow(action_id: int, *, as_json: bool) -> int:
    """Print the log as it grows; returns the exit code: 0 done, 1 failed or cancelled."""
    seen, shown = 0, False
    while True:
        with reading() as session:
            action = rows.action(session, action_id)
            lines = rows.lines(session, action_id, seen)
        if lines and shown:
            click.echo("\r\033[K", nl=False)
            shown = False
        for line in lines:
            seen = line.id
            if not as_json:
                indent = "    " if line.level is Level.OUTPUT else ""
                click.secho(indent + line.text, fg=COLOURS.get(line.level))
        if action.is_over:
            break
        if not as_json and sys.stdout.isatty():
            shown = _progress(action) or shown
        time.sleep(EVERY)
    if as_json:
        facts = {"action": action.id, "phase": action.phase, "error": action.error, "title": action.title}
        say(facts, "", as_json=True)
    return 0 if action.phase is Phase.DONE else 1


def _progress(action: Action) -> bool:
    """One line that is written over itself. Returns whether there was anything to tell."""
    layers = action.progress.get("layers", []) if action.phase is Phase.PULLING else []
    total = sum(layer["total"] for layer in layers)
    if not total:
        return False
    done = sum(min(layer["done"], layer["total"]) for layer in layers)
    share = int(20 * done / total)
    bar = "#" * share + "-" * (20 - share)
    click.echo(f"\r\033[K[{bar}] {done / 1e6:.1f} of {total / 1e6:.1f} MB", nl=False)
    return True
