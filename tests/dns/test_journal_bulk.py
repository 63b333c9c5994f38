"""Thousands of changes that a full zone refuses are written down in few statements: hooks wait for that."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from tests.dns.panel_world import HERE, Panel
from tests.dns.table_world import queries
from webapp.db import reading, transaction
from webapp.dns import journal
from webapp.dns.changes import Create
from webapp.dns.journal import Entries, RecordChange, Result
from webapp.dns.names import Fqdn
from webapp.dns.providers.base import Outcome
from webapp.dns.records import Record, RecordType
from webapp.errors import Rejected

CHANGES = [Create(None, Record(Fqdn(f"n{n}.example.com"), RecordType.A, HERE, 1, False)) for n in range(1200)]


@contextmanager
def writing(panel: Panel) -> Iterator[Entries]:
    with journal.writing(1, "example.com", CHANGES, {}, "", lambda: panel.at) as entries:
        yield entries


def refuse(panel: Panel, entries: Entries, error: str) -> None:
    with transaction() as session:
        entries.end(session, [Outcome(change, error=Rejected(error)) for change in CHANGES], panel.at)


def test_few_statements_write_down_many_refusals(panel: Panel) -> None:
    with writing(panel) as entries, queries() as made:
        refuse(panel, entries, "The zone is full.")
    assert len(made) < 15


def test_the_latest_of_many_refusals_stand(panel: Panel) -> None:
    for error in ("Full.", "Still full."):
        with writing(panel) as entries:
            refuse(panel, entries, error)
    with reading() as session:
        told = session.scalars(select(RecordChange).order_by(RecordChange.number)).all()
    assert [c.fqdn for c in told] == [change.record.name for change in CHANGES]
    assert {(c.result, c.error) for c in told} == {(Result.REFUSED, "Still full.")}
