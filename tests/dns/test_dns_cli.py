"""`tiny-forge dns`: the same services on the command line, with exit codes and JSON that programs can rely on."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from tests.dns.outside_world import Outside
from tests.dns.panel_world import ELSEWHERE, HERE, Panel
from tests.dns.table_world import many
from webapp.cli import group
from webapp.dns.desired import Mode
from webapp.lease import leased

NAME = "app.example.com"
Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `tiny-forge dns ...` as a whole command, on the app of the test."""
    monkeypatch.setattr(group, "create_app", lambda: app)
    runner = app.test_cli_runner()
    return lambda *args: runner.invoke(group, ["dns", *args])


def told(result: Result) -> Any:
    """The JSON answer."""
    return json.loads(result.stdout)


def in_conflict(panel: Panel, **fields: object) -> None:
    panel.by_hand(NAME, "A", ELSEWHERE, **fields)
    panel.claim(NAME)
    panel.round()


def test_an_empty_list_says_so(run: Run, context: None) -> None:
    assert (run("list").exit_code, run("list").stdout) == (0, "No names yet.\n")
    assert told(run("list", "--json")) == []


def test_the_list_has_every_name_with_its_record(panel: Panel, run: Run) -> None:
    panel.claim(NAME)
    panel.round()
    panel.see(Outside(panel))
    (line,) = told(run("list", "--json"))
    for moment in (line.pop("checked_at"), line.pop("live_at")):
        assert moment.startswith("2026-03-01")
    assert line == {
        "name": NAME, "type": "A", "content": HERE, "wanted": HERE, "ttl": 1, "proxied": False,
        "status": "synced", "consumer": "standalone 1", "error": None, "next_try_at": None,
        "live": "live", "live_message": f"All 2 name servers answer {HERE}.",
    }  # fmt: skip
    assert run("list").stdout.splitlines()[1].split() == [
        NAME,
        "A",
        HERE,
        "synced",
        "live",
        "standalone",
        "1",
    ]


def test_the_list_filters_by_status_and_leaves_out_what_is_not_ours(panel: Panel, run: Run) -> None:
    panel.by_hand("mail.example.com", "A", ELSEWHERE)
    in_conflict(panel)
    assert [x["name"] for x in told(run("list", "--json"))] == [NAME]
    assert len(told(run("list", "--json", "--foreign"))) == 3
    assert len(told(run("list", "--json", "--status", "foreign"))) == 2
    assert told(run("list", "--json", "--status", "synced")) == []
    (line,) = told(run("list", "--json", "--status", "conflict"))
    assert "not ours" in line["error"]
    assert told(run("list", "--json", "--live", "live")) == []
    assert told(run("list", "--json", "--live", "none")) == [line]


def test_a_long_list_is_complete(panel: Panel, run: Run) -> None:
    many(800)
    assert len({x["name"] for x in told(run("list", "--json", "--foreign"))}) == 800


def test_an_unknown_status_is_bad_usage(panel: Panel, run: Run) -> None:
    assert run("list", "--status", "gone").exit_code == 2


def test_the_plan_is_shown_and_nothing_is_done(panel: Panel, run: Run) -> None:
    panel.claim("one.example.com")
    panel.claim("two.example.com", proxy=2)
    panel.round()
    panel.edit("one.example.com", content=ELSEWHERE)
    panel.by_hand("left.example.com", "A", HERE, mark=panel.settings().install_id)
    in_the_way = panel.by_hand(NAME, "A", ELSEWHERE)
    panel.claim(NAME, "new.example.com", proxy=3)
    result: list[Result] = []
    assert panel.writes_during(lambda: result.append(run("plan", "--json"))) == 0
    plan = told(result[0])
    assert list(plan) == [
        "zone", "creates", "updates", "deletes", "conflicts", "foreign", "unchanged", "reckless", "hash",
    ]  # fmt: skip
    assert {key: len(plan[key]) for key in ("creates", "updates", "deletes", "conflicts")} == {
        "creates": 1, "updates": 1, "deletes": 1, "conflicts": 1,
    }  # fmt: skip
    assert (plan["zone"], plan["foreign"], plan["unchanged"], plan["reckless"]) == (
        "example.com",
        1,
        1,
        False,
    )
    shown = run("plan").stdout
    for words in (
        f"Plan for example.com ({plan['hash']})",
        f"+ create new.example.com A {HERE}",
        f"~ update one.example.com A {ELSEWHERE} -> A {HERE}",
        f"- delete left.example.com A {HERE} (carries our mark, but nothing uses it)",
        f"! conflict {NAME}: wanted A {HERE}, there is A {in_the_way.content}",
        "1 as wanted, 1 not ours",
    ):
        assert words in shown


def test_the_plan_names_the_other_installation_that_keeps_a_record(panel: Panel, run: Run) -> None:
    in_conflict(panel, mark="hers")
    assert (
        f"! conflict {NAME}: wanted A {HERE}, there is A {ELSEWHERE} (installation hers)"
        in run("plan").stdout
    )


def test_a_reckless_plan_says_what_it_needs(panel: Panel, run: Run) -> None:
    reckless(panel)
    assert "it needs --yes" in run("plan").stdout


def reckless(panel: Panel) -> None:
    names = [f"n{n}.example.com" for n in range(5)]
    panel.claim(*names)
    panel.round()
    for name in names:
        panel.edit(name, content=ELSEWHERE)


def test_without_an_answer_there_is_no_plan(panel: Panel, run: Run) -> None:
    panel.account.broken = True
    result = run("plan")
    assert (result.exit_code, result.stderr) == (1, "The provider does not answer.\n")


@pytest.mark.parametrize("command", [["plan"], ["adopt", NAME]])
def test_in_wildcard_mode_there_is_nothing_to_plan(context: None, run: Run, command: list[str]) -> None:
    Panel(managed=False)
    result = run(*command)
    assert result.exit_code == 1
    assert "Traceback" not in result.stderr


def test_sync_runs_one_round_now(panel: Panel, run: Run) -> None:
    panel.claim(NAME)
    result = run("sync")
    assert (result.exit_code, result.stdout) == (0, "Everything is settled.\n")
    assert panel.live() == {f"{NAME} A": HERE}
    assert told(run("sync", "--json")) == {"zones": ["example.com"], "unsettled": 0, "errors": []}


def test_sync_fails_while_a_row_is_not_settled(panel: Panel, run: Run) -> None:
    in_conflict(panel)
    result = run("sync", "--json")
    assert (result.exit_code, told(result)["unsettled"]) == (1, 1)


def test_sync_fails_with_the_reason_when_the_provider_does(panel: Panel, run: Run) -> None:
    panel.account.broken = True
    result = run("sync", "--json")
    assert (result.exit_code, told(result)["errors"]) == (1, ["The provider does not answer."])


def test_sync_finishes_a_zone_that_is_left_and_lets_go_of_it(panel: Panel, run: Run) -> None:
    panel.claim(NAME)
    panel.round()
    panel.save(mode=Mode.WILDCARD, zone=None)
    assert run("sync").exit_code == 0
    assert (panel.records(), panel.connections()) == ([], [])
    assert run("sync").exit_code == 0


def test_sync_carries_out_a_reckless_plan_only_with_yes(panel: Panel, run: Run) -> None:
    reckless(panel)
    assert run("sync").exit_code == 1
    assert {r.content for r in panel.records()} == {ELSEWHERE}
    assert run("sync", "--yes").exit_code == 0
    assert {r.content for r in panel.records()} == {HERE}


def test_sync_with_a_hash_carries_out_that_plan_only(panel: Panel, run: Run) -> None:
    panel.claim(NAME)
    plan = told(run("plan", "--json"))["hash"]
    panel.claim("late.example.com", proxy=2)
    refused = run("sync", "--plan", plan)
    assert refused.exit_code == 1
    assert "changed since this plan" in refused.stdout
    assert panel.records() == []
    assert run("sync", "--plan", told(run("plan", "--json"))["hash"]).exit_code == 0


def test_sync_steps_aside_for_a_process_at_work(panel: Panel, run: Run) -> None:
    with leased(f"dns connection {panel.connection.id}", "another"):
        result = run("sync")
    assert result.exit_code == 1
    assert "Another process is at work" in result.stderr


def test_adopt_makes_the_record_ours(panel: Panel, run: Run) -> None:
    in_conflict(panel)
    assert told(run("adopt", "App.Example.com.", "--json")) == {"adopted": NAME, "records": 1}
    assert panel.record().mark == panel.settings().install_id


@pytest.mark.parametrize(
    ("name", "code"), [("free.example.com", 1), ("not a name", 2), ("-x.example.com", 2)]
)
def test_adopt_needs_a_conflict_and_a_name(panel: Panel, run: Run, name: str, code: int) -> None:
    assert run("adopt", "--", name).exit_code == code


def test_adopt_fails_when_it_could_not_be_done(panel: Panel, run: Run) -> None:
    in_conflict(panel)
    panel.edit(content="198.51.100.99")
    result = run("adopt", NAME)
    assert (result.exit_code, panel.row().status) == (1, "conflict")
    panel.account.broken = True
    assert run("adopt", NAME).stderr == "The provider does not answer.\n"


def test_adopt_of_one_among_several_is_bad_input(panel: Panel, run: Run) -> None:
    panel.by_hand(NAME, "A", "198.51.100.99")
    in_conflict(panel)
    assert run("adopt", NAME).exit_code == 2


def test_zones_are_those_of_the_saved_token(panel: Panel, run: Run) -> None:
    (zone,) = told(run("zones", "--provider", "memory", "--json"))
    assert zone == {"name": "example.com", "id": panel.zone.id, "status": "active", "plan": ""}
    result = run("zones")
    assert (result.exit_code, result.stderr) == (2, "No API token is saved for this provider.\n")
