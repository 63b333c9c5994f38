"""Answers to a conflict whose record is of another type: on the page, on the command line, after a lost database."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.dns.panel_world import ELSEWHERE, HERE, HERE6, Panel
from tests.support import Browser
from webapp.cli import group
from webapp.dns import service
from webapp.dns.changes import Answer
from webapp.dns.records import Target
from webapp.errors import InvalidInput

NAME, HIS6 = "app.example.com", "2001:db8::99"


@pytest.fixture
def run(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have `tiny-forge dns ...` do its work."""
    monkeypatch.setattr(group, "create_app", lambda: app)

    def work(*words: str) -> None:
        result = app.test_cli_runner().invoke(group, ["dns", *words])
        assert result.exit_code == 0, result.output

    return work


def contested(panel: Panel, kind: str, content: str, mark: str | None = "another") -> None:
    panel.by_hand(NAME, kind, content, mark=mark)
    panel.claim(NAME)
    panel.round()


@pytest.mark.parametrize(("kind", "content"), [("AAAA", HIS6), ("CNAME", "x.example.net")])
def test_a_record_of_another_type_is_replaced_or_left(
    panel: Panel, client: Browser, kind: str, content: str
) -> None:
    contested(panel, kind, content)
    page = client.get("/dns").text
    assert f"{kind} {content}" in page
    assert [word for word in ("Adopt", "Replace", "Leave") if f'">{word}</button>' in page] == [
        "Replace",
        "Leave",
    ]
    assert "Adopt turns" not in page
    row = panel.row()
    with pytest.raises(InvalidInput, match="Only a single A record could be adopted here"):
        service.answer(row.id, Answer.ADOPT, row.answered, at=panel.at)
    service.answer(row.id, Answer.REPLACE, row.answered, at=panel.at)
    panel.round()
    assert (panel.live(), panel.row().status) == ({f"{NAME} A": HERE}, "synced")


def test_the_command_adopts_what_is_of_the_type_and_the_rest_follows(
    panel: Panel, run: Callable[..., None]
) -> None:
    panel.save(target=Target(HERE, HERE6))
    contested(panel, "A", ELSEWHERE)
    assert {row.status for row in panel.rows()} == {"conflict"}
    run("adopt", NAME)
    assert {row.status for row in panel.rows()} == {"synced"}
    assert panel.live() == {f"{NAME} A": HERE, f"{NAME} AAAA": HERE6}


def test_a_lost_database_finds_both_addresses_of_each_name_again(
    panel: Panel, run: Callable[..., None]
) -> None:
    panel.save(target=Target(HERE, HERE6))
    panel.claim(NAME)
    panel.round()
    before = {record.id for record in panel.records()}
    for record in panel.records():
        panel.account.edit_by_hand(panel.zone, record.id, mark="lost")
    panel.check()
    run("adopt", "--marked")
    assert {row.status for row in panel.rows()} == {"synced"}
    assert {record.id for record in panel.records()} == before
