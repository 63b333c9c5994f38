"""`tiny-forge serve` and `tiny-forge worker`: the panel with everything it needs, until it is told to stop."""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click
import waitress
from flask import Flask, current_app
from flask.cli import ScriptInfo, with_appcontext

from webapp.auth.first_run import announce_setup, ensure_admin_from_env
from webapp.errors import ForgeError
from webapp.worker import Worker

THREADS = 8
PATIENCE = 25
"""Seconds that a step gets to end when the process is told to: service managers wait little longer."""

log = logging.getLogger(__name__)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on."
)
@click.option(
    "--sandbox", is_flag=True, help="Try it out: stand-ins for the services, nothing leaves the machine."
)
def serve(host: str, port: int, sandbox: bool) -> None:
    """Run the panel: web server and worker in one process."""
    _log_to_terminal()
    check_port(host, port)
    if sandbox:
        from webapp.sandbox.world import World

        with World() as world:
            world.prepare(say=click.echo)
            run(world.app, host, port, ask=world.resolve, probe=world.engine.probe)
        return
    run(click.get_current_context().ensure_object(ScriptInfo).load_app(), host, port)


@click.command()
@with_appcontext
def worker() -> None:
    """Run a worker without the web server."""
    _log_to_terminal()
    with working(current_app._get_current_object()) as thread:  # type: ignore[attr-defined]
        on_stop()
        stopped = False
        try:
            while thread.is_alive():
                time.sleep(1)  # not join: interrupted, it takes the thread for ended
        except KeyboardInterrupt:
            stopped = True
    if stopped:
        leave(thread)
        return
    raise ForgeError("The worker ended by a fault of its own; the lines above say which.")


def run(app: Flask, host: str, port: int, **worker_options: Any) -> None:
    """Serve the app until SIGTERM or Ctrl-C. Raises ForgeError when the port cannot be used."""
    ensure_admin_from_env(app)
    if text := announce_setup(app):
        click.echo(text)
    server = listen(app, host, port)
    place = f"[{host}]" if ":" in host else host
    with working(app, **worker_options) as thread:
        on_stop()
        click.echo(f"Tiny Forge is at http://{place}:{port} (press Ctrl-C to stop).")
        with suppress(KeyboardInterrupt):  # a second one, while the requests under way are finished
            server.run()
        log.info("stopping")
        server.close()
    leave(thread)


@contextmanager
def working(app: Flask, **options: Any) -> Iterator[threading.Thread]:
    """Have a worker beside the block; it ends with it, after the step it is at."""
    worker = Worker(app, **options)
    thread = threading.Thread(target=worker.run, name="worker")
    thread.start()
    try:
        yield thread
    finally:
        worker.stop()
        thread.join(timeout=PATIENCE)


def leave(worker: threading.Thread) -> None:
    """End the process although a step of the worker still waits for an answer: it is taken up at the next start."""
    if worker.is_alive():
        log.warning("a step did not end in %s seconds; it is taken up at the next start", PATIENCE)
        logging.shutdown()
        os._exit(0)


def check_port(host: str, port: int) -> None:
    """Raise ForgeError with the reason when nothing can listen there; costs nothing to find out first."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ForgeError(
                f"Cannot listen on {host} port {port}: {error.strerror}. "
                "Stop what uses it, or choose another with --host and --port."
            ) from error


def listen(app: Flask, host: str, port: int) -> Any:
    """The web server, bound to its port."""
    try:
        return waitress.create_server(
            app, host=host, port=port, threads=THREADS, ident=None, clear_untrusted_proxy_headers=False
        )
    except OSError as error:
        raise ForgeError(f"Cannot listen on {host} port {port}: {error.strerror}.") from error


def on_stop() -> None:
    """Have SIGTERM do the same as Ctrl-C."""

    def stop(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


def _log_to_terminal() -> None:
    logging.getLogger().setLevel(logging.INFO)
    for noisy in ("waitress.queue", "alembic", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
