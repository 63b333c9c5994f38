"""Whether a container is ready: from the engine's word, or from a knock at its port."""

import socket
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest

from webapp.deploy.engine import Container, Health, Mount, MountKind, Restart, State
from webapp.deploy.health import Check, CheckKind, NetworkProbe, Verdict, look
from webapp.deploy.recipe import Reach, Recipe, Strategy, takeover

RUNNING = Container("c", "forge-blog", "i", State.RUNNING, Health.NONE, None)
WHERE = ("10.0.0.5", 8080)


class Door:
    """A port that answers as told."""

    def __init__(self, listens=True, status=200):
        self._listens, self._status = listens, status
        self.asked = []

    def listens(self, host, port, seconds):
        self.asked.append((host, port))
        return self._listens

    def status(self, url, seconds):
        self.asked.append(url)
        return self._status


def verdict(container=RUNNING, check=Check(), door=None, own=False, scheme="http"):  # noqa: B008
    finding = look(container, check, WHERE, door or Door(), scheme=scheme, own=own)
    return finding.verdict, finding.reason


@pytest.mark.parametrize(
    ("health", "expected"),
    [(Health.STARTING, Verdict.NOT_YET), (Health.HEALTHY, Verdict.READY), (Health.UNHEALTHY, Verdict.FAILED)],
)
def test_an_image_with_a_check_is_taken_at_its_word(health, expected):
    door = Door(listens=False)
    assert verdict(replace(RUNNING, health=health), door=door, own=True)[0] is expected
    assert door.asked == []


def test_what_the_check_said_is_told():
    sick = replace(RUNNING, health=Health.UNHEALTHY, health_output="no database")
    assert "(no database)" in verdict(sick, own=True)[1]


@pytest.mark.parametrize("kind", [CheckKind.AUTO, CheckKind.TCP])
def test_without_one_the_port_is_knocked_at(kind):
    assert verdict(check=Check(kind))[0] is Verdict.READY
    assert verdict(check=Check(kind), door=Door(listens=False)) == (
        Verdict.NOT_YET, "nobody listens on 10.0.0.5:8080",
    )  # fmt: skip


def test_an_http_check_wants_its_status():
    check = Check(CheckKind.HTTP, path="/healthz", status=204)
    door = Door(status=204)
    assert verdict(check=check, door=door, scheme="https")[0] is Verdict.READY
    assert door.asked == ["https://10.0.0.5:8080/healthz"]
    assert "answers 500, expected 204" in verdict(check=check, door=Door(status=500))[1]
    assert "does not answer" in verdict(check=check, door=Door(status=None))[1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": State.EXITED, "exit_code": 3}, "exit code 3"),
        ({"state": State.EXITED, "out_of_memory": True}, "more memory"),
        ({"state": State.CREATED, "error": "no such file"}, "no such file"),
        ({"restarts": 2}, "keeps ending and"),
        ({"restarts": 2, "exit_code": 1, "state": State.RESTARTING}, "with exit code 1"),
        ({"state": State.PAUSED}, "paused"),
    ],
)
def test_one_that_does_not_run_has_failed_and_says_why(changes, words):
    found, reason = verdict(replace(RUNNING, **changes))
    assert found is Verdict.FAILED
    assert words in reason


@contextmanager
def server(answer):
    """A port whose server does something with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            try:
                while True:
                    connection, _ = listener.accept()
                    answer(connection)
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def test_a_server_that_waits_for_us_listens():
    kept = []
    with server(kept.append) as port:
        assert NetworkProbe().listens("127.0.0.1", port, 1)


def test_a_server_that_greets_listens():
    def greet(connection):
        connection.sendall(b"220 hello\r\n")
        connection.close()

    with server(greet) as port:
        assert NetworkProbe().listens("127.0.0.1", port, 1)


def test_a_forwarder_with_nobody_behind_it_does_not():
    with server(lambda connection: connection.close()) as port:
        assert not NetworkProbe().listens("127.0.0.1", port, 1)


def test_a_connection_that_is_reset_does_not():
    def reset(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.close()

    with server(reset) as port:
        assert not NetworkProbe().listens("127.0.0.1", port, 1)


def test_a_closed_port_does_not():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert not NetworkProbe().listens("127.0.0.1", port, 1)
    assert NetworkProbe().status(f"http://127.0.0.1:{port}/", 1) is None


def test_a_status_is_read():
    def answer(connection):
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.close()

    with server(answer) as port:
        assert NetworkProbe().status(f"http://127.0.0.1:{port}/", 2) == 418


DATA = Mount(MountKind.VOLUME, "data", "/data")
PLAIN = Recipe(image="acme/web", tag="v1", port=8080)


@pytest.mark.parametrize(
    ("recipe", "how"),
    [
        (PLAIN, Strategy.BLUE_GREEN),
        (replace(PLAIN, mounts=(DATA,)), Strategy.STOP_FIRST),
        (replace(PLAIN, mounts=(replace(DATA, read_only=True),)), Strategy.BLUE_GREEN),
        (replace(PLAIN, host_port=80), Strategy.STOP_FIRST),
        (replace(PLAIN, host_port=80, reach=Reach.NETWORK), Strategy.BLUE_GREEN),
        (replace(PLAIN, mounts=(DATA,), strategy=Strategy.BLUE_GREEN), Strategy.BLUE_GREEN),
        (replace(PLAIN, strategy=Strategy.STOP_FIRST), Strategy.STOP_FIRST),
    ],
)
def test_how_a_version_takes_over_is_decided_with_a_reason(recipe, how):
    found, why = takeover(recipe)
    assert found is how
    assert why


def test_a_recipe_comes_back_as_it_was_written():
    recipe = replace(
        PLAIN, env={"A": "1"}, command=("run", "it"), mounts=(DATA,), labels={"team": "web"},
        restart=Restart.ON_FAILURE, reach=Reach.NETWORK, network="proxy", check=Check(CheckKind.HTTP, "/up", 204),
        strategy=Strategy.STOP_FIRST, cpus=0.5,
    )  # fmt: skip
    assert Recipe.loads(recipe.dumps()) == recipe


def test_secrets_are_not_in_what_a_recipe_shows_of_itself():
    assert "planted" not in repr(replace(PLAIN, env={"TOKEN": "planted"}))
