"""The loopback server: it answers, keeps a log, is slow, stops, and fails on request."""

import socket
import threading
import time

import pytest
import requests

from webapp.sandbox.server import Failure, Reply, Request, StandIn


class Counter(StandIn):
    """Counts its requests and says how many there were."""

    def __init__(self, port=0):
        super().__init__(port)
        self.count = 0

    def handle(self, request: Request) -> Reply:
        self.count += 1
        return Reply(200, {"count": self.count})


@pytest.fixture
def counter():
    with Counter() as standin:
        yield standin


def get(counter, path="/", timeout=5):
    return requests.get(counter.address + path, timeout=timeout)


def get_in_vain(counter):
    with pytest.raises(requests.ConnectionError):
        get(counter, timeout=20)


def test_a_request_is_answered_as_json(counter):
    assert get(counter).json() == {"count": 1}


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"\x00", "application/octet-stream"), ("<p>", "text/html"), ([], "application/json; charset=utf-8")],
)
def test_the_body_decides_the_content_type(counter, body, kind):
    counter.fail(Failure.ANSWER, reply=Reply(200, body))
    assert get(counter).headers["Content-Type"] == kind


def test_a_reply_can_name_its_own_content_type(counter):
    counter.fail(Failure.ANSWER, reply=Reply(200, b"ok", {"Content-Type": "text/plain"}))
    assert get(counter).headers["Content-Type"] == "text/plain"


def test_the_handler_sees_method_path_query_headers_and_body(counter):
    requests.patch(counter.address + "/a/b?x=1&x=2&flag", json={"k": 1}, headers={"X-Big": "y"}, timeout=5)
    seen, status = counter.log[0]
    assert (seen.method, seen.path, seen.headers["x-big"]) == ("PATCH", "/a/b", "y")
    assert seen.query == {"x": ["1", "2"], "flag": [""]}
    assert (seen.first("x"), seen.first("none", "-"), seen.json(), status) == ("1", "-", {"k": 1}, 200)


def test_requests_on_one_connection_are_all_answered(counter):
    with requests.Session() as session:
        answers = [session.post(counter.address, data=b"x" * n, timeout=5).json() for n in (0, 1, 9000)]
    assert [answer["count"] for answer in answers] == [1, 2, 3]


@pytest.mark.parametrize(
    ("failure", "made"),
    [
        (Failure.RESET_BEFORE, 0),
        (Failure.RESET_AFTER, 1),
        (Failure.HANG_BEFORE, 0),
        (Failure.HANG_AFTER, 1),
    ],
)
def test_a_dropped_connection_may_or_may_not_have_made_the_change(counter, failure, made):
    counter.fail(failure, seconds=0.05)
    with pytest.raises(requests.ConnectionError):
        get(counter)
    assert counter.count == made
    assert counter.log[0][1] == 0


@pytest.mark.parametrize("failure", [Failure.HANG_BEFORE, Failure.HANG_AFTER])
def test_a_hanging_request_outlasts_the_client(counter, failure):
    counter.fail(failure, seconds=30)
    with pytest.raises(requests.ReadTimeout):
        get(counter, timeout=0.2)


def test_a_reset_is_a_tcp_reset_and_not_an_end(counter):
    counter.fail(Failure.RESET_BEFORE)
    with socket.create_connection(("127.0.0.1", counter.port), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


@pytest.mark.parametrize(("failure", "made"), [(Failure.ANSWER, 0), (Failure.ANSWER_AFTER, 1)])
def test_an_answer_can_be_replaced_before_or_after_the_change(counter, failure, made):
    counter.fail(failure, reply=Reply(502, "<h1>Bad Gateway</h1>"))
    assert get(counter).status_code == 502
    assert counter.count == made


def test_a_truncated_body_is_no_json_but_the_change_was_made(counter):
    counter.fail(Failure.TRUNCATE)
    answer = get(counter)
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert counter.count == 1


def test_a_fault_is_used_up(counter):
    counter.fail(Failure.ANSWER, times=2, reply=Reply(503))
    assert [get(counter).status_code for _ in range(3)] == [503, 503, 200]


def test_a_fault_can_let_some_requests_pass_first(counter):
    counter.fail(Failure.ANSWER, skip=1, reply=Reply(503))
    assert [get(counter).status_code for _ in range(3)] == [200, 503, 200]


def test_a_fault_takes_only_what_it_matches(counter):
    counter.fail(Failure.ANSWER, matches=lambda request: request.path == "/b", reply=Reply(503))
    assert [get(counter, path).status_code for path in ("/a", "/b")] == [200, 503]


def test_the_log_holds_the_status_of_every_request(counter):
    counter.fail(Failure.ANSWER, reply=Reply(503))
    get(counter, "/first")
    get(counter, "/second")
    assert [(request.path, status) for request, status in counter.log] == [("/first", 503), ("/second", 200)]


def test_latency_delays_every_answer(counter):
    counter.latency = 0.2
    started = time.monotonic()
    get(counter)
    assert time.monotonic() - started >= 0.2


def test_a_stopped_server_refuses_connections(counter):
    counter.stop()
    with pytest.raises(requests.ConnectionError):
        get(counter)


def test_a_server_starts_again_on_the_same_port_with_its_state(counter):
    get(counter)
    port = counter.port
    counter.stop()
    counter.start()
    assert counter.port == port
    assert get(counter).json() == {"count": 2}


def test_stopping_ends_kept_connections(counter):
    with requests.Session() as session:
        session.get(counter.address, timeout=5)
        counter.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(counter.address, timeout=5)


def test_a_slow_request_is_not_carried_out_once_the_server_is_stopped(counter):
    arrived = threading.Event()
    counter.latency = 30

    class Watched(threading.Event):
        def wait(self, timeout=None):
            arrived.set()
            return super().wait(timeout)

    counter._stopping = Watched()
    caller = threading.Thread(target=get_in_vain, args=(counter,))
    caller.start()
    assert arrived.wait(5)
    counter.stop()
    caller.join(5)
    assert not caller.is_alive()
    assert counter.count == 0


def test_a_mistake_in_a_stand_in_is_reported(counter, capfd):
    counter.handle = lambda request: 1 / 0
    with pytest.raises(requests.ConnectionError):
        get(counter)
    assert "ZeroDivisionError" in capfd.readouterr().err
