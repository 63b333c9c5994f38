"""Rows that the provider has answered for together: each gets what its own record says."""

import logging

import pytest

from tests.dns.panel_world import HERE, HERE6, Panel
from webapp.db import transaction
from webapp.dns import outcomes, wishes
from webapp.dns.changes import Create, Update, Wish
from webapp.dns.outcomes import MOST_LOGGED
from webapp.dns.providers.base import Outcome
from webapp.dns.records import LiveRecord, Record, Target
from webapp.errors import Rejected

NAMES = ("a.example.com", "b.example.com", "c.example.com")


def wished(panel: Panel) -> dict[int, Wish]:
    return {wish.row: wish for wish in wishes.read(panel.connection.id).wishes}


def as_asked(record: Record, record_id: str) -> LiveRecord:
    return LiveRecord(record_id, record.name, record.type, record.content, record.ttl, record.proxied, "us")


def settle(panel: Panel, done: list[Outcome], known: dict[int, Wish]) -> None:
    with transaction() as session:
        outcomes.settle(session, done, known, panel.at)


def made(known: dict[int, Wish]) -> list[Outcome]:
    """All are created at once."""
    return [
        Outcome(Create(row, wish.record), as_asked(wish.record, f"record-{row}"))
        for row, wish in known.items()
    ]


def test_rows_that_differ_are_settled_with_their_own_records(panel: Panel) -> None:
    panel.save(target=Target(HERE, HERE6))
    panel.claim(NAMES[0])
    panel.claim(NAMES[1], proxy=2, ttl=300)
    panel.claim(NAMES[2], proxy=3, proxied=True)
    known = wished(panel)
    settle(panel, made(known), known)
    for row in panel.rows():
        asked = known[row.id].record
        assert (row.status, row.provider_record_id, row.written) == ("synced", f"record-{row.id}", asked)


def test_an_update_keeps_the_id_of_the_record(panel: Panel) -> None:
    panel.claim(*NAMES)
    panel.round()
    before = {row.id: row.provider_record_id for row in panel.rows()}
    panel.save(target=Target("203.0.113.99"))
    known = wished(panel)
    done = []
    for row, wish in known.items():
        live = as_asked(wish.record, before[row] or "")
        done.append(Outcome(Update(row, wish.record, live, ("content",)), live))
    settle(panel, done, known)
    assert {row.id: row.provider_record_id for row in panel.rows()} == before
    assert {row.written_content for row in panel.rows()} == {"203.0.113.99"}


def test_a_record_that_got_another_id_is_known_by_it(panel: Panel) -> None:
    panel.claim(NAMES[0])
    panel.round()
    panel.save(target=Target("203.0.113.99"))
    known = wished(panel)
    ((row, wish),) = known.items()
    live = as_asked(wish.record, "the-new-one")
    settle(panel, [Outcome(Update(row, wish.record, live, ("content",)), live)], known)
    assert panel.row(NAMES[0]).provider_record_id == "the-new-one"


def test_of_thousands_the_log_names_a_few_and_counts_the_rest(
    panel: Panel, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(MOST_LOGGED + 5):
        panel.claim(f"app{number}.example.com", proxy=number + 1)
    known = wished(panel)
    with caplog.at_level(logging.INFO, "webapp.dns.outcomes"):
        settle(panel, made(known), known)
    assert caplog.text.count("created A") == MOST_LOGGED
    assert "and 5 changes more" in caplog.text


def test_of_thousands_that_are_refused_too(panel: Panel, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(MOST_LOGGED + 5):
        panel.claim(f"app{number}.example.com", proxy=number + 1)
    known = wished(panel)
    full = Rejected("The zone is full.")
    refused = [Outcome(one.change, error=full) for one in made(known)]
    with caplog.at_level(logging.INFO, "webapp.dns.outcomes"):
        settle(panel, refused, known)
    assert caplog.text.count("refused: The zone is full.") == MOST_LOGGED
    assert "and 5 more are refused" in caplog.text
