"""The `tiny-forge` command: mounts what each feature offers, and turns errors into exit codes."""

import gc
import logging
import sys
from typing import Any

import click
from flask.cli import FlaskGroup

from webapp.actor import COMMAND_LINE, acting_as
from webapp.auth.cli import user
from webapp.deploy.cli import app
from webapp.deploy.instance_cli import deploy, instance
from webapp.dns.history_cli import dns
from webapp.errors import ForgeError, InvalidInput
from webapp.proxy.certificates.cli import cert
from webapp.proxy.review_cli import proxy
from webapp.sandbox.demo import demo
from webapp.serve import serve, worker
from webapp.settings.cli import doctor, settings


class ForgeGroup(FlaskGroup):
    """Exit code 0 for done, 1 for failed, 2 for bad usage or bad input; never a traceback for an expected fault."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.params = []  # Flask's own options choose an application; here there is only one

    def _load_plugin_commands(self) -> None:
        """No commands of libraries: migrations run by themselves."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with acting_as(COMMAND_LINE):
                return super().invoke(ctx)
        except ForgeError as error:
            click.echo(error.message, err=True)
            ctx.exit(2 if isinstance(error, InvalidInput) else 1)


def _create_app() -> Any:
    from webapp import create_app, migrations

    app = create_app()
    migrations.upgrade(app)
    return app


@click.group(
    cls=ForgeGroup, create_app=_create_app, add_default_commands=False, add_version_option=False,
    context_settings={"help_option_names": ["-h", "--help"]}, load_dotenv=False,
)  # fmt: skip
def group() -> None:
    """Tiny Forge: proxy hosts and DNS records as one thing that stays true."""
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )


for command in (serve, worker, demo, doctor, user, settings, proxy, cert, app, deploy, instance, dns):
    group.add_command(command)


def collect_seldom() -> None:
    """Have Python look for garbage in cycles less often: a round over ten thousand names makes hardly any of it,
    and would spend a third of its time on looking."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def main() -> None:
    """The console entry point."""
    collect_seldom()
    group.main(prog_name="tiny-forge")
