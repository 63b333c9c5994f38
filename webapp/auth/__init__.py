"""Accounts, signing in and out, and the protection of every page."""

from flask import Flask, g
from flask_login import LoginManager
from sqlalchemy.exc import SQLAlchemyError

from webapp.auth import passwords, sessions
from webapp.auth.first_run import announce_setup, ensure_admin_from_env
from webapp.auth.sessions import SignedIn
from webapp.auth.views import blueprint
from webapp.config import Config
from webapp.db import now
from webapp.ui import is_poll

__all__ = ["announce_setup", "ensure_admin_from_env", "init"]


def init(app: Flask) -> None:
    """Make the person behind a request known as `current_user`, and add the pages under `auth`."""
    config: Config = app.config["FORGE"]
    passwords.init(app, cheap=config.testing)
    manager = LoginManager(app)
    # Sessions are rows on the server; binding them to address and browser as well would sign out phones.
    manager.session_protection = None
    manager.user_loader(_find)
    # The hook of the remember-me cookie, which is not used: it would have static files vary with the session.
    app.after_request_funcs[None].remove(manager._update_remember_cookie)
    app.register_blueprint(blueprint)


def _find(token: str) -> SignedIn | None:
    if g.get("sessions_unreadable"):
        return None
    try:
        return sessions.find(token, now(), by_person=not is_poll())
    except SQLAlchemyError:
        # Nobody gets in; but the error page asks again who is there, and has to be shown all the same.
        g.sessions_unreadable = True
        raise
