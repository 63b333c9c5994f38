"""Deletions that wait for something else do not keep the provider busy."""

from datetime import timedelta

from tests.dns.panel_world import Panel
from webapp.db import reading
from webapp.dns import ledger
from webapp.dns.records import Target

NAME = "app.example.com"


def pause(panel: Panel) -> timedelta:
    """How long until the released row is looked at again."""
    with reading() as session:
        (row,) = [row for row in ledger.by_fqdn(session, [NAME]) if not row.wanted]
    assert row.next_try_at is not None
    return row.next_try_at - panel.at


def test_a_deletion_that_waits_for_an_answer_is_looked_at_less_and_less_often(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()
    panel.by_hand(NAME, "AAAA", "2001:db8::9")
    panel.save(target=Target(cname="home.example.net"))
    panel.round()
    pauses = [pause(panel)]
    for _ in range(7):
        panel.wait(pauses[-1].total_seconds())
        panel.round()
        pauses.append(pause(panel))
    assert pauses[0] == timedelta(seconds=10)
    assert pauses[-1] > timedelta(minutes=2)
    assert {(r.type, r.content) for r in panel.records()} >= {("A", "192.0.2.1")}
