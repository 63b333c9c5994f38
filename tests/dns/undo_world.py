"""What the tests of undo share: a history to put back, and the name it is about."""

from sqlalchemy import select

from tests.dns.panel_world import ELSEWHERE, HERE, Panel
from webapp.db import reading
from webapp.dns import undo
from webapp.dns.journal import RecordChange

NAME = "app.example.com"
RECORD = f"{NAME} A"


def changes() -> list[RecordChange]:
    with reading() as session:
        return list(session.scalars(select(RecordChange).order_by(RecordChange.id)))


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
