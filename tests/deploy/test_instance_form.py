"""The instance form, and what apps and instances refuse."""

import pytest
from werkzeug.datastructures import MultiDict

from webapp.db import now, reading, transaction
from webapp.deploy import apps, rows
from webapp.deploy.forms import make_app_form, make_instance_form
from webapp.dns import ledger
from webapp.errors import InvalidInput

pytestmark = pytest.mark.usefixtures("context")

FILLED = {
    "slug": "blog", "image": "ghcr.io/acme/web", "port": "8080", "memory": "512", "pids": "256",
    "restart": "unless-stopped", "reach": "port", "scheme": "http", "check_kind": "auto", "check_interval": "3",
    "check_timeout": "5", "check_start_period": "20", "strategy": "auto", "drain": "5", "stop_seconds": "10",
    "versions_kept": "5", "certificate_id": "0", "dns_proxied": "default",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _base(context):
    with transaction() as session:
        ledger.settings(session).base_domain = "example.com"


@pytest.fixture
def filled():
    """The form over filled fields with changes; checked."""

    def fill(app=None, **changes):
        form = make_app_form(MultiDict(FILLED | changes), app, csrf=False)
        form.validate()
        return form

    return fill


def saved(filled, **changes):
    form = filled(**changes)
    assert form.errors == {}
    return read_again(apps.add_app(form.wish(), form.fqdn, at=now()))


def changed(app, form):
    assert form.errors == {}
    return read_again(apps.change_app(app.id, form.wish(), at=now()))


def read_again(app):
    number = app.id
    with reading() as session:
        return rows.app(session, number)


def test_an_instance_is_called_after_itself_and_its_app(filled):
    app = saved(filled)
    form = make_instance_form(MultiDict({"name": "staging"}), app, csrf=False)
    assert form.validate()
    assert form.full_name == "staging-blog.example.com"
    form = make_instance_form(
        MultiDict({"name": "x", "fqdn": "beta.example.org", "tag": "v2"}), app, csrf=False
    )
    assert form.validate()
    assert form.full_name == "beta.example.org"


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "No Way"), ("name", ""), ("name", "x" * 20), ("fqdn", "a..b"), ("tag", "-v")],
)
def test_an_instance_that_cannot_be_is_refused(filled, field, value):
    form = make_instance_form(MultiDict({"name": "staging"} | {field: value}), saved(filled), csrf=False)
    assert not form.validate()
    assert field in form.errors


def test_an_app_or_instance_that_goes_takes_no_more_instances(filled):
    from webapp.errors import Busy

    app = saved(filled)
    with transaction() as session:
        rows.app(session, app.id).removing = True
    with pytest.raises(Busy, match="being removed"):
        apps.add_instance(app.id, "staging", "", "staging.example.com", at=now())


def test_a_secret_that_nobody_saved_is_asked_for(filled):
    from dataclasses import replace

    from webapp.deploy.apps import Secret

    wish = replace(filled().wish(), secrets=(Secret("TOKEN", None),))
    with pytest.raises(InvalidInput, match="TOKEN"):
        apps.add_app(wish, "blog.example.com", at=now())
