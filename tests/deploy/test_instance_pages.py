"""One instance's pages on a panel that really deploys to stand-ins: going back, changing, log, usage, removal."""

import pytest

from tests.deploy.deploy_world import NAME
from webapp.db import now
from webapp.deploy.actions import Kind, Phase
from webapp.deploy.apps import Secret

SLUG = "/apps/blog"


@pytest.fixture
def browser(client, panel):
    """A signed-in browser, and an instance with two versions."""
    panel.add(secrets=[Secret("TOKEN", "planted-secret")])
    panel.deploy()
    panel.deploy("v2")
    return client


def test_an_instance_is_shown_on_the_page_of_its_app(browser):
    answer = browser.get("/instances/1")
    assert (answer.status_code, answer.location) == (303, SLUG)
    assert browser.get("/instances/99").status_code == 404


def test_going_back_leads_to_its_page_and_comes_true(browser, panel):
    answer = browser.post("/instances/1/rollback", {"version": str(panel.version(1).id), "key": "k" * 20})
    assert answer.location == "/actions/3"
    assert panel.finish(3).phase is Phase.DONE
    assert panel.versions() == [(1, "current"), (2, "kept")]


@pytest.mark.parametrize("version", ["", "x", "99", "9" * 30, "-1"])
def test_a_version_that_is_not_there_cannot_be_gone_back_to(browser, panel, version):
    assert browser.post("/instances/1/rollback", {"version": version}).status_code == 404
    assert len(panel.actions()) == 2


def test_one_form_sent_twice_is_one_action_and_two_forms_are_two(browser, panel):
    for key in ("a" * 20, "a" * 20, "b" * 20, "not a key"):
        browser.post("/instances/1/restart", {"key": key})
    assert [a.kind for a in panel.actions()].count(Kind.RESTART) == 3


@pytest.mark.parametrize(("verb", "running"), [("stop", 0), ("restart", 1)])
def test_stop_and_restart_come_back_to_the_app(browser, panel, verb, running):
    answer = browser.post(f"/instances/1/{verb}", {"key": "k" * 20})
    assert answer.location == SLUG
    assert "blog/prod is being" in browser.get(SLUG).text
    panel.settle()
    assert len(panel.running()) == running


def test_another_name_is_saved_and_moves(browser, panel):
    assert f'value="{NAME}"' in browser.get("/instances/1/edit").text
    answer = browser.post("/instances/1/edit", {"fqdn": "news", "tag": "v3"})
    assert answer.location == SLUG
    panel.now = now()  # pages know no other time
    panel.settle()
    assert panel.leads_to("news.example.com")
    assert panel.instance().tag == "v3"


def test_a_name_that_cannot_be_or_is_in_use_comes_back_with_the_form(browser, panel):
    panel.add("other")
    assert "underscore" in browser.post("/instances/1/edit", {"fqdn": "my_name"}).text
    answer = browser.post("/instances/1/edit", {"fqdn": "other.example.com"})
    assert answer.status_code == 409
    assert "in use" in answer.text
    assert panel.instance().fqdn == NAME


def test_what_is_being_removed_has_no_form(browser):
    browser.post("/instances/1/remove")
    assert browser.get("/instances/1/edit").status_code == 404


def test_the_log_is_shown_and_downloaded(browser, panel):
    container = panel.version(2).container_id
    panel.engine.say(container, "<script>alert(1)</script>")
    page = browser.get("/instances/1/log/lines?tail=500&stamps=1", htmx=True).text
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "listening" in page
    saved = browser.get("/instances/1/log/download")
    assert saved.mimetype == "text/plain"
    assert saved.headers["Content-Disposition"].startswith('attachment; filename="blog-prod-')
    assert saved.text.startswith("2026-03-01T")


def test_a_log_that_cannot_be_read_says_why(browser, panel):
    panel.engine.down = True
    assert "does not answer" in browser.get("/instances/1/log/lines", htmx=True).text
    assert browser.get("/instances/1/log/download").status_code == 502


def test_usage_is_told_and_so_is_why_it_cannot_be(browser, panel):
    assert "24" in browser.get("/instances/1/usage", htmx=True).text
    panel.engine.down = True
    assert "does not answer" in browser.get("/instances/1/usage", htmx=True).text


def test_no_page_shows_a_secret(browser, panel):
    panel.deploy("crash")
    paths = (
        SLUG,
        f"{SLUG}/edit",
        "/apps",
        "/",
        "/actions/3",
        "/instances/1/log/lines",
        "/instances/1/remove",
    )
    for path in paths:
        assert "planted-secret" not in browser.get(path).text
