"""What the buttons of the DNS page do: check, apply, answer a conflict, retry, abandon."""

import json
import re
from html import unescape

import pytest
from werkzeug.test import TestResponse

from tests.dns.outside_world import Outside
from tests.dns.panel_world import ELSEWHERE, HERE, Panel
from tests.support import Browser
from webapp.db import db
from webapp.dns import service
from webapp.dns.changes import Answer
from webapp.dns.desired import Mode

NAME = "app.example.com"
POLLS = 'hx-trigger="every 2s"'
HOSTILE = "<script>alert(1)</script>"


def text(browser: Browser, path: str = "/dns", *, htmx: bool = False, status: int = 200) -> str:
    """The words of an answer, without its tags."""
    response = browser.get(path, htmx=htmx)
    assert response.status_code == status
    assert "HX-Request" in response.headers["Vary"]
    return words(response.text)


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def in_conflict(panel: Panel) -> None:
    panel.by_hand(NAME, "A", ELSEWHERE)
    panel.claim(NAME)
    panel.round()


def test_check_now_reads_the_provider_and_shows_the_plan(panel: Panel, client: Browser) -> None:
    panel.claim(NAME)
    answer = client.post("/dns/check", htmx=True)
    assert "Reading the provider" in answer.text
    assert 'hx-trigger="every 1s"' in answer.text
    assert "forge:announce" in answer.headers["HX-Trigger"]
    panel.round()
    shown = text(client, "/dns/review", htmx=True)
    assert "1 create, 0 updates, 0 deletes, 0 conflicts." in shown
    plan = panel.connection.review
    assert plan is not None
    assert "Applying the plan" in client.post("/dns/apply", {"hash": plan["hash"]}, htmx=True).text
    panel.round()
    assert panel.live() == {f"{NAME} A": HERE}


def test_apply_is_refused_for_another_plan(panel: Panel, client: Browser) -> None:
    for data in ({}, {"hash": "0" * 16}, {"hash": HOSTILE}):
        answer = client.post("/dns/apply", data, htmx=True)
        assert answer.status_code == 409
        assert "no longer the current one" in answer.text


def test_a_plan_that_moved_says_that_nothing_was_done(panel: Panel, client: Browser) -> None:
    service.request_check(at=panel.at)
    panel.round()
    plan = panel.connection.review
    assert plan is not None
    service.request_apply(plan["hash"])
    panel.by_hand("left.example.com", "A", HERE, mark=panel.settings().install_id)
    panel.round()
    assert "nothing was done" in text(client)
    assert client.post("/dns/dismiss").status_code == 303
    assert "nothing was done" not in text(client)


def test_a_reckless_plan_says_why_it_waits(panel: Panel, client: Browser) -> None:
    panel.claim(*(f"n{n}.example.com" for n in range(5)))
    panel.round()
    for n in range(5):
        panel.edit(f"n{n}.example.com", content=ELSEWHERE)
    panel.check()
    assert "changes or deletes a large part of our records" in text(client)


@pytest.mark.parametrize("decision", ["adopt", "replace", "leave"])
@pytest.mark.parametrize("htmx", [True, False])
def test_a_conflict_is_answered(panel: Panel, client: Browser, decision: str, htmx: bool) -> None:
    in_conflict(panel)
    row = panel.row()
    assert f"There now: A {ELSEWHERE}" in text(client)
    answer = client.post(
        f"/dns/records/{row.id}/answer", {"answer": decision, "seen": row.answered}, htmx=htmx
    )
    assert answer.status_code == (200 if htmx else 303)
    assert panel.row().answer == Answer(decision)


def test_an_answer_nobody_offers_is_refused(panel: Panel, client: Browser) -> None:
    in_conflict(panel)
    row = panel.row()
    path = f"/dns/records/{row.id}/answer"
    assert client.post(path, {"answer": "burn", "seen": row.answered}).status_code == 422
    assert client.post(path, {"seen": row.answered}, htmx=True).status_code == 422
    assert client.post(path, {"answer": "replace", "seen": "old"}, htmx=True).status_code == 409
    assert panel.row().answer is None


def test_retry_has_the_row_tried_at_once(panel: Panel, client: Browser) -> None:
    panel.account.broken = True
    panel.claim(NAME)
    panel.round()
    panel.account.broken = False
    answer = client.post(f"/dns/records/{panel.row().id}/retry")
    assert (answer.status_code, answer.location) == (303, "/dns")
    assert f"{NAME} is tried again" in text(client)
    db.session.remove()
    panel.at = panel.row().updated_at
    panel.round()
    assert panel.row().status == "synced"


def test_a_zone_that_is_left_can_be_abandoned(panel: Panel, client: Browser) -> None:
    panel.claim(NAME)
    panel.round()
    panel.account.broken = True
    panel.save(mode=Mode.WILDCARD, zone=None)
    panel.round()
    shown = text(client)
    assert "Leaving example.com" in shown
    assert "1 of our records is still to be deleted there. The provider does not answer." in shown
    path = f"/dns/connections/{panel.connection.id}/abandon"
    assert "Leaving" not in words(client.post(path, htmx=True).text)
    assert client.post(path, htmx=True).status_code == 404


@pytest.mark.parametrize("number", ["4711", "0", "99999999999999999999999"])
@pytest.mark.parametrize("path", ["records/{}/retry", "records/{}/answer", "connections/{}/abandon"])
def test_what_is_not_there_is_404(panel: Panel, client: Browser, path: str, number: str) -> None:
    answer = client.post(f"/dns/{path.format(number)}", {"answer": "leave"}, htmx=True)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


def test_the_zone_in_use_cannot_be_abandoned(panel: Panel, client: Browser) -> None:
    assert client.post(f"/dns/connections/{panel.connection.id}/abandon").status_code == 409


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [("/dns/apply", {"hash": "old"}, 409), ("/dns/records/4711/retry", {}, 404),
     ("/dns/records/4711/answer", {"answer": "leave"}, 404), ("/dns/connections/4711/abandon", {}, 404)],
)  # fmt: skip
def test_a_button_of_a_stale_page_costs_nobody_the_page(
    panel: Panel, client: Browser, path: str, data: dict[str, str], status: int
) -> None:
    answer = client.post(path, data, htmx=True)
    assert (answer.status_code, answer.headers["HX-Reswap"]) == (status, "none")
    events = json.loads(answer.headers["HX-Trigger"])
    assert events["forge:complain"]["message"] in unescape(answer.text)
    assert events["forge:refresh"] == {"target": "body"}
    shown = client.get("/dns").text
    assert re.search('id="dns-table"[^>]* hx-trigger="forge:refresh from:body"', shown)


def news(answer: TestResponse) -> bool:
    """Whether the parts beside the table are told to refresh."""
    return "forge:news" in answer.headers.get("HX-Trigger", "")


def poll(browser: Browser, before: TestResponse) -> TestResponse:
    """What the table asks by itself after that answer."""
    found = re.search(r"hx-get=\"(/dns[^\"]*)\" hx-trigger=\"every 2s\" hx-headers='([^']*)'", before.text)
    assert found is not None
    return browser.get(unescape(found[1]), htmx=True, headers=json.loads(found[2]))


def test_a_row_that_waits_for_its_next_try_is_asked_for_again(panel: Panel, client: Browser) -> None:
    panel.account.broken = True
    panel.claim(NAME)
    panel.round()
    assert panel.row().status == "failed"
    first = client.get("/dns")
    assert not news(poll(client, first))
    panel.account.broken = False
    panel.wait(60)
    panel.round()
    panel.see(Outside(panel))
    last = poll(client, first)
    assert news(last), "the complaint of the connection goes as well"
    assert POLLS not in last.text


def test_a_plan_that_became_reckless_after_a_retry_shows_up_by_itself(panel: Panel, client: Browser) -> None:
    names = [f"n{n}.example.com" for n in range(5)]
    panel.claim(*names)
    panel.round()
    for name in names:
        panel.edit(name, content=ELSEWHERE)
    shown = client.post(f"/dns/records/{panel.row(names[0]).id}/retry", htmx=True)
    db.session.remove()
    panel.at = panel.row(names[0]).updated_at
    panel.round()
    assert panel.connection.review_state == "reckless"
    assert news(poll(client, shown))
    page = client.get("/dns").text
    assert 'hx-get="/dns/review" hx-trigger="forge:news from:body"' in page
    assert "large part of our records" in text(client, "/dns/review", htmx=True)


def test_looking_at_the_plan_causes_no_further_requests(panel: Panel, client: Browser) -> None:
    """What listens for news must not cause news."""
    for path in ("/dns/review", "/dns/connections"):
        shown = client.get(path, htmx=True)
        before = re.search(r"hx-headers='([^']*X-Shown[^']*)'", shown.text)
        headers = json.loads(before[1]) if before else {}
        assert "HX-Trigger" not in client.get(path, htmx=True, headers=headers).headers


def test_a_plan_that_is_ready_by_now_has_the_table_read_again(panel: Panel, client: Browser) -> None:
    """Whoever asks: the poll while the worker is at it, or the news of something else."""
    asked = client.post("/dns/check", htmx=True).text
    panel.round()
    headers = [json.loads(unescape(h)) for h in re.findall(r"hx-headers='([^']*)'", asked)]
    assert len(headers) == 2
    for sent in headers:
        assert "forge:refresh" in client.get("/dns/review", htmx=True, headers=sent).headers["HX-Trigger"]


def test_a_refresh_stays_on_the_page_that_is_shown(panel: Panel, client: Browser) -> None:
    panel.claim(*(f"n{n:02}.example.com" for n in range(60)))
    page = client.get("/dns?page=2&size=25").text
    assert '<input type="hidden" name="size" value="25">' in page
    table = re.search('<div id="dns-table"[^>]*>', page)
    assert table is not None
    assert "hx-include" not in table[0]
    here = {"HX-Current-URL": "http://localhost/dns?page=2&size=25"}
    again = client.get("/dns", htmx=True, headers=here).text
    assert "n25.example.com" in again
    assert "n01.example.com" not in again
