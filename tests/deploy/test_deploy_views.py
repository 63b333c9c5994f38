"""The app pages: each state with and without htmx, refusals with the form, nothing twice, nothing secret."""

import pytest
from sqlalchemy import select

from tests.deploy.pages_world import (
    FORM,
    HOSTILE,
    START,
    act,
    add,
    all_actions,
    beside,
    deployed,
    leads_to,
    polls,
    set_engine,
)
from webapp.db import reading, transaction
from webapp.deploy import rows
from webapp.deploy.actions import Kind, Phase
from webapp.deploy.apps import Secret
from webapp.deploy.models import Seen
from webapp.dns.models import DnsRecord

pytestmark = pytest.mark.usefixtures("context")
BOTH = pytest.mark.parametrize("htmx", [False, True])
SECRET = "planted-s3cret-lantern"


def app_row(slug="blog"):
    with reading() as session:
        return rows.app_by_slug(session, slug)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/apps",
        "/apps/new",
        "/apps/blog",
        "/apps/blog/edit",
        "/apps/blog/instances/new",
        "/instances/1/edit",
    ],
)
def test_pages_come_whole_and_as_fragments(client, path):
    deployed()
    whole, part = client.get(path), client.get(path, htmx=True)
    assert (whole.status_code, part.status_code) == (200, 200)
    assert "<!doctype html>" in whole.text
    assert "<!doctype html>" not in part.text
    assert "HX-Request" in whole.headers["Vary"]


def test_without_apps_the_list_offers_to_add_one(client):
    page = client.get("/apps")
    assert "Add the first app" in page.text
    assert not polls(page)


@BOTH
def test_the_list_tells_version_name_host_record_and_whether_it_is_reachable(client, htmx):
    deployed()
    page = client.get("/apps", htmx=htmx)
    for text in ("Running", "version 2", "Online", "Synced", "Reachable.", 'href="http://blog.example.com"'):
        assert text in page.text
    assert not polls(page)


@pytest.mark.parametrize(
    ("seen", "chip", "why"),
    [
        (Seen.STOPPED, "Stopped", "It is stopped."), (Seen.MISSING, "Removed from outside", "was removed"),
        (Seen.UNHEALTHY, "Not healthy", "not healthy"), (Seen.RESTARTING, "Keeps ending", "keeps ending"),
        (Seen.ENDED, "Stopped from outside", "stopped from outside"), (Seen.STARTING, "Starting", "is starting"),
    ],
)  # fmt: skip
def test_each_state_has_words_and_a_reason(client, seen, chip, why):
    deployed(seen=seen)
    page = client.get("/apps").text
    assert chip in page
    assert why in page
    assert "Not reachable." in page


@pytest.mark.parametrize("path", ["/", "/apps", "/apps/blog"])
def test_a_name_whose_record_was_undone_is_not_called_reachable(client, path):
    deployed()
    with transaction() as session:
        session.scalars(select(DnsRecord)).one().rest(START)
    page = client.get(path).text
    assert "was undone, so nobody knows" in page
    assert "Reachable." not in page
    assert "1 of 1 instance reachable" not in page


@pytest.mark.parametrize("path", ["/", "/apps", "/apps/blog"])
def test_a_page_looks_again_only_while_something_is_being_done(client, path):
    number = deployed()
    assert not polls(client.get(path))
    action = act(number, Phase.PULLING)
    page = client.get(path)
    assert polls(page)
    assert "Deploying" in page.text
    assert f"/actions/{action}" in page.text


def test_what_is_under_way_is_shown_rather_than_what_waits_behind_it(client):
    number = deployed()
    act(number, Phase.PULLING)
    act(number, Phase.QUEUED, Kind.STOP)
    assert "Queued" not in client.get("/apps").text


@pytest.mark.parametrize("path", ["/apps", "/apps/blog", "/"])
def test_the_last_action_is_pointed_out_when_it_failed(client, path):
    action = act(deployed(), Phase.FAILED, error="The image is not there.")
    page = client.get(path).text
    assert "Last deploy failed" in page
    assert f"/actions/{action}" in page


@BOTH
def test_without_an_engine_the_pages_say_how_to_give_access(client, htmx):
    deployed()
    set_engine(error=f"The socket is not there. {HOSTILE}", error_since=START)
    page = client.get("/apps", htmx=htmx).text
    for text in (
        "/var/run/docker.sock",
        "usermod -aG docker",
        "DOCKER_HOST=tcp://",
        "Proxies, DNS and settings work",
    ):
        assert text in page
    assert HOSTILE not in page
    assert "nobody knows" in page
    assert "Not reachable." not in page


def test_containers_that_nobody_knows_are_listed_and_removed_only_on_request(client):
    set_engine(strays=[{"id": "c1", "name": f"forge-{HOSTILE}", "state": "exited", "app": "old"}])
    page = client.get("/apps").text
    assert "keep its volumes" in page
    assert HOSTILE not in page
    assert leads_to(client.post("/containers/c1/remove"), "/actions/1", htmx=False)
    assert [action.kind for action in all_actions()] == [Kind.CLEAN_UP]


@BOTH
def test_an_app_is_added_with_its_first_instance(client, htmx):
    assert leads_to(
        client.post("/apps/new", FORM | {"secrets": f"TOKEN={SECRET}"}, htmx=htmx), "/apps/blog", htmx
    )
    with reading() as session:
        assert rows.instance_by_name(session, "blog/prod").fqdn == "blog.example.com"
    assert SECRET not in client.get("/apps/blog/edit").text
    assert "TOKEN=" in client.get("/apps/blog/edit").text


@BOTH
def test_bad_input_comes_back_with_messages_beside_the_fields_and_what_was_typed(client, htmx):
    typed = FORM | {"image": f"Bad {HOSTILE}", "port": "99999", "env": "no equals sign", "labels": "a=b"}
    page = client.post("/apps/new", typed, htmx=htmx)
    assert page.status_code == 422
    assert beside(page, "image")
    assert "65535" in beside(page, "port")
    assert "KEY=VALUE" in beside(page, "env")
    assert "no equals sign" in page.text
    assert "99999" in page.text
    assert HOSTILE not in page.text
    assert ("<!doctype html>" in page.text) is not htmx


@pytest.mark.parametrize(
    "secrets",
    [
        f"TOKEN={SECRET}", SECRET, f"TOKEN=x\n{SECRET}/+=", f"-----BEGIN\n{SECRET}+/abc=",
        f"A={SECRET}\nA={SECRET}",
    ],
)  # fmt: skip
def test_a_secret_never_comes_back_also_when_the_form_does(client, secrets):
    typed = FORM | {"port": "", "secrets": secrets, "registry_user": "robot", "registry_password": SECRET}
    page = client.post("/apps/new", typed)
    assert page.status_code == 422
    assert SECRET not in page.text
    assert "Enter the values once more" in page.text


def test_a_new_value_that_was_lost_with_the_form_is_not_taken_for_the_saved_one(client):
    add(secrets=[Secret("TOKEN", "the old one")])
    page = client.post("/apps/blog/edit", FORM | {"port": "", "secrets": f"TOKEN={SECRET}"})
    assert ">\r\nTOKEN</textarea>" in page.text
    assert client.post("/apps/blog/edit", FORM | {"secrets": "TOKEN"}).status_code == 422


def test_a_name_that_is_in_use_is_refused_beside_its_field(client):
    add()
    page = client.post("/apps/new", FORM | {"slug": "other"})
    assert page.status_code == 409
    assert "blog.example.com" in beside(page, "subdomain")
    assert "already" in beside(client.post("/apps/new", FORM | {"subdomain": "x.example.com"}), "slug")


@BOTH
def test_a_page_that_is_out_of_date_changes_nothing(client, htmx):
    add()
    page = client.post("/apps/blog/edit", FORM | {"version": "7", "memory": "1024"}, htmx=htmx)
    assert page.status_code == 409
    assert "changed in the meantime" in page.text
    assert app_row().memory == 512
