"""Requests to addresses that were entered by hand cannot be turned against the panel."""

import gzip
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network

import pytest
import requests
import requests_mock

from webapp import outgoing


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.peers.add(self.client_address)
        self.server.requests.append(self)
        status, body, headers = self.server.answers[self.path]
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Clients that hang up early are what some tests are about."""


real_getaddrinfo = socket.getaddrinfo


def only_addresses(host, *args, **kwargs):
    """The resolver, for what needs none."""
    assert host == "127.0.0.1"
    return real_getaddrinfo(host, *args, **kwargs)


@pytest.fixture
def server():
    """An HTTP server; `answers` maps paths to (status, body, headers)."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.answers, server.peers, server.requests = {"/": (200, b"hello", {})}, set(), []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_answer_is_complete_when_it_is_returned(server):
    response = outgoing.session().get(server.url, timeout=5)
    assert (response.status_code, response.content, response.text) == (200, b"hello", "hello")


def test_an_empty_answer_is_no_trouble(server):
    server.answers["/none"] = (204, b"", {})
    assert outgoing.session().post(f"{server.url}/none", json={"a": 1}, timeout=5).content == b""


def test_connections_are_kept(server):
    with outgoing.session() as session:
        for _ in range(3):
            session.get(server.url, timeout=5)
    assert len(server.peers) == 1


def test_the_local_end_can_be_chosen(server):
    assert outgoing.session(source_address=("0.0.0.0", 0)).get(server.url, timeout=5).ok
    with pytest.raises(requests.ConnectionError):
        outgoing.session(source_address=("::", 0)).get(server.url, timeout=5)


def test_a_place_is_connected_to_whatever_the_address_says(server, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", only_addresses)
    session = outgoing.session(place=("127.0.0.1", server.server_port))
    assert session.get("http://app.example.com/", timeout=1).status_code == 200
    assert server.requests[0].headers["Host"] == "app.example.com"


def test_a_place_may_keep_the_usual_port(server):
    url = f"http://app.example.com:{server.server_port}/"
    assert outgoing.session(place=("127.0.0.1", None)).get(url, timeout=1).ok


def test_a_refused_place_is_refused():
    with pytest.raises(outgoing.Forbidden):
        outgoing.session(place=("169.254.169.254", 80)).get("http://app.example.com/", timeout=1)


def test_a_redirect_is_returned_and_not_followed(server):
    server.answers["/away"] = (302, b"", {"Location": "/"})
    response = outgoing.session().get(f"{server.url}/away", timeout=5, allow_redirects=True)
    assert response.status_code == 302
    assert len(server.requests) == 1


def test_cookies_are_not_sent_back(server):
    server.answers["/set"] = (200, b"", {"Set-Cookie": "a=b; Path=/"})
    session = outgoing.session()
    session.get(f"{server.url}/set", timeout=5)
    session.get(server.url, timeout=5)
    assert "Cookie" not in server.requests[-1].headers


def test_proxies_of_the_environment_are_not_used(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert outgoing.session().get(server.url, timeout=5).ok


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "127.0.0.1/", ""]
)
def test_only_http_is_spoken(url):
    with pytest.raises(outgoing.Forbidden, match="http and https"):
        outgoing.session().get(url, timeout=5)


@pytest.mark.parametrize("kwargs", [{}, {"timeout": None}])
def test_a_timeout_must_be_given(kwargs):
    with pytest.raises(TypeError, match="timeout"):
        outgoing.session().get("http://127.0.0.1:1/", **kwargs)


def test_arguments_that_could_hide_a_timeout_are_refused():
    with pytest.raises(TypeError, match="by name"):
        outgoing.session().request("GET", "http://127.0.0.1:1/", {}, timeout=5)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.1.1",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[fd00:ec2::254]",
        "2852039166",  # 169.254.169.254 as one number
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_metadata_addresses_are_refused_before_connecting(scheme, host, monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("connected"))
    with pytest.raises(outgoing.Forbidden, match="metadata") as raised:
        outgoing.session().get(f"{scheme}://{host}/latest/meta-data/", timeout=5)
    assert raised.value.request is not None


def test_a_name_that_leads_to_a_metadata_address_is_refused(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [_found("169.254.169.254")])
    with pytest.raises(outgoing.Forbidden):
        outgoing.session().get("http://innocent.test/", timeout=5)


def test_a_name_that_changes_after_the_look_up_is_refused_before_anything_is_sent(server, monkeypatch):
    answers = iter(["203.0.113.1", "127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [_found(next(answers), server.server_port)])
    monkeypatch.setattr(outgoing, "LINK_LOCAL", (ip_network("127.0.0.1/32"),))
    with pytest.raises(outgoing.Forbidden):
        outgoing.session().get(f"http://rebinding.test:{server.server_port}/", timeout=5)
    assert server.requests == []


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.9", "fd12::1", "64:ff9b::1.1.1.1"]
)
def test_loopback_and_private_addresses_are_allowed(address):
    assert not outgoing.is_refused(address)


def test_an_answer_that_is_too_large_is_not_read_to_its_end(server):
    server.answers["/big"] = (200, b"x" * 1_000_000, {})
    with pytest.raises(outgoing.TooLarge, match="100000 bytes"):
        outgoing.session(max_bytes=100_000).get(f"{server.url}/big", timeout=5)


def test_the_limit_itself_is_not_too_large(server):
    assert len(outgoing.session(max_bytes=5).get(server.url, timeout=5).content) == 5


def test_compressed_answers_count_in_full(server):
    bomb = gzip.compress(b"\0" * 5_000_000)
    server.answers["/bomb"] = (200, bomb, {"Content-Encoding": "gzip"})
    with pytest.raises(outgoing.TooLarge):
        outgoing.session(max_bytes=1_000_000).get(f"{server.url}/bomb", timeout=5)


def test_an_answer_that_never_ends_is_given_up(server):
    with pytest.raises(requests.ReadTimeout):
        outgoing.session(seconds=-1.0).get(server.url, timeout=5)


def test_a_server_that_says_nothing_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(requests.ReadTimeout):
        outgoing.session().get(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout=0.1)


def test_an_unknown_name_is_a_connection_error(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(requests.ConnectionError):
        outgoing.session().get("http://nowhere.test/", timeout=5)


def test_answers_can_be_mocked():
    session = outgoing.session(max_bytes=10)
    adapter = requests_mock.Adapter()
    session.mount("https://api.test", adapter)
    adapter.register_uri("GET", "https://api.test/a", json={"a": 1})
    adapter.register_uri("GET", "https://api.test/b", text="x" * 11)
    assert session.get("https://api.test/a", timeout=5).json() == {"a": 1}
    with pytest.raises(outgoing.TooLarge):
        session.get("https://api.test/b", timeout=5)


def test_a_mocker_works_too():
    with requests_mock.Mocker() as mocker:
        mocker.get("https://api.test/a", text="yes")
        assert outgoing.session().get("https://api.test/a", timeout=5).text == "yes"


def _found(address, port=80):
    return socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)
