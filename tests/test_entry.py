"""The ways in: the WSGI application, the command, and what it prints when it cannot work."""

import importlib
import os
import signal

import pytest
from click.testing import CliRunner

import webapp.serve
from webapp.cli import group
from webapp.errors import ForgeError
from webapp.serve import listen, run, worker
from webapp.worker import Worker


@pytest.fixture
def entry(monkeypatch, tmp_path):
    """A fresh import of the entry module, with a data directory of its own."""
    monkeypatch.setenv("TINY_FORGE_DATA_DIR", str(tmp_path / "data"))
    return importlib.reload(importlib.import_module("app"))


@pytest.fixture
def orderly():
    """Handlers as they were, afterwards."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_server_finds_the_application(entry):
    assert entry.app.name == "webapp"
    assert entry.app is entry.app


def test_nothing_else_is_made_up(entry):
    with pytest.raises(AttributeError):
        _ = entry.application


def test_every_command_is_there():
    result = CliRunner().invoke(group, ["--help"])
    assert result.exit_code == 0
    for command in ("serve", "worker", "demo", "doctor", "user", "settings", "proxy", "dns"):
        assert f"  {command} " in result.output


@pytest.mark.parametrize(
    "args", [["nonsense"], ["proxy", "nonsense"], ["serve", "--port", "0"], ["serve", "--port", "x"]]
)
def test_bad_usage_exits_with_2(monkeypatch, tmp_path, args):
    monkeypatch.setenv("TINY_FORGE_DATA_DIR", str(tmp_path))
    assert CliRunner().invoke(group, args).exit_code == 2


def test_a_command_brings_the_database_up_to_date(monkeypatch, tmp_path):
    monkeypatch.setenv("TINY_FORGE_DATA_DIR", str(tmp_path / "data"))
    for _ in "12":
        result = CliRunner().invoke(group, ["proxy", "list"])
        assert (result.exit_code, result.output) == (0, "No proxies yet.\n")


class Server:
    """A web server that is told to stop at once."""

    def __init__(self, error):
        self.error = error

    def run(self):
        raise self.error

    def close(self):
        """Nothing is open."""


@pytest.mark.usefixtures("orderly")
def test_the_worker_ends_with_the_web_server(app, monkeypatch, capsys):
    ended = []
    monkeypatch.setattr(webapp.serve.waitress, "create_server", lambda *_, **__: Server(KeyboardInterrupt()))
    monkeypatch.setattr(Worker, "run", lambda self: ended.append(self._stopping.wait(5)))
    run(app, "::1", 8123)
    assert "Tiny Forge is at http://[::1]:8123" in capsys.readouterr().out
    assert ended == [True]


def test_a_port_taken_in_the_last_moment_is_told(app, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(webapp.serve.waitress, "create_server", refuse)
    with pytest.raises(ForgeError, match=r"Cannot listen on 127\.0\.0\.1 port 8123: Address already in use"):
        listen(app, "127.0.0.1", 8123)


@pytest.mark.usefixtures("orderly")
def test_a_worker_that_ends_by_itself_is_a_failure(app, monkeypatch):
    monkeypatch.setattr(Worker, "run", lambda _self: None)
    result = app.test_cli_runner().invoke(worker)
    assert isinstance(result.exception, ForgeError)


@pytest.mark.usefixtures("orderly")
def test_a_worker_that_is_told_to_stop_is_none(app, monkeypatch):
    monkeypatch.setattr(Worker, "run", lambda self: self._stopping.wait(5))
    monkeypatch.setattr(webapp.serve.time, "sleep", lambda _s: os.kill(os.getpid(), signal.SIGTERM))
    assert app.test_cli_runner().invoke(worker).exit_code == 0


@pytest.mark.usefixtures("orderly")
def test_the_sandbox_does_the_main_job_before_it_serves(monkeypatch):
    served = []
    monkeypatch.setattr(webapp.serve, "run", lambda app, host, port, **_: served.append((app, host, port)))
    result = CliRunner().invoke(group, ["serve", "--sandbox", "--port", "28123"])
    assert result.exit_code == 0
    assert "at Cloudflare: A app.example.com -> 203.0.113.10" in result.output
    assert "app.example.com -> http://192.168.1.20:8080" in result.output
    assert "Sign in as admin with the password " in result.output
    ((app, host, port),) = served
    assert (app.config["FORGE"].sandbox, host, port) == (True, "127.0.0.1", 28123)
