"""The page of an action, the log of a container, and what it uses: live, honest, and without an engine too."""

import pytest

from tests.deploy.pages_world import HOSTILE, START, act, add, all_actions, deployed, leads_to, polls, tell
from webapp.db import transaction
from webapp.deploy import connection
from webapp.deploy.actions import Action, Kind, Level, Phase
from webapp.deploy.engine import LogLine, Usage
from webapp.errors import EngineError

pytestmark = pytest.mark.usefixtures("context")
BOTH = pytest.mark.parametrize("htmx", [False, True])
POLL = {"X-Poll": "1"}
GIBIBYTE = 1024**3


class Talkative:
    """An engine with one container: what it wrote, what it uses, and whether it answers."""

    def __init__(self):
        self.lines = [LogLine(START, f"line {n}", is_error=n == 2) for n in range(3)]
        self.used = Usage(0.25, GIBIBYTE // 4, GIBIBYTE // 2, 7)
        self.away = False

    def logs(self, _container, tail, *, since=None):
        self._answer()
        return self.lines[-tail:]

    def usage(self, _container):
        self._answer()
        return self.used

    def _answer(self):
        if self.away:
            raise EngineError("The container engine does not answer.")


@pytest.fixture
def talkative(app):
    found = Talkative()
    connection.use(app, lambda _install: found)
    return found


@BOTH
def test_a_deploy_under_way_shows_its_steps_and_looks_again(client, htmx):
    layers = [{"id": HOSTILE, "status": "Downloading", "done": 5, "total": 10}]
    action = act(deployed(), Phase.PULLING, progress={"layers": layers, "of": 3})
    page = client.get(f"/actions/{action}", htmx=htmx)
    assert polls(page)
    for text in ("by ada", 'aria-current="step"', 'value="5"', "and 2 more", "Cancel and undo"):
        assert text in page.text
    assert HOSTILE not in page.text
    assert ("<!doctype html>" in page.text) is not htmx


@pytest.mark.parametrize("phase", [Phase.SWITCHING, Phase.DRAINING, Phase.UNDOING])
def test_what_is_too_far_cannot_be_cancelled(client, phase):
    action = act(deployed(), phase)
    assert "Cancel and undo" not in client.get(f"/actions/{action}").text
    assert client.post(f"/actions/{action}/cancel").status_code == 409


def test_only_deploys_offer_to_be_cancelled(client):
    action = act(deployed(), Phase.QUEUED, Kind.STOP)
    assert "Cancel and undo" not in client.get(f"/actions/{action}").text


@BOTH
def test_cancelling_says_that_everything_is_undone(client, htmx):
    action = act(deployed(), Phase.PULLING)
    page = client.post(f"/actions/{action}/cancel", htmx=htmx)
    if htmx:
        assert "It is being cancelled" in page.headers["HX-Trigger"]
        assert "Being undone" in page.text
    else:
        assert leads_to(page, f"/actions/{action}", htmx=False)
    assert all_actions()[0].cancel_asked
    assert "Cancel and undo" not in client.get(f"/actions/{action}").text


def test_what_waits_tells_what_for(client):
    number = deployed()
    first, second = act(number, Phase.PULLING), act(number, Phase.QUEUED)
    page = client.get(f"/actions/{second}").text
    assert "It waits for 1 other action" in page
    assert f'href="/actions/{first}"' in page


def test_a_step_that_is_tried_again_says_when_and_why(client):
    action = act(deployed(), Phase.PULLING, error="The registry does not answer.", next_try_at=START)
    page = client.get(f"/actions/{action}").text
    assert "The registry does not answer." in page
    assert "Next try" in page


def test_a_failure_is_on_top_with_what_is_left_and_what_to_do(client):
    number = deployed()
    action = act(number, Phase.FAILED, error="Version 9 is not healthy.")
    tell(action, f"panic: {HOSTILE}", Level.OUTPUT)
    page = client.get(f"/actions/{action}")
    assert page.text.index("Version 9 is not healthy.") < page.text.index("Steps")
    for text in ("leads where it led before", "Deploy v9 again", "panic: &lt;img", "<title>Error: "):
        assert text in page.text
    assert not polls(page)


def test_a_removal_that_failed_can_be_asked_for_again(client):
    action = act(add(), Phase.FAILED, kind=Kind.REMOVE, error="Device is busy.")
    assert 'href="/instances/1/remove"' in client.get(f"/actions/{action}").text


def test_when_it_is_done_the_page_leads_to_app_and_site(client):
    action = act(deployed(), Phase.DONE)
    page = client.get(f"/actions/{action}").text
    assert 'href="/apps/blog"' in page
    assert 'href="http://blog.example.com"' in page
    assert "noopener" in page


@pytest.mark.parametrize(
    ("phase", "said"), [(Phase.DONE, "is done"), (Phase.FAILED, "failed"), (Phase.CANCELLED, "was cancelled")]
)
def test_the_end_is_announced_to_the_page_that_waited_for_it(client, phase, said):
    action = act(deployed(), phase)
    poll = client.get(f"/actions/{action}", htmx=True, headers=POLL)
    assert f"Deploy of blog/prod {said}." in poll.headers["HX-Trigger"]
    assert "HX-Trigger" not in client.get(f"/actions/{action}").headers


def test_while_it_is_under_way_nothing_is_announced(client):
    action = act(deployed(), Phase.PULLING)
    assert "HX-Trigger" not in client.get(f"/actions/{action}", htmx=True, headers=POLL).headers


def test_an_action_outlives_what_it_was_done_to(client):
    action = act(add(), Phase.DONE, Kind.REMOVE)
    with transaction() as session:
        row = session.get_one(Action, action)
        row.app_id = row.instance_id = None
    page = client.get(f"/actions/{action}").text
    assert "Removal of blog/prod" in page
    assert 'href="/apps/blog"' not in page


def test_the_log_shows_lines_and_marks_errors(client, talkative):
    number = deployed()
    talkative.lines.append(LogLine(START, HOSTILE))
    page = client.get(f"/instances/{number}/log/lines?stamps=1", htmx=True)
    assert polls(page)
    assert "line 0" in page.text
    assert page.text.count("log-stderr") == 1
    assert "2026-03-01 12:00:00" in page.text
    assert HOSTILE not in page.text


def test_the_log_can_be_read_without_scripts_and_without_following(client, talkative):
    number = deployed()
    page = client.get(f"/instances/{number}/log/lines?follow=0")
    assert "<!doctype html>" in page.text
    assert "line 2" in page.text
    assert not polls(page)
    assert "log/lines" in client.get(f"/instances/{number}/log").text


def test_the_log_is_downloaded_as_text(client, talkative):
    page = client.get(f"/instances/{deployed()}/log/download")
    assert page.mimetype == "text/plain"
    assert "attachment" in page.headers["Content-Disposition"]
    assert page.text.endswith("line 2\n")


def test_usage_is_told_as_a_share_of_the_limits(client, talkative):
    page = client.get(f"/instances/{deployed(cpus=0.5)}/usage", htmx=True).text
    assert "50.0 % of its limit of 0.5" in page
    assert "256.0 MiB of 512.0 MiB" in page
    assert "<meter" in page


def test_what_does_not_run_uses_nothing(client, talkative):
    talkative.used = None
    assert "It does not run." in client.get(f"/instances/{deployed()}/usage").text


def test_an_engine_that_does_not_answer_is_said_where_its_answer_would_be(client, talkative):
    number = deployed()
    talkative.away = True
    for part in ("usage", "log/lines"):
        page = client.get(f"/instances/{number}/{part}", htmx=True)
        assert page.status_code == 200
        assert "The container engine does not answer." in page.text


def test_before_the_first_deploy_there_is_no_log(client, talkative):
    page = client.get(f"/instances/{add()}/log/lines", htmx=True)
    assert "Deploy the instance first." in page.text
    assert not polls(page)
