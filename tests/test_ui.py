"""All knowledge of htmx: page or fragment, announcements, and where to go next."""

import json

import pytest
from flask import make_response

from webapp import ui

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def inside(app):
    """A request with these headers, to look at from inside."""
    return lambda path="/", headers=None: app.test_request_context(path, headers=headers or {})


@pytest.mark.parametrize(
    ("headers", "fragment"),
    [
        ({}, False),
        (HTMX, True),
        ({"HX-Request": "true"}, True),
        ({"HX-Request": "true", "HX-Request-Type": "full"}, False),
        ({"HX-Request": "false"}, False),
    ],
)
def test_a_fragment_is_for_htmx_only(inside, headers, fragment):
    with inside(headers=headers):
        assert ui.wants_fragment() is fragment


@pytest.mark.parametrize(
    ("came", "back"),
    [
        ("http://localhost/proxies?q=a&page=2", "/proxies?q=a&page=2"),
        ("http://localhost/proxies", "/proxies"),
        ("http://localhost/elsewhere?page=2", "/proxies"),
        ("http://elsewhere/proxies?page=2", "/proxies"),
        ("http://[", "/proxies"),
        (None, "/proxies"),
    ],
)
def test_without_scripts_a_list_is_shown_again_as_it_was(inside, came, back):
    with inside(headers={"Referer": came} if came else {}):
        answer = ui.go_back("/proxies")
    assert (answer.status_code, answer.location) == (303, back)


def test_the_next_page_is_a_redirect_or_a_header(inside):
    with inside():
        answer = ui.go("/proxies")
        assert (answer.status_code, answer.location) == (303, "/proxies")
    with inside(headers=HTMX):
        answer = ui.go("/proxies")
        assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, "/proxies")


def test_an_announcement_is_data_and_not_markup(inside):
    with inside():
        answer = ui.announce(make_response(""), 'a "quoted" <b>name</b>\n')
        event = json.loads(answer.headers["HX-Trigger"])
    assert event == {"forge:announce": {"message": 'a "quoted" <b>name</b>\n'}}


def test_what_listens_can_be_told_to_refresh(inside):
    with inside():
        event = json.loads(ui.announce(make_response(""), refresh=True).headers["HX-Trigger"])
    assert event == {"forge:refresh": {"target": "body"}}


def test_a_fragment_keeps_the_filters_of_its_page(inside):
    shown = HTMX | {"HX-Current-URL": "http://localhost/proxies?q=app&status=online"}
    with inside("/proxies/1/retry", shown):
        assert ui.current_args().to_dict() == {"q": "app", "status": "online"}
    with inside("/proxies?q=own", shown):
        assert ui.current_args().to_dict() == {"q": "own"}
    with inside("/proxies", {"HX-Current-URL": "http://localhost/proxies?q=app"}):
        assert ui.current_args().to_dict() == {}
    with inside("/proxies", HTMX):
        assert ui.current_args().to_dict() == {}


@pytest.mark.parametrize(
    ("headers", "poll"), [({"X-Poll": "1"}, True), ({}, False), ({"X-Poll": "0"}, False)]
)
def test_a_poll_is_known_as_one(inside, headers, poll):
    with inside(headers=headers):
        assert ui.is_poll() is poll
