"""The headers that every answer carries."""

import pytest

from tests.support import Browser, make_config, make_user
from webapp import create_app
from webapp.db import db

EXPECTED = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.fixture
def broken(app, client):
    """A signed-in browser on a panel with a page that fails."""
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.get("/broken")
    def broken():
        raise RuntimeError("planted")

    return client


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/sign-in", 303),
        ("GET", "/nowhere", 404),
        ("GET", "/static/app.css", 200),
        ("GET", "/static/nowhere.css", 404),
        ("GET", "/healthz", 503),
        ("GET", "/broken", 500),
        ("POST", "/sign-out", 400),
        ("TRACE", "/", 405),
        ("OPTIONS", "/", 200),
    ],
)
def test_every_answer_is_protected(broken, method, path, status):
    response = broken.open(method, path)
    assert response.status_code == status
    assert {name: response.headers.get(name) for name in EXPECTED} == EXPECTED
    assert "geolocation=()" in response.headers["Permissions-Policy"]
    assert "Server" not in response.headers
    if not (path.startswith("/static") and status == 200):
        assert response.headers["Cache-Control"] == "no-store"


def test_an_error_of_the_panel_shows_no_details(broken):
    response = broken.get("/broken")
    assert "planted" not in response.text
    assert "Traceback" not in response.text


def test_static_files_are_kept_for_good_under_their_fingerprint_only(client):
    assert "immutable" in client.get("/static/app.css?v=123").headers["Cache-Control"]
    assert client.get("/static/app.css").headers["Cache-Control"] == "no-cache"
    assert client.get("/static/nowhere.css?v=1").headers["Cache-Control"] == "no-store"


def test_static_files_set_no_cookie_and_vary_with_none(client):
    response = client.get("/static/app.css?v=1")
    assert "Set-Cookie" not in response.headers
    assert "Vary" not in response.headers


def test_https_is_insisted_on_where_it_is_used(client):
    assert "Strict-Transport-Security" not in client.get("/").headers
    answer = client.get("/", base_url="https://localhost")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_the_cookie_is_hidden_from_scripts_and_other_sites(client):
    cookie = client.anonymous().get("/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("tiny_forge=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))


def test_the_secure_cookie_belongs_to_this_host_alone(tmp_path):
    app = create_app(make_config(tmp_path, secure_cookies=True))
    with app.app_context():
        db.create_all()
    make_user(app)
    browser = Browser(app, base_url="https://localhost").sign_in()
    assert browser.get("/").status_code == 200
    cookie = browser.anonymous().get("/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("__Host-tiny_forge=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


@pytest.mark.parametrize("path", ["/", "/account", "/sign-in", "/nowhere"])
def test_no_page_needs_what_the_policy_forbids(client, path):
    browser = client if path != "/sign-in" else client.anonymous()
    text = browser.get(path).text
    assert "<h1" in text
    assert " style=" not in text
    assert " onclick=" not in text
    assert "<script>" not in text
    assert "<style" not in text
