"""Signing in and out."""

import logging
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from tests.support import NAME, PASSWORD, Browser, make_user
from webapp.auth.models import SignIn, Throttle, User
from webapp.db import db, now, transaction

RIGHT = {"name": NAME, "password": PASSWORD}
WRONG = {"name": NAME, "password": "not the password"}


@pytest.fixture
def visitor(app):
    """A browser that is not signed in, on a panel with one account."""
    make_user(app)
    return Browser(app)


def test_name_and_password_open_the_panel(visitor):
    response = visitor.post("/sign-in", RIGHT)
    assert (response.status_code, response.location) == (303, "/")
    page = visitor.get("/")
    assert page.status_code == 200
    assert f"Your account ({NAME})" in page.text


def test_the_name_may_be_in_capitals_and_have_spaces_around(visitor):
    assert visitor.post("/sign-in", RIGHT | {"name": " Ada "}).status_code == 303


@pytest.mark.parametrize(
    "data", [WRONG, {"name": "nobody", "password": PASSWORD}, {"name": "'; --", "password": "x"}]
)
def test_a_wrong_name_is_answered_like_a_wrong_password(visitor, data):
    response = visitor.post("/sign-in", data)
    assert response.status_code == 422
    assert response.text.count("That name and password do not go together.") == 1
    assert visitor.get("/").status_code == 303


def test_the_two_refusals_differ_in_nothing_but_the_name(visitor):
    texts = [
        visitor.post("/sign-in", {"name": name, "password": "wrong"}).text.replace(name, "NAME")
        for name in ("ada", "eve")
    ]
    csrf_free = [[line for line in text.splitlines() if "csrf" not in line.lower()] for text in texts]
    assert csrf_free[0] == csrf_free[1]


def test_what_was_typed_comes_back_but_for_the_password(visitor):
    text = visitor.post("/sign-in", WRONG).text
    assert f'value="{NAME}"' in text
    assert "not the password" not in text
    assert "<title>Error: Sign in" in text


def test_an_empty_form_says_what_is_missing(visitor):
    response = visitor.post("/sign-in", {})
    assert response.status_code == 422
    assert "Enter your name." in response.text
    assert "Enter your password." in response.text


def test_guessing_is_slowed_down(visitor):
    for _ in range(4):
        visitor.post("/sign-in", WRONG)
    response = visitor.post("/sign-in", RIGHT)
    assert response.status_code == 429
    assert response.headers["Retry-After"] in {"1", "2"}
    assert "Too many attempts" in response.text


def test_the_right_password_after_the_wait_is_taken(visitor, time_machine):
    for _ in range(4):
        visitor.post("/sign-in", WRONG)
    time_machine.move_to(now() + timedelta(seconds=3))
    assert visitor.post("/sign-in", RIGHT).status_code == 303


def test_success_forgets_the_failures_before_it(visitor, app):
    visitor.post("/sign-in", WRONG)
    visitor.post("/sign-in", RIGHT)
    with app.app_context():
        assert db.session.scalars(select(Throttle)).all() == []


def test_the_throttle_counts_the_client_behind_a_trusted_proxy_only(app, visitor):
    for number in range(4):
        visitor.post("/sign-in", WRONG, headers={"X-Forwarded-For": f"203.0.113.{number}"})
    assert visitor.post("/sign-in", RIGHT, headers={"X-Forwarded-For": "203.0.113.99"}).status_code == 429


@pytest.mark.parametrize("place", ["query", "form"])
@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/account?tab=1", "/account?tab=1"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\r\nX: y", "/"),
        ("\thttps://evil.example", "/"),
        ("", "/"),
    ],
)
def test_only_a_path_of_the_panel_is_gone_on_to(visitor, target, location, place):
    if place == "query":
        response = visitor.post("/sign-in", RIGHT, query_string={"next": target})
    else:
        response = visitor.post("/sign-in", RIGHT | {"next": target})
    assert response.location == location


def test_the_form_carries_where_the_person_was_going(visitor):
    assert 'name="next" type="hidden" value="/account"' in visitor.get("/sign-in?next=/account").text


def test_whoever_is_signed_in_needs_no_form(client):
    assert client.get("/sign-in?next=/account").location == "/account"


def test_signing_in_changes_the_cookie_and_the_token(visitor):
    visitor.get("/sign-in")
    cookie, token = visitor.client.get_cookie("tiny_forge").value, visitor.token()
    visitor.post("/sign-in", RIGHT)
    assert visitor.client.get_cookie("tiny_forge").value != cookie
    assert visitor.open("POST", "/sign-out", data={"csrf_token": token}).status_code == 400


def test_a_session_cannot_be_planted_before_the_sign_in(visitor, client):
    planted = client.client.get_cookie("tiny_forge").value
    client.post("/sign-out")
    visitor.client.set_cookie("tiny_forge", planted)
    visitor.post("/sign-in", RIGHT)
    assert visitor.get("/").status_code == 200
    assert client.get("/").status_code == 303


def test_signing_out_kills_copies_of_the_cookie(client):
    thief = client.anonymous()
    thief.client.set_cookie("tiny_forge", client.client.get_cookie("tiny_forge").value)
    assert thief.get("/").status_code == 200
    assert client.post("/sign-out").location == "/sign-in"
    assert thief.get("/").status_code == 303
    assert client.get("/").status_code == 303


def test_signing_out_takes_a_post(client):
    assert client.get("/sign-out").status_code == 405
    assert client.get("/").status_code == 200


def test_a_session_that_ran_out_is_closed(client, time_machine):
    time_machine.move_to(now() + timedelta(minutes=31))
    assert client.get("/").status_code == 303


def test_a_password_is_kept_under_todays_parameters_after_the_sign_in(visitor, app):
    old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    with app.app_context(), transaction() as session:
        session.scalars(select(User)).one().password_hash = old
    assert visitor.post("/sign-in", RIGHT).status_code == 303
    with app.app_context():
        assert "m=8,t=1,p=1" in db.session.scalars(select(User)).one().password_hash
    assert visitor.anonymous().post("/sign-in", RIGHT).status_code == 303


def test_attempts_are_logged_without_secrets(visitor, caplog):
    caplog.set_level(logging.INFO, "webapp.auth")
    visitor.post("/sign-in", {"name": "pass\r\nFAKE word", "password": "typed-secret"})
    visitor.post("/sign-in", WRONG)
    visitor.post("/sign-in", RIGHT)
    visitor.post("/sign-out")
    messages = [record.getMessage() for record in caplog.records if record.name == "webapp.auth"]
    assert messages == [
        "sign-in refused: (unknown account) from 127.0.0.1",
        "sign-in refused: ada from 127.0.0.1",
        "sign-in accepted: ada from 127.0.0.1",
        "signed out: ada from 127.0.0.1",
    ]


def test_throttled_attempts_are_logged(visitor, caplog):
    for _ in range(5):
        visitor.post("/sign-in", WRONG)
    assert caplog.records[-1].getMessage() == "sign-in throttled: ada from 127.0.0.1"


def test_the_session_remembers_address_and_browser(visitor, app):
    visitor.post("/sign-in", RIGHT, headers={"User-Agent": "curl\x1b/8"})
    with app.app_context():
        row = db.session.scalars(select(SignIn)).one()
        assert (row.address, row.user_agent) == ("127.0.0.1", "curl?/8")
