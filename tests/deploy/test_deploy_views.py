"""The app pages: each state with and without htmx, refusals with the form, nothing twice, nothing secret."""

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
    set_engine,
)
from webapp.db import reading, transaction
from webapp.deploy import apps, rows
from webapp.deploy.actions import Kind, Phase
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
