"""Commands answer with a table or a sentence for people, and JSON for programs."""

import json

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import Form, IntegerField, StringField
from wtforms.validators import InputRequired

from webapp.errors import InvalidInput
from webapp.terminal import checked, say, table

ROWS = [{"name": "a", "on": True, "error": None}, {"name": "longer", "on": False, "error": "two\nlines"}]


def test_a_table_is_aligned_and_has_one_line_per_row(capsys):
    table(ROWS, ("name", "on", "error"), as_json=False, empty="Nothing.")
    assert capsys.readouterr().out.splitlines() == [
        "name    on   error", "a       yes  -", "longer  no   two lines",
    ]  # fmt: skip


def test_an_empty_table_is_a_sentence(capsys):
    table([], ("name",), as_json=False, empty="Nothing.")
    assert capsys.readouterr().out == "Nothing.\n"


def test_json_has_every_column_and_the_text_as_it_is(capsys):
    table(ROWS, ("name",), as_json=True, empty="Nothing.")
    assert json.loads(capsys.readouterr().out) == ROWS


@pytest.mark.parametrize(("as_json", "out"), [(False, "Done.\n"), (True, '{\n  "a": 1\n}\n')])
def test_one_result(capsys, as_json, out):
    say({"a": 1}, "Done.", as_json=as_json)
    assert capsys.readouterr().out == out


class Example(Form):
    name = StringField(validators=[InputRequired("Enter a name.")])
    port = IntegerField(validators=[InputRequired("Enter a port.")])


def test_everything_that_is_wrong_is_told_at_once():
    with pytest.raises(InvalidInput) as caught:
        checked(Example(MultiDict()))
    assert caught.value.message.splitlines() == ["name: Enter a name.", "port: Enter a port."]


def test_what_is_right_passes():
    checked(Example(MultiDict({"name": "a", "port": "1"})))
