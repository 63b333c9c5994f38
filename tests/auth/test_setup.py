"""The first account: who may make it, and that only one can."""

import stat
import threading

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tests.support import Browser, make_config, make_user
from webapp import auth, create_app
from webapp.auth import first_run, passwords, service
from webapp.auth.models import User
from webapp.db import db, now, transaction
from webapp.errors import Busy, InvalidInput, NotFound

PASSWORD = "blue-lantern-42-harbour"


@pytest.fixture
def visitor(app):
    """A browser on a panel without an account."""
    return Browser(app)


def filled(config, **changes):
    """The set-up form, filled in rightly but for the changes."""
    code = first_run.setup_code(config.data_dir)
    return {"code": code, "name": "Grace", "password": PASSWORD, "again": PASSWORD} | changes


def names(app):
    """The accounts there are."""
    with app.app_context():
        return list(db.session.scalars(select(User.name)))


def test_the_set_up_makes_an_account_and_signs_it_in(visitor, app, config):
    assert "<h1>Set up" in visitor.get("/setup").text
    response = visitor.post("/setup", filled(config))
    assert (response.status_code, response.location) == (303, "/")
    assert visitor.get("/").status_code == 200
    assert names(app) == ["grace"]


def test_after_the_set_up_the_page_and_the_code_are_gone(visitor, config):
    visitor.post("/setup", filled(config))
    assert visitor.get("/setup").status_code == 404
    assert visitor.anonymous().get("/setup").status_code == 404
    assert visitor.anonymous().post("/setup", {"name": "eve"}).status_code == 404
    assert not (config.data_dir / "setup-code").exists()


def test_the_code_may_be_typed_without_dashes_and_in_capitals(visitor, app, config):
    code = first_run.setup_code(config.data_dir).replace("-", " ").upper()
    assert visitor.post("/setup", filled(config, code=code)).status_code == 303


@pytest.mark.parametrize("code", ["", "wrong", "zzzzz-zzzzz-zzzzz-zzzzz", "ü"])
def test_without_the_code_nobody_makes_an_account(visitor, app, config, code):
    response = visitor.post("/setup", filled(config, code=code))
    assert response.status_code == 422
    assert 'aria-describedby="code-hint code-errors" aria-invalid="true"' in response.text
    assert names(app) == []


def test_guessing_the_code_is_slowed_down(visitor, app, config):
    for _ in range(4):
        visitor.post("/setup", filled(config, code="wrong"))
    response = visitor.post("/setup", filled(config))
    assert response.status_code == 429
    assert "Retry-After" in response.headers
    assert names(app) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "-grace"}, "letters, digits"),
        ({"name": "gr ace"}, "letters, digits"),
        ({"name": ""}, "Enter a name."),
        ({"password": "short", "again": "short"}, "at least 12"),
        ({"password": "password1234", "again": "password1234"}, "among the first"),
        ({"again": "something else"}, "The two passwords differ."),
    ],
)
def test_bad_input_is_explained_and_the_rest_is_kept(visitor, app, config, changes, message):
    response = visitor.post("/setup", filled(config, **changes))
    assert response.status_code == 422
    assert message in response.text
    assert PASSWORD not in response.text
    assert first_run.setup_code(config.data_dir) in response.text
    assert names(app) == []


def test_a_typo_in_the_password_does_not_use_up_attempts(visitor, config):
    for _ in range(6):
        weak = filled(config, password="password1234", again="password1234")
        assert visitor.post("/setup", weak).status_code == 422
    assert visitor.post("/setup", filled(config)).status_code == 303


def test_the_code_is_long_kept_across_restarts_and_readable_by_the_owner_only(tmp_path):
    code = first_run.setup_code(tmp_path)
    assert len(code.replace("-", "")) == 20
    assert first_run.setup_code(tmp_path) == code
    assert stat.S_IMODE((tmp_path / "setup-code").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["setup-code"]


def test_without_a_code_nothing_matches(tmp_path):
    assert not first_run.code_matches("", tmp_path)
    assert not list(tmp_path.iterdir())


def test_opening_the_page_makes_the_code(visitor, config):
    visitor.get("/setup")
    assert (config.data_dir / "setup-code").exists()


def test_each_installation_has_its_own_code(tmp_path):
    (tmp_path / "other").mkdir()
    assert first_run.setup_code(tmp_path) != first_run.setup_code(tmp_path / "other")


def test_only_one_of_two_set_ups_at_once_wins(app, config):
    outcomes, start = [], threading.Barrier(2)

    def set_up(name):
        browser = Browser(app)
        data = filled(config, name=name)
        start.wait()
        outcomes.append(browser.post("/setup", data).status_code)

    threads = [threading.Thread(target=set_up, args=(name,)) for name in ("grace", "eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won, lost = sorted(outcomes)
    assert (won, lost) in {
        (303, 404),
        (303, 409),
        (303, 422),
        (303, 429),
    }  # gone, taken, used up, asked to wait
    assert len(names(app)) == 1


def test_a_set_up_that_checked_before_the_other_committed_loses(app, config, context, monkeypatch):
    def overtaken(_self, password):
        monkeypatch.undo()
        service.create_account("grace", PASSWORD, now())
        return passwords.current().hash(password)

    monkeypatch.setattr(passwords.Passwords, "hash", overtaken)
    with pytest.raises(NotFound, match="set up already"):
        service.create_account("eve", PASSWORD, now(), only_as_first=True)
    assert names(app) == ["grace"]


def test_the_database_itself_takes_only_one_first_account(app, context, monkeypatch):
    make_user(app)
    with pytest.raises(IntegrityError), transaction() as session:
        session.add(User(name="eve", password_hash="", created_at=now(), founder=True))
    monkeypatch.setattr(service, "account_exists", lambda: False)
    with pytest.raises(Busy):
        service.create_account("eve", PASSWORD, now())


def test_the_service_refuses_a_second_set_up(app, config, context):
    make_user(app)
    with pytest.raises(NotFound):
        first_run.set_up("eve", PASSWORD, "code", config.data_dir, None, now())


def test_the_code_is_announced_until_there_is_an_account(app, config):
    text = auth.announce_setup(app)
    assert "/setup" in text
    assert first_run.setup_code(config.data_dir) in text
    make_user(app)
    assert auth.announce_setup(app) is None
    assert not (config.data_dir / "setup-code").exists()


def panel(tmp_path, **changes):
    """A panel with an empty database and these settings."""
    app = create_app(make_config(tmp_path, **changes))
    with app.app_context():
        db.create_all()
    return app


def test_the_first_account_can_come_from_the_environment(tmp_path):
    app = panel(tmp_path, admin_user="Root", admin_password=PASSWORD)
    assert auth.ensure_admin_from_env(app)
    assert names(app) == ["root"]
    assert Browser(app).post("/sign-in", {"name": "root", "password": PASSWORD}).status_code == 303
    assert auth.announce_setup(app) is None


def test_the_environment_changes_nothing_once_there_is_an_account(tmp_path):
    app = panel(tmp_path, admin_user="root", admin_password=PASSWORD)
    make_user(app)
    assert not auth.ensure_admin_from_env(app)
    assert names(app) == ["ada"]


def test_without_settings_nothing_is_created(app):
    assert not auth.ensure_admin_from_env(app)
    assert names(app) == []


@pytest.mark.parametrize("changes", [{"admin_user": "root"}, {"admin_password": PASSWORD}])
def test_half_of_the_settings_is_a_mistake(tmp_path, changes):
    with pytest.raises(InvalidInput, match="TINY_FORGE_ADMIN_USER"):
        auth.ensure_admin_from_env(panel(tmp_path, **changes))


def test_a_weak_password_in_the_environment_is_refused(tmp_path):
    app = panel(tmp_path, admin_user="root", admin_password="password1234")
    with pytest.raises(InvalidInput, match="among the first"):
        auth.ensure_admin_from_env(app)
    assert names(app) == []
