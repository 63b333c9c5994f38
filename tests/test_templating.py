"""What templates may use: times in words, addresses of static files, and the menu."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from webapp.templating import ago, exact

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (4.9, "just now"),
        (-4, "just now"),
        (5, "5 seconds ago"),
        (59.9, "59 seconds ago"),
        (60, "1 minute ago"),
        (119, "1 minute ago"),
        (3599, "59 minutes ago"),
        (3600, "1 hour ago"),
        (86399, "23 hours ago"),
        (86400, "1 day ago"),
        (86400 * 59, "59 days ago"),
        (86400 * 60, "2 months ago"),
        (86400 * 400, "13 months ago"),
        (-10, "in 10 seconds"),
        (-3600, "in 1 hour"),
        (-86400 * 60, "in 2 months"),
    ],
)
def test_times_in_words(time_machine, seconds, words):
    time_machine.move_to(NOW, tick=False)
    assert ago(NOW - timedelta(seconds=seconds)) == words


def test_no_time_is_no_text():
    assert (ago(None), exact(None)) == ("", "")


def test_the_exact_time_is_iso_in_utc():
    assert exact(NOW) == "2026-05-01T12:00:00Z"


def test_static_files_carry_their_fingerprint(client, app):
    content = (Path(app.static_folder) / "app.css").read_bytes()
    address = f"/static/app.css?v={sha256(content).hexdigest()[:12]}"
    assert address in client.get("/account").text
    answer = client.get(address)
    assert (answer.status_code, answer.data) == (200, content)


def test_the_menu_marks_where_one_is(client):
    for path, label in (
        ("/", "Overview"),
        ("/proxies", "Proxies"),
        ("/dns", "DNS"),
        ("/settings", "Settings"),
    ):
        (current,) = [part for part in client.get(path).text.split("<a ") if "aria-current=page" in part]
        assert label in current


def test_a_missing_page_is_left_out_of_the_menu(client, app):
    app.view_functions.pop("dns.index")
    assert 'href="/dns"' not in client.get("/account").text


def test_the_sandbox_says_so_on_every_page(tmp_path):
    from tests.support import Browser, make_config, make_user
    from webapp import create_app
    from webapp.db import db

    app = create_app(make_config(tmp_path, sandbox=True))
    with app.app_context():
        db.create_all()
    make_user(app)
    browser = Browser(app).sign_in()
    for path in ("/", "/proxies", "/dns", "/settings", "/account", "/nowhere"):
        assert "Nothing leaves it." in browser.get(path).text
    assert "Nothing leaves it." in Browser(app).get("/sign-in").text


def test_outside_the_sandbox_nothing_of_it_is_said(client):
    assert "Nothing leaves it." not in client.get("/").text
