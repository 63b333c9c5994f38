"""Pages for set-up, signing in and out, and one's own account."""

from typing import Any

from flask import Blueprint, Response, abort, current_app, flash, redirect, request, session, url_for
from flask_login import current_user, login_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse

from webapp.auth import first_run, service, sessions
from webapp.auth.clients import Client, browser_name
from webapp.auth.forms import PasswordForm, SetupForm, SignInForm, attach
from webapp.auth.paths import local_path
from webapp.auth.sessions import SignedIn
from webapp.auth.throttle import TooManyAttempts
from webapp.config import Config
from webapp.db import now
from webapp.errors import InvalidInput, NotFound
from webapp.ui import show

blueprint = Blueprint("auth", __name__)
blueprint.add_app_template_filter(browser_name, "browser_name")

# What a form can show; everything else is a page of its own.
SHOWN = (InvalidInput, TooManyAttempts)


@blueprint.route("/setup", methods=["GET", "POST"])
def setup() -> AnyResponse:
    """The first account; there is no such page afterwards."""
    if service.account_exists():
        abort(404)
    form = SetupForm()
    data_dir = _config().data_dir
    if request.method == "GET":
        first_run.setup_code(data_dir)  # for servers that start without announcing it
    if not form.validate_on_submit():
        return _form("auth/setup.html", form)
    try:
        who = first_run.set_up(
            form.name.data, form.password.data, form.code.data, data_dir, Client.of(request), now()
        )
    except SHOWN as error:
        return _form("auth/setup.html", form, error)
    return _enter(who, "overview.overview")


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> AnyResponse:
    """Name and password, then on to where the person was going."""
    if not service.account_exists():
        return redirect(url_for("auth.setup"), 303)
    target = local_path(request.values.get("next")) or url_for("overview.overview")
    if current_user.is_authenticated:
        return redirect(target, 303)
    form = SignInForm(next=target)
    if not form.validate_on_submit():
        return _form("auth/sign_in.html", form)
    try:
        who = service.sign_in(form.name.data, form.password.data, Client.of(request), now())
    except SHOWN as error:
        return _form("auth/sign_in.html", form, error)
    _remember(who)
    return redirect(target, 303)


@blueprint.post("/sign-out")
def sign_out() -> AnyResponse:
    """End this session, here and for every copy of the cookie."""
    service.sign_out(_me(), Client.of(request))
    session.clear()
    return redirect(url_for("auth.sign_in"), 303)


@blueprint.get("/account")
def account() -> AnyResponse:
    """Password and sign-ins of the person."""
    return _form("auth/account.html", PasswordForm(), sign_ins=sessions.of_user(_me().user_id, now()))


@blueprint.post("/account/password")
def change_password() -> AnyResponse:
    """Another password; the session goes on under a new token."""
    form = PasswordForm()
    error = None
    if form.validate():
        try:
            who = service.change_password(
                _me(), form.old.data, form.password.data, Client.of(request), now(),
                end_others=form.end_others.data,
            )  # fmt: skip
        except SHOWN as raised:
            error = raised
        else:
            flash("Your password was changed.")
            return _enter(who, "auth.account")
    return _form("auth/account.html", form, error, sign_ins=sessions.of_user(_me().user_id, now()))


@blueprint.post("/account/sign-ins/<int(max=2147483647):sign_in_id>/end")
def end_sign_in(sign_in_id: int) -> AnyResponse:
    """Sign another browser of the person out."""
    if not sessions.end(_me().user_id, sign_in_id):
        raise NotFound("That sign-in has ended already.")
    flash("That sign-in was ended.")
    return redirect(url_for("auth.account"), 303)


def _form(
    template: str, form: FlaskForm, error: InvalidInput | TooManyAttempts | None = None, **context: Any
) -> Response:
    """The page with its form, and what was wrong with it: passwords are never sent back."""
    status = 422 if form.is_submitted() else 200
    if error is not None:
        attach(form, error)
        status = error.status
    response = show(template, status=status, form=form, **context)
    if isinstance(error, TooManyAttempts):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _enter(who: SignedIn, endpoint: str) -> AnyResponse:
    _remember(who)
    return redirect(url_for(endpoint), 303)


def _remember(who: SignedIn) -> None:
    """Give the browser its new token, and nothing of what it had before but messages."""
    messages = session.get("_flashes")
    session.clear()
    if messages:
        session["_flashes"] = messages
    login_user(who)


def _me() -> SignedIn:
    """The person behind the request; the protection lets nobody else in here."""
    who: SignedIn = current_user._get_current_object()
    return who


def _config() -> Config:
    config: Config = current_app.config["FORGE"]
    return config
