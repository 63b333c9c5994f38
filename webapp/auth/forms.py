"""The forms of set-up, sign-in and the account page."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from webapp.auth.passwords import SHORTEST
from webapp.errors import ForgeError, InvalidInput

PASSWORD_HINT = f"At least {SHORTEST} characters. A few unrelated words are good; so is a password manager."
NEW = {"autocomplete": "new-password"}
SAME = EqualTo("password", "The two passwords differ.")


def _needed(what: str) -> InputRequired:
    return InputRequired(f"Enter {what}.")


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Name and password; `next` is checked where it is used."""

    name = StringField(
        "Name",
        [_needed("your name"), Length(max=200)],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    password = PasswordField(
        "Password",
        [_needed("your password"), Length(max=1000)],
        render_kw={"autocomplete": "current-password"},
    )
    next = HiddenField()


class SetupForm(FlaskForm):  # type: ignore[misc]
    """The first account."""

    code = StringField(
        "Set-up code",
        [_needed("the set-up code"), Length(max=200)],
        description="Printed when the panel started, and kept in the file setup-code in its data directory.",
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )
    name = StringField(
        "Name",
        [_needed("a name")],
        description="What you sign in with.",
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    password = PasswordField("Password", [_needed("a password")], description=PASSWORD_HINT, render_kw=NEW)
    again = PasswordField("Password once more", [_needed("the password once more"), SAME], render_kw=NEW)


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """Another password for oneself."""

    old = PasswordField(
        "Present password",
        [_needed("your present password"), Length(max=1000)],
        render_kw={"autocomplete": "current-password"},
    )
    password = PasswordField(
        "New password", [_needed("a new password")], description=PASSWORD_HINT, render_kw=NEW
    )
    again = PasswordField(
        "New password once more", [_needed("the new password once more"), SAME], render_kw=NEW
    )
    end_others = BooleanField(
        "End my other sign-ins",
        default=True,
        description="Whoever is signed in with the old password is signed out.",
    )


def attach(form: FlaskForm, error: ForgeError) -> None:
    """Show the error at its field, or above the form if it names none."""
    named = error.field if isinstance(error, InvalidInput) else None
    if named in form:
        field = form[named]
        field.errors = [*field.errors, error.message]
    else:
        form.form_errors.append(error.message)
