"""What an operator is told for each way the engine can fail."""

import socket

import pytest

from webapp.deploy import docker_errors as errors
from webapp.deploy.docker_errors import Call
from webapp.deploy.docker_network import make_network
from webapp.deploy.engine import Gone, Login, PortTaken
from webapp.errors import EngineError

HOST = "unix:///var/run/docker.sock"
LOOK = Call("list the containers", "GET /containers/json")
CHANGE = Call("start blog", "POST /containers/abc/start", changing=True)
LOGIN = Login("ada", "s3cret-reg")
REFERENCE = "reg.example.com/acme/web:v1"


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (FileNotFoundError(), "/var/run/docker.sock"),
        (PermissionError(), "group"),
        (ConnectionRefusedError(), "does not run"),
        (socket.gaierror(), "cannot be resolved"),
    ],
)
def test_without_a_connection_it_says_what_to_do(cause, words):
    wrapped = OSError("aborted", OSError("inner", cause))
    error = errors.unreachable(HOST, LOOK, wrapped)
    assert words in error.message
    assert error.will_heal


@pytest.mark.parametrize(
    ("call", "words"), [(LOOK, "could not list"), (CHANGE, "could not confirm that it did start blog")]
)
@pytest.mark.parametrize(
    ("cause", "why"), [(TimeoutError(), "in time"), (OSError("reset"), "broke the connection")]
)
def test_a_lost_answer_leaves_a_change_in_doubt(call, words, cause, why):
    error = errors.unreachable(HOST, call, cause)
    assert words in error.message
    assert why in error.message
    assert error.will_heal


@pytest.mark.parametrize(
    "words",
    [
        "driver failed programming external connectivity on endpoint x (abc): Bind for 127.0.0.1:20001 failed: "
        "port is already allocated",
        "Error starting userland proxy: listen tcp4 127.0.0.1:20001: bind: address already in use",
    ],
)
def test_a_port_that_is_taken_is_named(words):
    error = errors.refused(CHANGE, 500, words)
    assert isinstance(error, PortTaken)
    assert "20001" in error.message


@pytest.mark.parametrize(
    ("status", "words", "kind", "heals"),
    [
        (403, "", EngineError, False),
        (404, "No such container: abc", Gone, False),
        (404, "network proxy not found", EngineError, False),
        (409, "You cannot remove a running container", EngineError, False),
        (409, "removal of container abc is already in progress", EngineError, True),
        (500, "the daemon is shutting down", EngineError, True),
        (500, "something odd", EngineError, False),
        (503, "", EngineError, True),
        (418, "", EngineError, False),
    ],
)
def test_a_refusal_says_whether_waiting_may_help(status, words, kind, heals):
    error = errors.refused(CHANGE, status, words)
    assert (type(error), error.will_heal) == (kind, heals)


def test_a_call_that_the_socket_proxy_refuses_is_named():
    assert "POST /containers/abc/start" in errors.refused(CHANGE, 403, "").message


def test_secrets_are_left_out_of_what_the_engine_says():
    error = errors.refused(CHANGE, 400, "bad value s3cret-value\x1b[31m", ["s3cret-value", ""])
    assert "s3cret-value" not in error.message
    assert "\x1b" not in error.message


@pytest.mark.parametrize(
    ("words", "login", "says", "heals"),
    [
        ("manifest for x not found: manifest unknown", None, "has no reg.example.com/acme/web:v1", False),
        ("no matching manifest for linux/arm64 in the manifest list", None, "processor", False),
        (
            "pull access denied for x, repository does not exist or may require login",
            None,
            "or it is private",
            False,
        ),
        ("Get http://x/v2/: no basic auth credentials", None, "wants a user name", False),
        ("unauthorized: authentication required", LOGIN, "does not accept", False),
        ("denied: requested access to the resource is denied", LOGIN, "does not accept", False),
        (
            "Get http://x/v2/: dial tcp 127.0.0.1:9: connect: connection refused",
            None,
            "cannot reach reg.example.com",
            True,
        ),
        ("dial tcp: lookup x on 1.1.1.1:53: no such host", LOGIN, "cannot reach reg.example.com", True),
        ("received unexpected HTTP status: 503 Service Unavailable", None, "cannot reach", True),
        ("toomanyrequests: rate limit", None, "no more pulls", True),
        ("write /x: no space left on device", None, "disk", False),
        ("something about s3cret-reg", LOGIN, "something about •••", False),
    ],
)
def test_a_pull_that_failed_says_why(words, login, says, heals):
    error = errors.not_pulled(REFERENCE, words, login)
    assert says in error.message
    assert LOGIN.password not in error.message
    assert error.will_heal == heals


def test_a_pull_is_refused_by_the_registry_or_by_what_is_before_it():
    call = Call("pull x", "POST /images/create", changing=True)
    assert "has no" in errors.pull_refused(call, REFERENCE, None, 404, "manifest unknown").message
    assert "socket proxy" in errors.pull_refused(call, REFERENCE, LOGIN, 403, "").message
    assert errors.pull_refused(call, REFERENCE, None, 500, "the daemon is shutting down").will_heal


def test_the_first_question_finds_out_what_is_no_engine():
    assert "is not a container engine" in errors.no_version(HOST, 404, "").message
    assert "GET /version" in errors.no_version(HOST, 403, "").message
    assert errors.no_version(HOST, 503, "").will_heal


class Networks:
    """An engine that has networks only."""

    def __init__(self, *networks):
        self.there = list(networks)

    def ask(self, call, work):
        return work(self)

    def networks(self, names):
        return [network for network in self.there if names[0] in network["Name"]]

    def create_network(self, name, driver, **options):
        self.there.append({"Name": name, "Driver": driver, **options})


def test_a_network_is_made_once_with_our_mark():
    engine = Networks({"Name": "proxy-2", "Driver": "bridge"})
    make_network(engine, "proxy", "install-1")
    make_network(engine, "proxy", "install-1")
    made = [network for network in engine.there if network["Name"] == "proxy"]
    assert [network["labels"] for network in made] == [{"tiny-forge.install": "install-1"}]


def test_a_network_that_is_no_bridge_is_refused():
    with pytest.raises(EngineError):
        make_network(Networks({"Name": "macs", "Driver": "macvlan"}), "macs", "install-1")
