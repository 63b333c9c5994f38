"""templates/_forms.html: fields that screen readers understand."""

import pytest
from flask import render_template_string
from wtforms import (
    BooleanField,
    Form,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired


class Sample(Form):
    """One field of each kind."""

    name = StringField("Name", [InputRequired("Enter a name.")], description="A hint & more")
    secret = PasswordField("Secret")
    port = IntegerField("Port")
    notes = TextAreaField("Notes")
    zone = SelectField("Zone", choices=["a.test", "b.test"])
    enabled = BooleanField("Enabled", description="On or off")
    mode = RadioField("Mode", choices=["Wildcard", "Managed"], description="Which one")


@pytest.fixture
def show(app):
    """Render one macro call for a form."""

    def show(call, form=None):
        source = (
            '{% from "_forms.html" import field, switch, checkbox, radios, csrf, error_summary %}'
            "{{ " + call + " }}"
        )
        with app.test_request_context():
            return render_template_string(source, form=form or Sample())

    return show


def wrong():
    """A form with an error at the name and one that belongs to no field."""
    form = Sample()
    form.name.errors = ["Enter a <name>."]
    form.form_errors.append("Nothing was saved.")
    return form


def test_a_field_has_a_label_and_a_hint(show):
    text = show("field(form.name)")
    assert '<label class="form-label required" for="name">Name</label>' in text
    assert 'aria-describedby="name-hint"' in text
    assert '<div class="form-hint" id="name-hint">A hint &amp; more</div>' in text
    assert "aria-invalid" not in text


def test_a_wrong_field_is_marked_and_described(show):
    text = show("field(form.name)", wrong())
    assert 'aria-describedby="name-hint name-errors"' in text
    assert 'aria-invalid="true"' in text
    assert 'class="form-control is-invalid"' in text
    assert '<div class="invalid-feedback" id="name-errors">Enter a &lt;name&gt;.</div>' in text


def test_a_field_without_hint_and_error_describes_nothing(show):
    assert "aria-describedby" not in show("field(form.notes)")


def test_more_attributes_and_other_texts_can_be_given(show):
    text = show('field(form.notes, hint="Short", label="Remarks", rows=3, placeholder="None")')
    assert ">Remarks</label>" in text
    assert 'aria-describedby="notes-hint"' in text
    assert 'rows="3"' in text
    assert 'placeholder="None"' in text


@pytest.mark.parametrize(
    ("name", "control", "css"),
    [
        ("secret", 'type="password"', "form-control"),
        ("port", 'type="number"', "form-control"),
        ("notes", "<textarea", "form-control"),
        ("zone", "<select", "form-select"),
        ("enabled", 'type="checkbox"', "form-check-input"),
    ],
)
def test_every_kind_of_field_has_its_control(show, name, control, css):
    text = show(f"field(form.{name})")
    assert control in text
    assert f'class="{css}"' in text


def test_a_password_is_never_sent_back(show):
    assert "hunter2" not in show("field(form.secret)", Sample(secret="hunter2"))


def test_a_switch_says_that_it_is_one(show):
    text = show("switch(form.enabled)")
    assert 'class="form-check form-switch"' in text
    assert 'role="switch"' in text
    assert 'aria-describedby="enabled-hint"' in text
    assert '<label class="form-check-label" for="enabled">Enabled</label>' in text


def test_radio_buttons_are_a_group_with_a_legend(show):
    text = show("radios(form.mode)")
    assert '<fieldset class="mb-3" aria-describedby="mode-hint">' in text
    assert '<legend class="form-label">Mode</legend>' in text
    assert text.count('type="radio"') == 2
    assert '<label class="form-check-label" for="mode-0">Wildcard</label>' in text


def test_the_token_is_a_hidden_field(show):
    assert show("csrf()").startswith('<input type="hidden" name="csrf_token" value="')


def test_the_summary_leads_to_the_fields(show):
    text = show("error_summary(form)", wrong())
    assert 'role="alert"' in text
    assert "Nothing was saved." in text
    assert "One entry needs another look." in text
    assert '<a href="#name">Name</a>: Enter a &lt;name&gt;.' in text


def test_the_summary_counts(show):
    form = wrong()
    form.port.errors = ["Too large."]
    assert "2 entries need another look." in show("error_summary(form)", form)


def test_the_summary_of_what_belongs_to_no_field_points_nowhere(show):
    form = wrong()
    form.name.errors = []
    text = show("error_summary(form)", form)
    assert "Nothing was saved." in text
    assert "another look" not in text


def test_without_errors_there_is_no_summary(show):
    assert show("error_summary(form)").strip() == ""
