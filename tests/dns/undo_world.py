"""What the tests of undo share: a history to put back, and the name it is about."""

from sqlalchemy import select, update

from tests.dns.panel_world import ELSEWHERE, HERE, Panel
from webapp.db import reading, transaction
from webapp.dns import undo
from webapp.dns.journal import RecordChange

NAME = "app.example.com"
RECORD = f"{NAME} A"


def changes() -> list[RecordChange]:
    with reading() as session:
        return list(session.scalars(select(RecordChange).order_by(RecordChange.id)))


def reuse_number(panel: Panel) -> None:
    """Have the connection have the number of that of all changes so far, as SQLite gives numbers out again."""
    with transaction() as session:
        session.execute(update(RecordChange).values(connection_id=panel.connection.id))


def put_back(panel: Panel, change: RecordChange | None = None) -> None:
    undo.undo((change or changes()[-1]).id, at=panel.at)
    panel.round()


def up(panel: Panel) -> None:
    panel.claim(NAME)
    panel.round()


def drifted_and_healed(panel: Panel) -> None:
    up(panel)
    panel.edit(content=ELSEWHERE, ttl=300)
    panel.check()
    assert panel.live() == {RECORD: HERE}


def deleted(panel: Panel) -> None:
    up(panel)
    panel.release()
    panel.round()
    assert panel.live() == {}
