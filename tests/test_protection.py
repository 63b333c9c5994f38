"""Every address is closed unless it is known to be public, and nothing changes without a token."""

from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.routing.converters import NumberConverter

from tests.support import Browser, make_config, make_user
from webapp import create_app
from webapp.auth.protection import PUBLIC, STALE
from webapp.db import db, now

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Flask:
    """A panel with an account, for the many tests that change nothing."""
    app = create_app(make_config(tmp_path_factory.mktemp("data")))
    with app.app_context():
        db.create_all()
    make_user(app)
    return app


def example(rule) -> str:
    """An address that the rule matches."""
    values = {
        name: 1 if isinstance(converter, NumberConverter) else "example"
        for name, converter in rule._converters.items()
    }
    return rule.build(values, append_unknown=False)[1]


def is_answered(app, path, method) -> bool:
    """Whether any rule takes this method at this address."""
    return method in app.url_map.bind("localhost").allowed_methods(path)


def closed_rules(app):
    """What must not be reached without signing in."""
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint not in PUBLIC]


def test_the_list_of_public_addresses_is_short(shared):
    public = {rule.rule for rule in shared.url_map.iter_rules() if rule.endpoint in PUBLIC}
    assert public == {"/static/<path:filename>", "/healthz", "/sign-in", "/setup"}


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_every_other_address_is_closed_to_anonymous_people(shared, method, htmx):
    anonymous = Browser(shared)
    rules = closed_rules(shared)
    assert len(rules) >= 5
    for rule in rules:
        response = anonymous.open(method, example(rule), htmx=htmx)
        if not is_answered(shared, example(rule), method):
            assert response.status_code == 405, rule
        elif htmx:
            assert response.status_code == 401, rule
            assert response.headers["HX-Redirect"].startswith("/sign-in"), rule
        else:
            assert response.status_code == 303, rule
            assert response.location.startswith("/sign-in"), rule


def test_a_token_alone_opens_nothing(shared):
    for rule in closed_rules(shared):
        if "POST" in rule.methods:
            response = Browser(shared).post(example(rule))
            assert response.location.startswith("/sign-in"), rule


def test_every_change_needs_a_token(shared):
    make_user(shared)
    signed_in = Browser(shared).sign_in()
    for rule in shared.url_map.iter_rules():
        for method in {"POST", "PUT", "PATCH", "DELETE"} & rule.methods:
            response = signed_in.open(method, example(rule))
            assert response.status_code == 400, rule
            assert STALE in response.text


@pytest.mark.parametrize(
    ("path", "headers", "target"),
    [
        ("/account", {}, "/sign-in?next=%2Faccount"),
        ("/account?a=1&b=2", {}, "/sign-in?next=%2Faccount%3Fa%3D1%26b%3D2"),
        ("/", {}, "/sign-in"),
        ("/?a=//evil.example", {}, "/sign-in?next=%2F%3Fa%3D%2F%2Fevil.example"),
    ],
)
def test_a_page_is_remembered_for_after_the_sign_in(shared, path, headers, target):
    assert Browser(shared).get(path, headers=headers).location == target


@pytest.mark.parametrize(
    ("current", "target"),
    [
        ("http://localhost/account?tab=1", "/sign-in?next=%2Faccount%3Ftab%3D1"),
        ("http://evil.example/account", "/sign-in"),
        ("http://localhost//evil.example", "/sign-in"),
        ("javascript:alert(1)", "/sign-in"),
    ],
)
def test_htmx_comes_back_to_the_page_in_the_window(shared, current, target):
    response = Browser(shared).get("/account", htmx=True, headers={"HX-Current-URL": current})
    assert response.headers["HX-Redirect"] == target


def test_a_form_sent_too_late_comes_back_to_its_page(shared):
    response = Browser(shared).post("/account/password", headers={"Referer": "http://localhost/account"})
    assert response.location == "/sign-in?next=%2Faccount"


@pytest.mark.parametrize(
    "path", ["/", "/account", "/sign-in"]
)  # fmt: skip
def test_without_an_account_every_page_leads_to_the_set_up(app, path):
    assert Browser(app).get(path).location == "/setup"
    if path != "/sign-in":
        assert Browser(app).get(path, htmx=True).headers["HX-Redirect"] == "/setup"


def test_static_files_and_health_need_no_session(shared):
    assert Browser(shared).get("/static/app.css").status_code == 200
    assert Browser(shared).get("/healthz").status_code in {200, 503}


def test_an_unknown_address_is_not_found(shared):
    assert Browser(shared).get("/no-such-page").status_code == 404


@pytest.mark.parametrize("token", ["", "wrong", "eyJhIjoxfQ.aaaa.bbbb"])
def test_a_wrong_token_is_refused_plainly(client, token):
    response = client.open("POST", "/sign-out", data={"csrf_token": token})
    assert response.status_code == 400
    assert STALE in response.text
    assert client.get("/").status_code == 200


def test_a_missing_token_is_logged(client, caplog):
    client.open("POST", "/sign-out")
    assert "refused: POST auth.sign_out without a valid token" in caplog.messages


def test_nobody_gets_in_while_the_database_cannot_be_read(client, app):
    with app.app_context():
        db.drop_all()
    response = client.get("/account")
    assert response.status_code == 503
    assert "The database cannot be used right now." in response.text
    assert client.anonymous().get("/account").status_code == 503


def test_the_token_of_another_browser_is_refused(client):
    other = client.anonymous()
    other.get("/sign-in")
    assert client.open("POST", "/sign-out", data={"csrf_token": other.token()}).status_code == 400


def test_an_expired_token_is_refused(client, time_machine):
    token = client.token()
    time_machine.move_to(now() + timedelta(hours=13))
    response = client.anonymous().open("POST", "/sign-in", data={"csrf_token": token})
    assert response.status_code == 400


def test_htmx_may_send_the_token_as_a_header(client):
    response = client.open("POST", "/sign-out", headers={"X-CSRFToken": client.token()})
    assert response.status_code == 303


def test_the_sign_in_form_is_protected_too(shared):
    assert Browser(shared).open("POST", "/sign-in", data={"name": "ada"}).status_code == 400


@pytest.mark.parametrize("path", ["/", "/account", "/sign-in", "/static/app.css"])
def test_trace_is_refused(client, path):
    assert client.open("TRACE", path).status_code == 405


@pytest.mark.parametrize("path", ["/a%00b", "/static/app.css%00", "/account?a=%00", "/account?%00=a"])
def test_a_nul_in_the_address_is_a_bad_request(client, path):
    assert client.get(path).status_code in {400, 404}


@pytest.mark.parametrize("data", [{"name": "a\0b", "password": "x"}, {"a\0": "b"}])
def test_a_nul_in_a_form_is_a_bad_request(client, data):
    assert client.anonymous().post("/sign-in", data).status_code == 400


def test_a_form_that_is_too_large_is_refused(client):
    assert client.anonymous().post("/sign-in", {"name": "x" * 1_100_000}).status_code == 413


def test_a_form_with_too_many_parts_is_refused(client):
    parts = {f"part{number}": "x" for number in range(300)}
    response = client.anonymous().post("/sign-in", parts, content_type="multipart/form-data")
    assert response.status_code == 413


def test_a_cookie_that_was_made_up_opens_nothing(client):
    stranger = client.anonymous()
    stranger.client.set_cookie("tiny_forge", "eyJfdXNlcl9pZCI6IjEifQ.aaaaaa.bbbbbb")
    assert stranger.get("/").status_code == 303


def test_a_signed_cookie_with_an_unknown_token_opens_nothing(client):
    stranger = client.anonymous()
    with stranger.client.session_transaction(base_url="http://localhost") as session:
        session["_user_id"] = "1"
    assert stranger.get("/").status_code == 303


def test_a_cookie_signed_with_another_key_opens_nothing(client, tmp_path):
    other = create_app(make_config(tmp_path, secret_key="another key"))
    forged = Browser(other)
    with client.client.session_transaction(base_url="http://localhost") as session:
        token = session["_user_id"]
    with forged.client.session_transaction(base_url="http://localhost") as session:
        session["_user_id"] = token
    stranger = client.anonymous()
    stranger.client.set_cookie("tiny_forge", forged.client.get_cookie("tiny_forge").value)
    assert stranger.get("/").status_code == 303
