"""What goes over the wire, and what is made of answers in either form; NPM itself is a table of answers here."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
import requests_mock

from tests.proxy.npm_world import OURS, SPEC, spec
from webapp.errors import ProxyError
from webapp.proxy import npm_wire as wire
from webapp.proxy.npm import NpmClient

API = "http://npm.lan:81/api"
HOSTS = f"{API}/nginx/proxy-hosts"
MARK = {"tiny_forge": {"install": "install-1", "consumer": "standalone", "id": 7}}
SECRET = "s3cret-Passw0rd"
ROW = {
    "id": 3,
    "created_on": "2026-11-23 21:33:00",
    "domain_names": ["app.example.com"],
    "forward_scheme": "http",
    "forward_host": "10.0.0.5",
    "forward_port": 8080,
    "certificate_id": 0,
    "allow_websocket_upgrade": True,
    "enabled": True,
    "meta": {**MARK, "nginx_online": True, "nginx_err": None, "theirs": 1},
}


@pytest.fixture
def npm():
    with requests_mock.Mocker() as npm:
        npm.post(f"{API}/tokens", json={"token": "tok-1", "expires": "2026-11-24T00:00:00.000Z"})
        npm.get(f"{API}/users/me", json={"email": "a@b.c", "roles": ["admin"], "permissions": {}})
        npm.get(HOSTS, json=[ROW])
        npm.get(f"{HOSTS}/3", json=ROW)
        yield npm


def client(url="http://npm.lan:81", **options):
    return NpmClient(url, "forge@example.com", SECRET, "install-1", **options)


def sent(npm, method):
    return [
        request for request in npm.request_history if request.method == method and "tokens" not in request.url
    ]


def test_a_plain_host_is_created_without_certificate_flags_or_newer_keys(npm):
    npm.post(HOSTS, json=ROW, status_code=201)
    client().create_host(spec(ssl_forced=True), OURS)
    (request,) = sent(npm, "POST")
    assert request.json() == {
        "domain_names": ["app.example.com"],
        "forward_scheme": "http",
        "forward_host": "10.0.0.5",
        "forward_port": 8080,
        "allow_websocket_upgrade": True,
        "block_exploits": False,
        "meta": MARK,
    }


def test_an_update_sends_what_differs_and_the_whole_meta_without_the_old_verdict(npm):
    npm.put(f"{HOSTS}/3", json=ROW)
    client().update_host(3, spec(forward_port=81), OURS)
    (request,) = sent(npm, "PUT")
    assert request.json() == {"forward_port": 81, "meta": {**MARK, "theirs": 1}}


@pytest.mark.parametrize("flag", [0, False, None])
def test_flags_in_any_form_are_no_difference(flag):
    row = {**ROW, "allow_websocket_upgrade": 1, "block_exploits": flag, "ssl_forced": flag}
    assert wire.changes(row, SPEC, OURS) == {}


def test_a_row_without_the_keys_of_newer_releases_is_read():
    host = wire.host({key: ROW[key] for key in ROW if key not in ("certificate_id", "meta", "enabled")})
    assert (host.certificate_id, host.online, host.mark, host.enabled) == (0, None, None, True)


@pytest.mark.parametrize("stamp", ["2026-11-23 21:33:00", "2026-11-23T21:33:00.000Z"])
def test_both_forms_of_time_stamps_are_read(stamp):
    assert wire.host({**ROW, "created_on": stamp}).created_on == datetime(2026, 11, 23, 21, 33, tzinfo=UTC)


def test_nginx_s_complaint_about_another_host_names_it():
    complaint = "unknown directive in /data/nginx/proxy_host/9.conf:37"
    row = {**ROW, "meta": {"nginx_online": False, "nginx_err": complaint}}
    assert wire.host(row).blamed_host == 9


@pytest.mark.parametrize(
    "mark", [None, "x", [], {"install": "a"}, {"install": "a", "consumer": "b", "id": "c"}]
)
def test_a_mark_that_cannot_be_read_is_none(mark):
    assert wire.host({**ROW, "meta": {"tiny_forge": mark}}).mark is None


@pytest.mark.parametrize("key", ["id", "domain_names", "forward_port"])
def test_a_row_without_what_makes_a_host_is_an_error_and_not_left_out(npm, key):
    npm.get(HOSTS, json=[{k: v for k, v in ROW.items() if k != key}])
    with pytest.raises(ProxyError, match="cannot be read"):
        client().list_hosts()


@pytest.mark.parametrize(
    "text", ["a b", 'x"; return 418; #', "a;b", "a{b", "a}b", "a\nb", "$host", "a\\b", "", "a/b"]
)
def test_nothing_that_means_something_to_nginx_is_sent(npm, text):
    for wish in (spec(forward_host=text), spec(domain=text)):
        with pytest.raises(ProxyError, match="characters"):
            client().create_host(wish, OURS)
    assert npm.request_history == []


@pytest.mark.parametrize("host", ["10.0.0.5", "[::1]", "my_container", "db-1.internal"])
def test_addresses_and_names_of_upstreams_are_sent(host):
    assert wire.checked(spec(forward_host=host)).forward_host == host


@pytest.mark.parametrize("port", [0, 65536])
def test_ports_that_do_not_exist_are_refused(port):
    with pytest.raises(ProxyError, match="port"):
        wire.checked(spec(forward_port=port))


def test_changes_use_a_connection_of_their_own(npm):
    npm.delete(f"{HOSTS}/3", json=True)
    client().delete_host(3)
    assert {request.headers["Connection"] for request in npm.request_history} == {"close"}


def test_reads_and_changes_have_their_own_time_limits(npm):
    npm.delete(f"{HOSTS}/3", json=True)
    client().delete_host(3)
    assert [request.timeout for request in npm.request_history] == [(5, 20), (5, 20), (5, 60)]


def test_one_login_serves_many_requests(npm):
    ours = client()
    ours.list_hosts()
    ours.list_hosts()
    assert [r.path for r in npm.request_history].count("/api/tokens") == 1


def test_a_token_is_refreshed_in_its_last_hour(npm):
    npm.get(f"{API}/tokens", json={"token": "tok-2"})
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    ours = client(clock=lambda: now[0])
    ours.list_hosts()
    now[0] += timedelta(hours=23, minutes=30)
    ours.list_hosts()
    assert npm.last_request.headers["Authorization"] == "Bearer tok-2"


def test_after_a_day_the_client_logs_in_again(npm):
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    ours = client(clock=lambda: now[0])
    ours.list_hosts()
    now[0] += timedelta(hours=25)
    ours.list_hosts()
    assert [r.method for r in npm.request_history if r.path == "/api/tokens"] == ["POST", "POST"]


def test_a_doubtful_answer_is_repeated_once_and_not_for_ever(npm):
    npm.get(f"{API}/users/me", status_code=500, json={"error": {"message": "Internal Error"}})
    npm.get(HOSTS, status_code=500, json={"error": {"message": "Internal Error"}})
    with pytest.raises(ProxyError):
        client().list_hosts()
    assert [r.url for r in npm.request_history].count(HOSTS) == 2


@pytest.mark.parametrize("url", ["http://npm.lan:81", "http://npm.lan:81/", " http://npm.lan:81/api/ "])
def test_the_address_may_be_entered_in_several_forms(npm, url):
    assert len(client(url).list_hosts()) == 1


@pytest.mark.parametrize(
    "url", ["", "npm.lan:81", "ftp://npm.lan", "http://", "http://me:pw@npm.lan", "http://npm:x"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ProxyError, match="must look like"):
        client(url)


def test_a_session_s_own_adapters_are_used():
    session = requests.Session()
    adapter = requests_mock.Adapter()
    session.mount("http://", adapter)
    adapter.register_uri("POST", f"{API}/tokens", json={"token": "t"})
    adapter.register_uri("GET", HOSTS, json=[])
    assert client(session=session).list_hosts() == []
