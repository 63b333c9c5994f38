"""The table of the DNS page: filters, sorting, pages and counts, in the same few queries however long it is."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.dns.panel_world import ELSEWHERE, HERE, HERE6, THERE, Panel
from tests.dns.table_world import asked, many, page, queries
from webapp.db import transaction
from webapp.dns import ledger, service
from webapp.dns.desired import Mode
from webapp.dns.lines import Line
from webapp.dns.listing import Page
from webapp.dns.records import Target

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def mixed(panel: Panel) -> Panel:
    """One row of every kind."""
    panel.save(target=Target(ipv4=HERE, ipv6=HERE6))
    panel.claim("app.example.com", "blog.example.com")
    panel.round()
    panel.by_hand("old.example.com", "A", ELSEWHERE)
    panel.by_hand("theirs.example.com", "A", HERE, mark="another")
    panel.by_hand("100%.example.com", "TXT", "a_b%c")
    panel.by_hand("left.example.com", "A", HERE, mark=panel.settings().install_id)
    panel.by_hand("busy.example.com", "CNAME", "elsewhere.example.net")
    panel.claim("busy.example.com", proxy=2)
    blog = next(r for r in panel.records() if (r.name, r.type) == ("blog.example.com", "A"))
    panel.account.edit_by_hand(panel.zone, blog.id, content=THERE)
    service.request_check(at=panel.at)
    panel.round()
    return panel


def names(found: Page) -> list[str]:
    return [f"{line.name} {line.type}" for line in found.lines]


def line(name: str, kind: str = "A", **filters: Any) -> Line:
    (found,) = [x for x in page(foreign=True, **filters).lines if (x.name, x.type) == (name, kind)]
    return found


def test_every_name_is_listed_and_foreign_ones_only_on_request(mixed: Panel) -> None:
    ours = ["app.example.com A", "app.example.com AAAA", "blog.example.com A", "blog.example.com AAAA",
            "busy.example.com A", "busy.example.com AAAA", "left.example.com A"]  # fmt: skip
    assert names(page()) == ours
    assert set(names(page(foreign=True))) - set(ours) == {
        "100%.example.com TXT", "busy.example.com CNAME", "old.example.com A", "theirs.example.com A",
    }  # fmt: skip


def test_counts_per_status_tell_what_a_click_would_show(mixed: Panel) -> None:
    counts = page().counts
    assert counts == {"synced": 3, "drifted": 1, "conflict": 2, "orphan": 1, "foreign": 4}
    for status, number in counts.items():
        found = asked(status=status)
        assert (found.paging.total, len(found.lines)) == (number, number)
        assert {x.status for x in found.lines} == {status}
        assert found.counts == counts


def test_a_line_tells_what_is_there_and_what_is_wanted(mixed: Panel) -> None:
    drifted = line("blog.example.com")
    assert (drifted.content, drifted.wanted and drifted.wanted.content) == (THERE, HERE)
    assert drifted.checked_at == mixed.at
    conflict = line("busy.example.com")
    assert (conflict.content, conflict.status) == ("elsewhere.example.net", "conflict")
    synced = line("app.example.com")
    assert (synced.content, synced.row and synced.row.consumer_id) == (HERE, 1)
    theirs = line("theirs.example.com")
    assert (theirs.note, theirs.wanted, theirs.row) == ("kept by installation another", None, None)
    assert line("left.example.com").note == ""


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"q": "BLOG", "type": "aaaa"}, ["blog.example.com AAAA"]),
        ({"q": THERE}, ["blog.example.com A"]),
        ({"q": HERE6, "status": "synced"}, ["app.example.com AAAA", "blog.example.com AAAA"]),
        ({"status": "conflict", "type": "A"}, ["busy.example.com A"]),
        ({"status": "foreign", "q": "old"}, ["old.example.com A"]),
        ({"consumer": "none"}, ["left.example.com A"]),
        ({"consumer": "standalone", "q": "app", "type": "A"}, ["app.example.com A"]),
        ({"consumer": "instance"}, []),
        ({"q": "elsewhere.EXAMPLE.net", "type": "A"}, ["busy.example.com A"]),
        ({"q": "nothing like it"}, []),
    ],
)
def test_filters_combine(mixed: Panel, filters: dict[str, str], found: list[str]) -> None:
    assert names(asked(**filters)) == found


@pytest.mark.parametrize(
    ("text", "found"), [("%", 1), ("_", 1), ("a_b%c", 1), ("\\", 0), ("'", 0), ("100%.", 1)]
)
def test_wildcards_of_the_database_are_ordinary_characters(mixed: Panel, text: str, found: int) -> None:
    assert len(asked(q=text, foreign="1").lines) == found


def test_names_are_found_as_people_write_them(panel: Panel) -> None:
    panel.claim("xn--bcher-kva.example.com")
    assert names(asked(q="Bücher")) == names(asked(q="xn--bch")) == ["xn--bcher-kva.example.com A"]


def test_a_row_that_waits_is_found_by_what_it_is_going_to_say(panel: Panel) -> None:
    panel.claim("app.example.com")
    assert page().lines[0].content == HERE
    assert names(asked(q=HERE)) == ["app.example.com A"]


def test_without_a_target_rows_are_still_listed(context: None) -> None:
    panel = Panel(managed=False)
    panel.save(target=Target())
    panel.claim("app.example.com")
    assert [(x.content, x.status) for x in page().lines] == [("", "covered")]


@pytest.mark.parametrize("sort", ["name", "type", "content", "status", "consumer"])
def test_every_column_sorts_both_ways(mixed: Panel, sort: str) -> None:
    def key(x: Line) -> str:
        keys = {"name": x.name, "type": x.type, "content": x.content, "status": x.status}
        return keys.get(sort, x.row.consumer_type if x.row else "")

    up = [key(x) for x in asked(sort=sort).lines]
    down = [key(x) for x in asked(sort=f"-{sort}").lines]
    assert up == sorted(up)
    assert down == sorted(up, reverse=True)


def test_pages_are_cut_by_the_database(panel: Panel) -> None:
    many(120)
    first, second = asked(size="50"), asked(size="50", page="2")
    assert (first.paging.total, first.paging.pages, len(first.lines), len(second.lines)) == (60, 2, 50, 10)
    assert not {x.name for x in first.lines} & {x.name for x in second.lines}
    assert [x.name for x in asked(page="99").lines] == [x.name for x in second.lines]
    assert asked(foreign="1", size="100").paging.pages == 2
    assert asked(q="no such name").paging.pages == 1


def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(panel: Panel) -> None:
    sizes = []
    for count, start in ((10, 0), (290, 5)):
        many(count, start)
        with queries() as sent:
            assert asked(foreign="1", size="250").lines
        sizes.append(len(sent))
    assert sizes[0] == sizes[1] <= 6


def test_names_the_wildcard_cannot_serve_say_why(context: None) -> None:
    panel = Panel(managed=False)
    panel.save()
    panel.claim("app.example.com", "a.b.example.com", "own.example.com", "example.com")
    with transaction() as session:
        ledger.settings(session).wildcard_exceptions = ["own.example.com"]
    notes = {x.name: (x.status, x.note) for x in page().lines}
    assert notes["app.example.com"] == ("covered", "")
    assert notes["a.b.example.com"][0] == notes["example.com"][0] == "uncovered"
    assert "one level below example.com" in notes["a.b.example.com"][1]
    assert "records of its own" in notes["own.example.com"][1]
    panel.save(base_domain="")
    assert {x.note for x in page().lines} == {"No base domain is set, so no wildcard is known."}


def test_a_released_name_is_shown_as_being_deleted(panel: Panel) -> None:
    panel.claim("app.example.com")
    panel.round()
    panel.save(mode=Mode.WILDCARD, zone=None)
    statuses = [x.status for x in page().lines]
    assert sorted(statuses) == ["covered", "deleting"]
    assert names(asked(status="deleting")) == ["app.example.com A"]


@pytest.fixture
def wild(panel: Panel) -> Panel:
    """The wildcard serves one name, and there are three ways not to be served."""
    panel.save(mode=Mode.WILDCARD, zone=None)
    panel.claim("app.example.com", "own.example.com", "a.b.example.com", "app.example.net")
    with transaction() as session:
        ledger.settings(session).wildcard_exceptions = ["own.example.com"]
    return panel


def test_a_name_that_the_wildcard_does_not_serve_is_counted_and_found_as_such(wild: Panel) -> None:
    assert page().counts == {"covered": 1, "uncovered": 3}
    assert names(asked(status="covered")) == ["app.example.com A"]
    assert names(asked(status="uncovered")) == ["a.b.example.com A", "app.example.net A", "own.example.com A"]
    assert {x.status for x in asked(status="uncovered").lines} == {"uncovered"}


def test_without_a_base_domain_no_name_is_known_to_be_served(wild: Panel) -> None:
    wild.save(base_domain="")
    assert page().counts == {"uncovered": 4}
