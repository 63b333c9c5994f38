"""The history as a page and as commands, with its filters; and undo from both."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from tests.dns.panel_world import ELSEWHERE, HERE, THERE, Panel
from tests.dns.table_world import queries
from tests.support import Browser
from webapp.cli import group
from webapp.db import now
from webapp.dns.desired import Mode
from webapp.dns.records import Target

NAME, OTHER = "app.example.com", "other.example.com"
HOSTILE = "<script>alert(1)</script>"
Run = Callable[..., Result]


@pytest.fixture
def panel(app: Flask, context: None) -> Panel:
    panel = Panel()
    panel.at = now()
    return panel


@pytest.fixture
def run(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(group, "create_app", lambda: app)
    runner = app.test_cli_runner()
    return lambda *args: runner.invoke(group, ["dns", *args])


def eventful(panel: Panel) -> None:
    """Created (1 and 2), drifted and healed (3), deleted (4)."""
    panel.claim(NAME)
    panel.claim(OTHER, proxy=2)
    panel.round()
    panel.account.edit_by_hand(panel.zone, panel.record(OTHER).id, content=ELSEWHERE)
    panel.check()
    panel.release()
    panel.round()


def lines(html: str) -> list[str]:
    """The rows of the table, as words."""
    body = html.partition("<tbody>")[2]
    return [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in body.split("<tr>")[1:]]


def test_an_empty_history_says_what_it_is_for(panel: Panel, client: Browser) -> None:
    assert "Nothing has been changed yet" in client.get("/dns/history").text


def test_every_change_has_its_line_the_latest_first(panel: Panel, client: Browser) -> None:
    eventful(panel)
    found = lines(client.get("/dns/history").text)
    assert [row.split()[3] for row in found] == ["Deleted", "Changed", "Created", "Created"]
    assert f"A {ELSEWHERE}, TTL automatic" in found[1]
    assert "the panel itself" in found[1]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("q=app", 2), ("name=app.example.com", 2), ("kind=create", 2), ("kind=update", 1), ("result=done", 4),
        ("result=refused", 0), ("consumer=standalone", 4), ("consumer=none", 0), ("kind=nonsense", 4),
        ("q=app&kind=delete", 1), ("page=9", 4), ("q=content", 1),
    ],
)  # fmt: skip
def test_filters_narrow_it_and_combine(panel: Panel, client: Browser, query: str, count: int) -> None:
    eventful(panel)
    assert len(lines(client.get(f"/dns/history?{query}").text)) == count


def test_a_filter_that_nothing_matches_can_be_cleared(panel: Panel, client: Browser) -> None:
    eventful(panel)
    assert "Clear the filters" in client.get("/dns/history?q=nothing").text


def test_a_fragment_is_the_table_alone(panel: Panel, client: Browser) -> None:
    eventful(panel)
    answer = client.get("/dns/history", htmx=True)
    assert "<html" not in answer.text
    assert len(lines(answer.text)) == 4


def test_the_number_of_queries_does_not_grow(panel: Panel, client: Browser, app: Flask) -> None:
    panel.claim(NAME)
    panel.round()
    with queries() as few:
        client.get("/dns/history")
    eventful(panel)
    with queries() as many:
        client.get("/dns/history")
    assert len(many) == len(few)


def test_an_undo_is_shown_before_it_is_done(panel: Panel, client: Browser) -> None:
    eventful(panel)
    page = client.get("/dns/history/4/undo").text
    assert "made again" in page
    assert "Undo this change" in page
    assert panel.rows(NAME) == []
    answer = client.post("/dns/history/4/undo")
    assert answer.status_code == 303
    panel.round()
    assert panel.live()[f"{NAME} A"] == HERE


@pytest.mark.parametrize(("number", "words"), [(2, "deleted at the provider"), (3, "changed back")])
def test_each_kind_of_undo_says_what_it_does(panel: Panel, client: Browser, number: int, words: str) -> None:
    eventful(panel)
    assert words in client.get(f"/dns/history/{number}/undo").text


def test_what_followed_a_change_is_told_before_it_is_undone(panel: Panel, client: Browser) -> None:
    panel.claim(NAME)
    panel.round()
    assert "It is now" not in client.get("/dns/history/1/undo").text
    for address in (ELSEWHERE, THERE):
        panel.save(target=Target(ipv4=address))
        panel.round()
    page = client.get("/dns/history/2/undo").text
    assert "It is now" in page
    assert f"A {THERE}, TTL automatic" in page


def test_what_cannot_be_undone_says_why_and_has_no_button(panel: Panel, client: Browser) -> None:
    eventful(panel)
    panel.save(mode=Mode.WILDCARD, zone=None)
    page = client.get("/dns/history/3/undo").text
    assert "cannot be undone: Records are not kept in example.com any more" in page
    assert "Undo this change" not in page
    assert client.post("/dns/history/3/undo").status_code == 409


def test_an_unknown_change_is_not_found(panel: Panel, client: Browser) -> None:
    assert client.get("/dns/history/77/undo").status_code == 404


def test_the_dns_page_tells_what_was_put_back_and_lets_go_of_it(panel: Panel, client: Browser) -> None:
    eventful(panel)
    client.post("/dns/history/3/undo")
    client.post("/dns/history/2/undo")
    client.post("/dns/history/4/undo")
    panel.round()
    page = client.get("/dns").text
    assert "Kept by hand" in page
    assert "Somebody put back that it has no record." in page
    for row in panel.rows():
        assert client.post(f"/dns/history/records/{row.id}/follow").status_code == 303
    panel.round()
    assert panel.live() == {f"{OTHER} A": HERE}


def test_a_page_out_of_date_does_not_let_go_of_another_record_of_that_number(
    panel: Panel, client: Browser
) -> None:
    eventful(panel)
    client.post("/dns/history/4/undo")
    panel.round()
    assert f'name="name" value="{NAME}"' in client.get("/dns").text
    address = f"/dns/history/records/{panel.row(NAME).id}/follow"
    assert client.post(address, {"name": "gone.example.com"}).status_code == 404
    assert panel.row(NAME).wanted is True
    assert client.post(address, {"name": NAME}).status_code == 303
    assert panel.row(NAME).wanted is False


def test_following_the_settings_again_keeps_the_filters_of_the_page(panel: Panel, client: Browser) -> None:
    eventful(panel)
    client.post("/dns/history/3/undo")
    panel.round()
    page = {"HX-Current-URL": "http://localhost/dns?q=nothing"}
    answer = client.post(f"/dns/history/records/{panel.row(OTHER).id}/follow", htmx=True, headers=page)
    assert (answer.status_code, "HX-Redirect" in answer.headers) == (200, False)
    assert "No record matches" in answer.text
    assert "follows the settings again" in answer.headers["HX-Trigger"]


def test_a_pinned_record_says_so(panel: Panel, client: Browser) -> None:
    eventful(panel)
    client.post("/dns/history/3/undo")
    panel.round()
    assert "Somebody put it back to what it was before." in client.get("/dns").text


def test_what_follows_the_settings_already_is_told(panel: Panel, client: Browser) -> None:
    eventful(panel)
    assert client.post(f"/dns/history/records/{panel.row(OTHER).id}/follow").status_code == 409


def test_nothing_in_it_is_taken_for_markup(panel: Panel, client: Browser) -> None:
    panel.claim(NAME)
    panel.round()
    panel.edit(content=HOSTILE)
    panel.check()
    assert HOSTILE not in client.get("/dns/history").text


def told(result: Result) -> Any:
    return json.loads(result.stdout)


def test_commands_list_the_history(panel: Panel, run: Run) -> None:
    eventful(panel)
    rows = told(run("history", "--json", "--limit", "3"))
    assert [row["kind"] for row in rows] == ["delete", "update", "create"]
    assert rows[1]["before"]["content"] == ELSEWHERE
    assert "delete" in run("history", "--name", NAME, "--kind", "delete").output


def test_a_command_undoes_a_change_as_the_command_line(panel: Panel, run: Run) -> None:
    eventful(panel)
    assert run("undo", "4").exit_code == 0
    panel.round()
    (latest,) = told(run("history", "--json", "--limit", "1"))
    assert (latest["name"], latest["by"], latest["why"]) == (NAME, "command line", "undo of change 4")


def test_a_command_that_cannot_undo_says_why(panel: Panel, run: Run) -> None:
    eventful(panel)
    run("undo", "4")
    result = run("undo", "4")
    assert result.exit_code == 1
    assert "has a record again" in result.output


@pytest.mark.parametrize("number", ["0", "2147483648", "9" * 30])
def test_a_number_that_no_change_can_have_is_bad_usage(panel: Panel, run: Run, number: str) -> None:
    assert run("undo", number).exit_code == 2
