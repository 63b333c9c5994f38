"""How commands answer: a plain table or a sentence for people, JSON for programs."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
from wtforms import Form

from webapp.errors import InvalidInput

as_json: Callable[[Any], Any] = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, empty: str) -> None:
    """Print rows; for people only the named columns, aligned."""
    if as_json:
        click.echo(json.dumps(list(rows), indent=2, default=str))
        return
    if not rows:
        click.echo(empty)
        return
    cells = [list(columns), *([_cell(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    for line in cells:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def say(facts: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    """Print one result."""
    click.echo(json.dumps(facts, indent=2, default=str) if as_json else sentence)


def confirm(yes: bool, question: str) -> None:
    """Ask, unless that was answered on the command line. Raises InvalidInput where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidInput(f"{question} Add --yes to do it.")
    click.confirm(question, abort=True)


def checked(form: Form) -> None:
    """Raise InvalidInput with everything that is wrong in the form, field by field."""
    if form.validate():
        return
    problems = [f"{name}: {error}" for name, errors in form.errors.items() for error in errors]
    raise InvalidInput("\n".join(problems))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(str(value).split())  # one line each, whatever another program's message looks like
