"""What the proxies pages send to a page that is open already: errors, titles, lists that ask again."""

import json
import re

import pytest

from tests.proxy.publish_world import START, wish
from tests.proxy.test_proxy_views import FORM, hosts, polls, settle
from webapp.db import transaction
from webapp.dns import ledger
from webapp.proxy import service
from webapp.proxy.models import HostStatus


@pytest.fixture
def proxy(app):
    """A proxy that is up; its id."""
    with app.app_context():
        number = service.create(wish(), at=START).id
    settle(app, number, HostStatus.ONLINE)
    return number


def test_a_certificate_that_does_not_exist_is_refused_unless_it_is_saved(client, app, proxy):
    refused = client.post("/proxies/1", FORM | {"certificate_id": "77"})
    assert (refused.status_code, "Choose a certificate from the list." in refused.text) == (422, True)
    with app.app_context(), transaction() as session:
        service.get(session, proxy).certificate_id = 77
    assert client.post("/proxies/1", FORM | {"certificate_id": "77", "forward_port": "81"}).status_code == 303
    assert [(host.certificate_id, host.forward_port) for host in hosts(app)] == [(77, 81)]


def test_a_list_whose_record_waits_for_its_next_try_asks_again(client, app, proxy):
    with app.app_context(), transaction() as session:
        for row in ledger.wanted(session):
            row.fail("The provider does not answer.", START, START)
    assert polls(client.get("/proxies", htmx=True))


def test_a_button_of_a_stale_list_costs_nobody_the_list(client, proxy):
    client.post("/proxies/1/remove")
    answer = client.post("/proxies/1/disable", htmx=True)
    assert (answer.status_code, answer.headers["HX-Reswap"]) == (404, "none")
    events = json.loads(answer.headers["HX-Trigger"])
    assert events["forge:complain"] == {"message": "This proxy is being removed."}
    assert (
        'id="proxies" hx-get="/proxies" hx-trigger="forge:refresh from:body"' in client.get("/proxies").text
    )
    assert events["forge:refresh"] == {"target": "body"}


def test_wrong_input_changes_the_title_of_the_page(client):
    part = client.post("/proxies/new", FORM | {"forward_port": "0"}, htmx=True)
    assert "<title>Error: Add proxy · Tiny Forge</title>" in part.text
    assert re.search(r'role="alert" tabindex="-1" autofocus', part.text)
    whole = client.post("/proxies/new", FORM | {"forward_port": "0"})
    assert whole.text.count("<title>") == 1
