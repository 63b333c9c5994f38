"""One's own account: the password and the sign-ins."""

import re

import pytest
from sqlalchemy import select

from tests.support import NAME, PASSWORD, Browser, make_user
from webapp.auth.models import SignIn
from webapp.db import db

NEW = "seven-quiet-otters-run"


def filled(**changes):
    """The password form, filled in rightly but for the changes."""
    return {"old": PASSWORD, "password": NEW, "again": NEW, "end_others": "y"} | changes


def sign_in_ids(app):
    """The open sessions."""
    with app.app_context():
        return list(db.session.scalars(select(SignIn.id).order_by(SignIn.id)))


def can_sign_in(browser, password):
    """Whether a new browser gets in with this password."""
    return browser.anonymous().post("/sign-in", {"name": NAME, "password": password}).status_code == 303


def test_the_password_can_be_changed(client):
    response = client.post("/account/password", filled())
    assert (response.status_code, response.location) == (303, "/account")
    assert "Your password was changed." in client.get("/account").text
    assert not can_sign_in(client, PASSWORD)
    assert can_sign_in(client, NEW)


def test_the_session_goes_on_under_a_new_token(client):
    copy = client.anonymous()
    copy.client.set_cookie("tiny_forge", client.client.get_cookie("tiny_forge").value)
    client.post("/account/password", filled(end_others=""))
    assert client.get("/").status_code == 200
    assert copy.get("/").status_code == 303


def test_other_sign_ins_are_ended_with_the_change(client):
    other = client.anonymous().sign_in()
    client.post("/account/password", filled())
    assert other.get("/").status_code == 303


def test_other_sign_ins_go_on_if_that_is_wanted(client):
    other = client.anonymous().sign_in()
    data = filled()
    del data["end_others"]
    client.post("/account/password", data)
    assert other.get("/").status_code == 200


def test_ending_the_others_is_what_is_offered(client):
    assert re.search(r"<input[^>]* checked [^>]*name=\"end_others\"", client.get("/account").text)


@pytest.mark.parametrize(
    ("changes", "message", "field"),
    [
        ({"old": "wrong"}, "That is not your present password.", "old"),
        ({"old": ""}, "Enter your present password.", "old"),
        ({"password": "short", "again": "short"}, "at least 12", "password"),
        ({"password": "ada-and-otters-7", "again": "ada-and-otters-7"}, "user name", "password"),
        ({"again": "other"}, "The two passwords differ.", "again"),
    ],
)
def test_a_change_that_cannot_be_made_says_why_at_the_field(client, changes, message, field):
    response = client.post("/account/password", filled(**changes))
    assert response.status_code == 422
    assert message in response.text
    assert f'<a href="#{field}">' in response.text
    assert PASSWORD not in response.text
    assert can_sign_in(client, PASSWORD)


def test_guessing_the_present_password_is_slowed_down(client):
    for _ in range(4):
        client.post("/account/password", filled(old="wrong"))
    response = client.post("/account/password", filled())
    assert response.status_code == 429
    assert "Retry-After" in response.headers


def test_weak_new_passwords_do_not_count_as_guesses(client):
    for _ in range(6):
        assert client.post("/account/password", filled(password="x", again="x")).status_code == 422
    assert client.post("/account/password", filled()).status_code == 303


def test_the_list_shows_where_the_person_is_signed_in(client):
    elsewhere = Browser(client.app, address="192.0.2.44")
    agent = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0 <b>"
    elsewhere.post("/sign-in", {"name": NAME, "password": PASSWORD}, headers={"User-Agent": agent})
    text = client.get("/account").text
    assert "192.0.2.44" in text
    assert "Firefox on Linux" in text
    assert "<b>" not in text
    assert text.count("This browser") == 1
    row = next(row for row in text.split("<tr>") if "This browser" in row)
    assert "127.0.0.1" in row


def test_another_sign_in_can_be_ended(client, app):
    other = client.anonymous().sign_in()
    mine, theirs = sign_in_ids(app)
    response = client.post(f"/account/sign-ins/{theirs}/end")
    assert (response.status_code, response.location) == (303, "/account")
    assert other.get("/").status_code == 303
    assert "That sign-in was ended." in client.get("/account").text
    assert sign_in_ids(app) == [mine]


def test_a_sign_in_that_has_ended_is_not_found(client):
    assert client.post("/account/sign-ins/999/end").status_code == 404
    assert client.post(f"/account/sign-ins/{'9' * 23}/end").status_code == 404


def test_the_sign_ins_of_others_are_out_of_reach(client, app):
    make_user(app, "mallory")
    mallory = Browser(app).sign_in("mallory")
    mine, theirs = sign_in_ids(app)
    assert client.post(f"/account/sign-ins/{theirs}/end").status_code == 404
    assert mallory.get("/").status_code == 200
    text = client.get("/account").text
    assert f"/sign-ins/{mine}/end" in text
    assert f"/sign-ins/{theirs}/end" not in text


def test_ending_this_sign_in_signs_out(client, app):
    client.post(f"/account/sign-ins/{sign_in_ids(app)[0]}/end")
    assert client.get("/account").status_code == 303
