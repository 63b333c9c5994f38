"""What was lost comes back: the database from the marks, the marks from the rows, and an old backup does no harm."""

import json

import pytest
from sqlalchemy import delete

from tests.dns.panel_world import HERE
from webapp.cli import group
from webapp.db import transaction
from webapp.dns import ledger
from webapp.dns.models import DnsRecord
from webapp.dns.seen import SeenRecord

NAMES = [f"app{number}.example.com" for number in range(6)]


@pytest.fixture
def run(app, monkeypatch):
    """Run `tiny-forge dns ...` as a whole command, on the app of the test."""
    monkeypatch.setattr(group, "create_app", lambda: app)
    runner = app.test_cli_runner()
    return lambda *args: runner.invoke(group, ["dns", *args])


def lose_database(panel, install="anew"):
    """A new installation: nothing is known of records, only the settings are entered again."""
    with transaction() as session:
        session.execute(delete(DnsRecord))
        session.execute(delete(SeenRecord))
        ledger.settings(session).install_id = install
    panel.rounds = panel.new_rounds()


def test_a_lost_database_is_rebuilt_from_marks_and_consumers(panel, run):
    panel.claim(*NAMES)
    panel.round()
    before = {record.name: record.id for record in panel.records()}
    old = panel.settings().install_id
    lose_database(panel)
    panel.claim(*NAMES)
    panel.round()
    assert set(panel.statuses().values()) == {"conflict"}
    result = run("adopt", "--marked", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["adopted"] == f"6 records of installation {old}"
    assert set(panel.statuses().values()) == {"synced"}
    assert {record.name: record.id for record in panel.records()} == before, (
        "the same records: nothing was down"
    )
    assert {record.mark for record in panel.records()} == {"anew"}


def test_only_names_that_are_claimed_again_are_adopted(panel, run):
    panel.claim(*NAMES)
    panel.round()
    old = panel.settings().install_id
    lose_database(panel)
    panel.claim(NAMES[0])
    assert run("adopt", "--marked").exit_code == 0
    marks = {record.name: record.mark for record in panel.records()}
    assert marks == {NAMES[0]: "anew"} | dict.fromkeys(NAMES[1:], old)


def test_records_of_nobody_are_not_adopted_by_it(panel, run):
    panel.by_hand(NAMES[0], "A", HERE)
    panel.claim(NAMES[0])
    result = run("adopt", "--marked")
    assert result.exit_code == 1
    assert panel.records()[0].mark is None


def test_with_several_installations_one_has_to_be_named(panel, run):
    panel.claim(*NAMES)
    panel.round()
    panel.edit(NAMES[0], mark="second")
    lose_database(panel)
    panel.claim(*NAMES)
    result = run("adopt", "--marked")
    assert result.exit_code == 2
    assert "second" in result.stderr
    assert run("adopt", "--marked", "--of", "second").exit_code == 0
    assert [record.name for record in panel.records() if record.mark == "anew"] == [NAMES[0]]


def test_something_has_to_be_said(run, panel):
    assert run("adopt").exit_code == 2


def test_lost_marks_are_put_back_at_the_next_round(panel):
    panel.claim(*NAMES)
    panel.round()
    for name in NAMES:
        panel.edit(name, mark=None)
    panel.check()
    assert {record.mark for record in panel.records()} <= {panel.settings().install_id, None}
    panel.rounds.sync(panel.connection.id, approve=lambda plan: True)
    assert {record.mark for record in panel.records()} == {panel.settings().install_id}


def test_an_old_backup_does_not_delete_what_came_after_it(panel):
    panel.claim(NAMES[0])
    panel.round()
    for number, name in enumerate(NAMES[1:], 2):
        panel.claim(name, proxy=number)
    panel.round()
    with transaction() as session:  # as the database was before
        session.execute(delete(DnsRecord).where(DnsRecord.fqdn != NAMES[0]))
    panel.check()
    assert len(panel.records()) == len(NAMES)
    assert panel.connection.review_state == "reckless"
