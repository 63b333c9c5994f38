"""Errors become a plain sentence with the right status, as a page or a fragment, and never a traceback."""

import json
import logging

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import ImATeapot, RequestTimeout, TooManyRequests

from tests.support import Browser, make_config, make_user
from webapp import create_app, errors
from webapp.db import db

RAISED: dict[str, Exception] = {
    "invalid": errors.InvalidInput("That name is taken.", "name"),
    "missing": errors.NotFound("There is no such thing."),
    "busy": errors.Busy("Somebody else has it."),
    "reckless": errors.RecklessPlan("Too much would change."),
    "outage": errors.Outage("Cloudflare did not answer."),
    "proxy": errors.ProxyError("NPM said no."),
    "key": errors.KeyLost(),
    "markup": errors.Busy("<script>alert(1)</script>"),
    "teapot": ImATeapot(),
    "wait": TooManyRequests(retry_after=7),
    "slow": RequestTimeout(),
    "bug": RuntimeError("the password is hush"),
    "database": OperationalError("SELECT secret", {}, Exception("disk I/O error")),
}


@pytest.fixture
def browser(tmp_path) -> Browser:
    """A browser at a panel with addresses that fail; as in production, exceptions do not reach the test."""
    app: Flask = create_app(make_config(tmp_path, testing=False))
    with app.app_context():
        db.create_all()

    @app.route("/fail/<how>", methods=["GET", "POST"])
    def fail(how: str) -> str:
        raise RAISED[how]

    make_user(app)
    return Browser(app).sign_in()


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize(
    ("how", "status", "sentence"),
    [
        ("invalid", 422, "That name is taken."),
        ("missing", 404, "There is no such thing."),
        ("busy", 409, "Somebody else has it."),
        ("reckless", 409, "Too much would change."),
        ("outage", 502, "Cloudflare did not answer."),
        ("proxy", 502, "NPM said no."),
        ("key", 500, "the secret key has changed since it was saved."),
        ("teapot", 418, "teapot"),
        ("slow", 408, "Request Timeout."),
        ("wait", 429, "Too Many Requests."),
        ("bug", 500, "Something went wrong in the panel itself."),
        ("database", 503, "The database cannot be used right now."),
    ],
)
def test_each_error_has_its_status_and_its_sentence(browser, how, status, sentence, htmx):
    page = browser.get(f"/fail/{how}", htmx=htmx)
    assert page.status_code == status
    assert sentence in page.text
    assert "Traceback" not in page.text
    assert ("<!doctype html>" in page.text) is not htmx
    assert 'role="alert"' in page.text


def test_what_went_wrong_inside_is_in_the_log_only_under_a_reference(browser, caplog):
    caplog.set_level(logging.ERROR)
    page = browser.get("/fail/bug")
    assert "hush" not in page.text
    reference = page.text.partition("<code>")[2].partition("</code>")[0]
    assert len(reference) == 8
    assert reference in caplog.text
    assert "RuntimeError: the password is hush" in caplog.text


def test_a_failing_database_has_a_reference_and_no_query_on_the_page(browser, caplog):
    page = browser.get("/fail/database")
    assert "SELECT secret" not in page.text + caplog.text
    assert page.text.partition("<code>")[2].partition("</code>")[0] in caplog.text


def test_a_message_is_never_taken_for_markup(browser):
    assert "<script>alert" not in browser.get("/fail/markup").text


def test_when_to_come_back_and_what_is_allowed_are_told(browser):
    assert browser.get("/fail/wait").headers["Retry-After"] == "7"
    refused = browser.open("PUT", "/proxies", headers={"X-CSRFToken": browser.token()})
    assert refused.status_code == 405
    assert {"GET", "HEAD"} <= set(refused.headers["Allow"].replace(" ", "").split(","))
    assert "does not take that kind of request" in refused.text


def test_an_unknown_page_is_told_plainly(browser):
    page = browser.get("/no-such-page")
    assert (page.status_code, "There is no such page." in page.text) == (404, True)


@pytest.mark.parametrize(
    ("how", "stale"),
    [("missing", True), ("busy", True), ("markup", True), ("invalid", False), ("outage", False)],
)
def test_what_is_stale_for_a_button_is_said_beside_the_page_and_the_lists_are_read_again(browser, how, stale):
    answer = browser.post(f"/fail/{how}", htmx=True)
    assert answer.headers.get("HX-Reswap") == ("none" if stale else None)
    assert ("forge:complain" in answer.headers.get("HX-Trigger", "")) is stale
    events = json.loads(answer.headers.get("HX-Trigger", "{}"))
    assert ("forge:refresh" in events) is stale


@pytest.mark.parametrize(("method", "htmx"), [("GET", True), ("POST", False), ("GET", False)])
def test_a_page_that_asks_for_what_is_gone_is_told_in_its_place(browser, method, htmx):
    answer = browser.open(method, "/fail/missing", htmx=htmx, headers={"X-CSRFToken": browser.token()})
    assert "HX-Reswap" not in answer.headers
    assert "HX-Trigger" not in answer.headers
