"""The proxies pages: each address with and without htmx, refusals with the form, and nothing done twice."""

import re
from html import unescape

import pytest
from sqlalchemy import event

from tests.proxy.publish_world import START, wish
from webapp.db import db, reading, transaction
from webapp.dns import ledger
from webapp.dns.models import ConsumerType
from webapp.proxy import listing, service
from webapp.proxy.models import HostStatus

FORM = {
    "name": "app.example.com",
    "forward_scheme": "http",
    "forward_host": "10.0.0.5",
    "forward_port": "8080",
    "certificate_id": "0",
    "allow_websocket_upgrade": "y",
    "block_exploits": "y",
    "enabled": "y",
    "use_dns": "y",
    "dns_proxied": "default",
    "version": "1",
}
BOTH = pytest.mark.parametrize("htmx", [False, True])


@pytest.fixture
def proxy(app):
    """A proxy that is up; its id."""
    with app.app_context():
        number = service.create(wish(), at=START).id
    settle(app, number, HostStatus.ONLINE)
    return number


def settle(app, number, status, error=None):
    with app.app_context(), transaction() as session:
        service.get(session, number).settle(status, START, error)


def hosts(app):
    with app.app_context(), reading() as session:
        return list(listing.matching(session))


def is_sent_to_the_list(page, htmx):
    if htmx:
        return page.headers.get("HX-Redirect") == "/proxies"
    return (page.status_code, page.location) == (303, "/proxies")


def polls(page):
    return "every 2s" in page.text


@pytest.mark.parametrize("path", ["/proxies", "/proxies/new", "/proxies/1"])
def test_pages_come_whole_and_as_fragments(client, proxy, path):
    whole, part = client.get(path), client.get(path, htmx=True)
    assert (whole.status_code, part.status_code) == (200, 200)
    assert "<!doctype html>" in whole.text
    assert "<!doctype html>" not in part.text
    assert "HX-Request" in whole.headers["Vary"]


@BOTH
def test_a_proxy_is_created(client, app, htmx):
    assert is_sent_to_the_list(client.post("/proxies/new", FORM, htmx=htmx), htmx)
    (host,) = hosts(app)
    assert (host.fqdn, host.forward_host, host.forward_port) == ("app.example.com", "10.0.0.5", 8080)
    assert "app.example.com is on its way." in client.get("/proxies").text


@BOTH
def test_bad_input_comes_back_with_its_message(client, app, htmx):
    typed = FORM | {"forward_host": 'x"; return 418; #', "forward_port": "0", "name": "my app"}
    page = client.post("/proxies/new", typed, htmx=htmx)
    assert page.status_code == 422
    for field, message in (("name", "spaces"), ("forward_host", "host name"), ("forward_port", "65535")):
        assert message in unescape(re.search(rf'id="{field}-errors">(.*?)</div>', page.text)[1])
    assert 'value="x&#34;; return 418; #"' in page.text
    assert ("<!doctype html>" in page.text) is not htmx
    assert hosts(app) == []


@BOTH
def test_a_name_in_use_comes_back_with_its_holder(client, proxy, htmx):
    page = client.post("/proxies/new", FORM | {"forward_port": "1"}, htmx=htmx)
    assert page.status_code == 409
    assert "in use by the proxy of that name" in page.text
    assert 'value="1"' in page.text


def test_a_double_click_creates_one(client, app):
    answers = [client.post("/proxies/new", FORM).status_code for _ in "12"]
    assert answers == [303, 409]
    assert len(hosts(app)) == 1


@BOTH
def test_a_proxy_is_changed(client, app, proxy, htmx):
    assert is_sent_to_the_list(client.post("/proxies/1", FORM | {"name": "new.example.com"}, htmx=htmx), htmx)
    assert [host.fqdn for host in hosts(app)] == ["new.example.com"]


@BOTH
def test_a_stale_tab_is_refused(client, app, proxy, htmx):
    client.post("/proxies/1", FORM | {"forward_port": "1"})
    page = client.post("/proxies/1", FORM | {"forward_port": "2"}, htmx=htmx)
    assert page.status_code == 409
    assert "changed in the meantime" in page.text
    assert [host.forward_port for host in hosts(app)] == [1]


def test_bad_input_for_a_change_keeps_the_page_of_its_proxy(client, app, proxy):
    page = client.post("/proxies/1", FORM | {"forward_port": "nonsense"})
    assert page.status_code == 422
    assert 'action="/proxies/1"' in page.text
    assert [host.forward_port for host in hosts(app)] == [8080]


def test_the_form_shows_what_is_saved(client, app):
    fields = {"forward_port": "9999", "dns_proxied": "no", "dns_ttl": "300"}
    client.post("/proxies/new", {k: v for k, v in (FORM | fields).items() if k != "use_dns"})
    page = client.get("/proxies/1").text
    assert 'value="9999"' in page
    assert 'value="300"' in page
    assert '<option selected value="no">' in page
    assert "checked" not in re.search(r'<input[^>]*id="use_dns"[^>]*>', page)[0]


def test_removing_asks_first_and_shows_what_goes(client, app, proxy):
    page = client.get("/proxies/1/remove").text
    assert "http://10.0.0.5:8080" in page
    assert 'action="/proxies/1/remove"' in page
    assert not hosts(app)[0].removing


@BOTH
def test_a_proxy_is_removed(client, app, proxy, htmx):
    assert is_sent_to_the_list(client.post("/proxies/1/remove", htmx=htmx), htmx)
    assert hosts(app)[0].removing
    assert client.post("/proxies/1/remove", htmx=htmx).status_code == 404
    assert "being removed" in client.get("/proxies").text


@pytest.mark.parametrize(
    ("action", "message"),
    [("disable", "is being turned off."), ("enable", "is being turned on."), ("retry", "is tried again.")],
)
def test_the_buttons_of_a_row_answer_with_the_list(client, app, proxy, action, message):
    part = client.post(f"/proxies/1/{action}", htmx=True)
    assert part.status_code == 200
    assert 'id="proxy-1"' in part.text
    assert message in part.headers["HX-Trigger"]
    plain = client.post(f"/proxies/1/{action}")
    assert (plain.status_code, plain.location) == (303, "/proxies")
    assert hosts(app)[0].enabled is (action != "disable")


def test_the_buttons_of_a_row_keep_the_filters(client, proxy):
    shown = {"HX-Current-URL": "http://localhost/proxies?q=nothing-like-it"}
    assert "No proxy matches" in client.post("/proxies/1/disable", htmx=True, headers=shown).text


def test_what_nginx_says_is_shown_and_harmless(client, app, proxy):
    settle(app, proxy, HostStatus.REJECTED, 'nginx: <script>alert(1)</script> "unknown directive"')
    for path in ("/proxies", "/proxies/1", "/"):
        page = client.get(path).text
        assert "unknown directive" in page
        assert "<script>alert" not in page


def test_the_list_polls_only_while_something_is_on_its_way(client, app, proxy):
    with app.app_context(), transaction() as session:
        for row in ledger.wanted(session):
            row.cover(START)
    assert not polls(client.get("/proxies"))
    client.post("/proxies/1/disable")
    assert polls(client.get("/proxies"))
    assert polls(client.get("/proxies", htmx=True))
    settle(app, proxy, HostStatus.OFF)
    assert not polls(client.get("/proxies"))
    with app.app_context(), transaction() as session:
        for row in ledger.wanted(session):
            row.ask(START)
    assert polls(client.get("/proxies"))


def test_the_filters_live_in_the_address(client, app, proxy):
    client.post("/proxies/new", FORM | {"name": "other.example.com"})
    assert "other.example.com" not in rows(client.get("/proxies?q=app"))
    assert "app.example.com" not in rows(client.get("/proxies?status=pending"))
    page = client.get("/proxies?q=a%22b&status=online").text
    assert 'value="a&#34;b"' in page
    assert re.search(r'<option value="online"\s+selected', page)
    assert client.get("/proxies?status=nonsense&q=%25").status_code == 200


def rows(page):
    return page.text.partition("<tbody>")[2]


@pytest.mark.parametrize("path", ["/proxies", "/"])
def test_the_number_of_queries_does_not_grow(client, app, path):
    def queries(count):
        with app.app_context(), transaction():
            for number in range(count):
                service.create(wish(f"n{number}-{count}.example.com"), at=START)
        client.get(path)
        seen = []
        with app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
        page = client.get(path)
        assert page.status_code == 200
        return len([sql for sql in seen if sql.startswith("SELECT")])

    few = queries(5)
    assert queries(200) == few <= 25
    with app.app_context(), reading() as session:
        assert len(ledger.statuses(session, ConsumerType.STANDALONE, range(1, 206))) == 205
