"""`tiny-forge user`: accounts from the command line, also when nobody can sign in any more."""

import json
import sys
from collections.abc import Callable

import click
from flask import current_app
from flask.cli import AppGroup

from webapp.auth import first_run, service
from webapp.config import Config
from webapp.db import now
from webapp.errors import ForgeError, InvalidInput

user = AppGroup("user", help="Create accounts and set passwords.")

from_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
as_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@user.command("create")
@click.argument("name")
@from_stdin
@as_json
def create(name: str, password_stdin: bool, as_json: bool) -> None:
    """Create the account NAME."""

    def work() -> str:
        made = service.create_account(name, _password(password_stdin), now())
        config: Config = current_app.config["FORGE"]
        first_run.forget_code(config.data_dir)
        return made.name

    _answer(work, "Created the account", "created", as_json)


@user.command("password")
@click.argument("name")
@from_stdin
@as_json
def password(name: str, password_stdin: bool, as_json: bool) -> None:
    """Set the password of NAME and end all its sign-ins."""

    def work() -> str:
        return service.reset_password(name, _password(password_stdin))

    _answer(work, "Set the password of", "changed", as_json)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    entered: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return entered


def _answer(work: Callable[[], str], sentence: str, status: str, as_json: bool) -> None:
    """Do it and say so; exit code 2 for input that cannot be used, 1 for all else that went wrong."""
    try:
        name = work()
    except ForgeError as error:
        click.echo(json.dumps({"error": error.message}) if as_json else f"Error: {error.message}", err=True)
        raise SystemExit(2 if isinstance(error, InvalidInput) else 1) from error
    click.echo(json.dumps({"name": name, "status": status}) if as_json else f"{sentence} {name}.")
