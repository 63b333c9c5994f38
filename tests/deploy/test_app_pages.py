"""The app pages with odd input and odd data: what is not there, hostile text, secrets, removal."""

import pytest

from tests.deploy.pages_world import (
    FORM,
    HOSTILE,
    IMAGE,
    START,
    Queries,
    act,
    add,
    all_actions,
    beside,
    deployed,
    keys,
    leads_to,
    polls,
)
from webapp.db import reading, transaction
from webapp.deploy import apps, rows
from webapp.deploy.actions import Phase
from webapp.deploy.apps import Secret
from webapp.deploy.engine import Mount, MountKind
from webapp.deploy.models import Instance, Seen
from webapp.dns.names import Fqdn

pytestmark = pytest.mark.usefixtures("context")
BOTH = pytest.mark.parametrize("htmx", [False, True])
SECRET = "planted-s3cret-lantern"


def app_row(slug="blog"):
    with reading() as session:
        return rows.app_by_slug(session, slug)


def test_saved_changes_are_there(client):
    add()
    assert leads_to(client.post("/apps/blog/edit", FORM | {"memory": "1024"}), "/apps/blog", htmx=False)
    assert app_row().memory == 1024
    assert "takes effect with the next deploy" in client.get("/apps/blog").text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/apps/nope"), ("get", "/apps/nope/edit"), ("post", "/apps/nope/edit"), ("get", "/apps/nope/remove"),
        ("post", "/apps/nope/remove"), ("get", "/apps/nope/instances/new"), ("get", "/instances/99/edit"),
        ("post", "/instances/99/deploy"), ("post", "/instances/99/stop"), ("get", "/instances/99/remove"),
        ("get", "/instances/99/log"), ("get", f"/instances/{10**30}/usage"), ("get", "/actions/99"),
        ("post", "/actions/99/cancel"), ("get", f"/actions/{10**30}"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_404(client, method, path):
    assert getattr(client, method)(path).status_code == 404


@BOTH
def test_a_deploy_leads_to_its_page_and_a_double_click_makes_one(client, htmx):
    number = deployed()
    sent = {"tag": "v3", "key": keys(client.get("/apps/blog"))[0]}
    for _ in range(2):
        assert leads_to(client.post(f"/instances/{number}/deploy", sent, htmx=htmx), "/actions/1", htmx)
    assert [action.reference for action in all_actions()] == [f"{IMAGE}:v3"]


def test_every_form_has_a_key_of_its_own(client):
    deployed(versions=3)
    found = keys(client.get("/apps/blog"))
    assert len(found) == 5  # deploy, restart, stop, and two versions to go back to
    assert len(set(found)) == len(found)


@BOTH
def test_a_tag_that_cannot_be_is_refused_beside_its_field(client, htmx):
    number = deployed()
    page = client.post(f"/instances/{number}/deploy", {"tag": f"v1 {HOSTILE}"}, htmx=htmx)
    assert page.status_code == 422
    assert "A tag has letters" in beside(page, f"instance-{number}-tag")
    assert "v1 &lt;img" in page.text
    assert all_actions() == []


def test_going_back_names_a_version(client):
    number = deployed()
    assert client.get("/apps/blog").text.count("Go back to this version") == 1
    assert leads_to(client.post(f"/instances/{number}/rollback", {"version": "1"}), "/actions/1", htmx=False)
    assert client.post(f"/instances/{number}/rollback", {"version": "2"}).status_code == 409
    assert client.post(f"/instances/{number}/rollback", {"version": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("seen", "offered", "missing"),
    [(Seen.RUNNING, ("restart", "stop"), ("start",)), (Seen.STOPPED, ("start",), ("stop", "restart"))],
)
def test_only_what_fits_the_state_is_offered(client, seen, offered, missing):
    deployed(seen=seen)
    page = client.get("/apps/blog").text
    assert all(f'action="/instances/1/{verb}"' in page for verb in offered)
    assert not [verb for verb in missing if f'action="/instances/1/{verb}"' in page]


@BOTH
def test_stopping_says_so_and_is_done_once(client, htmx):
    number = deployed()
    sent = {"key": "k" * 20}
    pages = [client.post(f"/instances/{number}/stop", sent, htmx=htmx) for _ in range(2)]
    assert len(all_actions()) == 1
    if htmx:
        assert "blog/prod is being stopped." in pages[0].headers["HX-Trigger"]
        assert polls(pages[0])
    else:
        assert leads_to(pages[0], "/apps/blog", htmx=False)


def test_the_page_of_an_app_says_how_new_versions_take_over_and_why(client):
    add(mounts=(Mount(MountKind.VOLUME, "blog-data", "/data"),))
    page = client.get("/apps/blog").text
    assert "Stop first" in page
    assert "two copies must not write to blog-data" in page


def test_an_app_can_be_looked_at_when_its_secrets_cannot_be_read_any_more(client):
    add(secrets=[Secret("TOKEN", SECRET)])
    with transaction() as session:
        app = rows.app_by_slug(session, "blog")
        app.env = [entry | {"value": "sealed with another key"} for entry in app.env]
    assert client.get("/apps/blog").status_code == 200


@BOTH
def test_an_instance_is_added_and_refused_beside_its_fields(client, htmx):
    add()
    page = client.post("/apps/blog/instances/new", {"name": "Bad Name"}, htmx=htmx)
    assert page.status_code == 422
    assert "lower-case" in beside(page, "name")
    sent = {"name": "staging", "fqdn": "blog.example.com"}
    assert client.post("/apps/blog/instances/new", sent, htmx=htmx).status_code == 409
    sent["fqdn"] = "staging.example.com"
    assert leads_to(client.post("/apps/blog/instances/new", sent, htmx=htmx), "/apps/blog", htmx)
    assert "staging.example.com" in client.get("/apps").text


def test_the_preview_of_a_removal_names_everything_that_goes_and_what_stays(client):
    deployed(
        mounts=(Mount(MountKind.VOLUME, "blog-data", "/data"), Mount(MountKind.BIND, "/srv/x", "/x", True))
    )
    for path in ("/instances/1/remove", "/apps/blog/remove"):
        page = client.get(path).text
        for text in (
            "proxy host 7",
            "203.0.113.10",
            "in example.com",
            "forge-1-1",
            "forge-1-2",
            "blog-data",
            "/srv/x",
        ):
            assert text in page
        assert "checked" not in page
        assert "2 containers" in page


def test_volumes_go_only_when_the_box_is_ticked(client):
    deployed()
    deployed("shop")
    assert leads_to(client.post("/instances/1/remove"), "/actions/1", htmx=False)
    client.post("/apps/shop/remove", {"volumes": "y"})
    assert [action.wishes for action in all_actions()] == [{"volumes": False}, {"volumes": True}]
    assert "Being removed" in client.get("/apps").text or "Queued" in client.get("/apps").text


def test_while_another_instance_uses_them_volumes_are_not_offered(client):
    number = deployed()
    apps.add_instance(1, "staging", "", Fqdn("staging.example.com"), at=START)
    page = client.get(f"/instances/{number}/remove").text
    assert 'name="volumes"' not in page
    assert "its other instances use them" in page


def test_foreign_texts_stay_texts_on_every_page(client):
    number = deployed()
    act(number, Phase.FAILED, error=HOSTILE, asked_by=HOSTILE)
    with transaction() as session:
        session.get_one(Instance, number).seen_detail = HOSTILE
        version = rows.current_version(session, number)
        version.reference, version.container_name = f"x:{HOSTILE}", HOSTILE
        version.digest = HOSTILE
    for path in ("/", "/apps", "/apps/blog", "/actions/1", "/instances/1/remove", "/apps/blog/remove"):
        assert HOSTILE not in client.get(path).text


@pytest.mark.parametrize("path", ["/apps", "/"])
def test_the_number_of_queries_does_not_grow_with_the_number_of_apps(app, client, path):
    counts = []
    for many in (range(3), range(3, 30)):
        for one in many:
            deployed(f"app-{one}")
        client.get(path)
        with Queries(app) as queries:
            assert client.get(path).status_code == 200
        counts.append(queries.count)
    assert counts[0] == counts[1]


def test_apps_come_in_pages_and_are_found_by_name_and_image(client):
    for number in range(55):
        add(f"app{number:02}")
    first, second = client.get("/apps").text, client.get("/apps?page=2").text
    assert (first.count('<tr id="instance-'), second.count('<tr id="instance-')) == (50, 5)
    assert "55 apps, page 2 of 2" in second
    assert client.get("/apps?page=9").text.count('<tr id="instance-') == 5
    found = client.get("/apps?q=APP54.example").text
    assert found.count('<tr id="instance-') == 1
    assert "No app matches" in client.get("/apps?q=nothing-like-it").text
