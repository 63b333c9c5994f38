"""The process dies before or after every single call to the provider: a new one finishes the work all the same."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.dns.panel_world import ELSEWHERE, HERE, HERE6, THERE, Panel
from tests.dns.watched import Script, watch
from webapp.dns import service
from webapp.dns.changes import Answer
from webapp.dns.desired import Mode
from webapp.dns.models import Status
from webapp.dns.records import LiveRecord, Target

pytestmark = pytest.mark.matrix

ONE, TWO, NEW = "one.example.com", "two.example.com", "new.example.com"
MOST_CALLS = 60


class Crash(BaseException):
    """As if the machine was switched off."""


def nothing(_panel: Panel) -> None:
    pass


def up(panel: Panel) -> None:
    panel.claim(ONE, TWO)
    panel.round()


def answered(panel: Panel, decision: Answer) -> None:
    row = panel.row(ONE)
    service.answer(row.id, decision, row.answered, at=panel.at)


def in_conflict(panel: Panel) -> None:
    panel.by_hand(ONE, "A", ELSEWHERE)
    up(panel)


def moving(panel: Panel) -> None:
    up(panel)
    panel.account.add_zone("example.net")


def swaps(panel: Panel) -> None:
    panel.claim(TWO)
    panel.claim(NEW, proxy=2)


Act = Callable[[Panel], object]
SCENARIOS: dict[str, tuple[Act, Act, dict[str, str]]] = {
    "first sync": (nothing, lambda p: p.claim(ONE, TWO), {f"{ONE} A": HERE, f"{TWO} A": HERE}),
    "two addresses": (
        nothing,
        lambda p: (p.save(target=Target(ipv4=HERE, ipv6=HERE6)), p.claim(ONE)),
        {f"{ONE} A": HERE, f"{ONE} AAAA": HERE6},
    ),
    "update": (up, lambda p: p.save(target=Target(ipv4=THERE)), {f"{ONE} A": THERE, f"{TWO} A": THERE}),
    "rename": (up, lambda p: p.claim(ONE, NEW), {f"{ONE} A": HERE, f"{NEW} A": HERE}),
    "swap": (up, swaps, {f"{TWO} A": HERE, f"{NEW} A": HERE}),
    "delete": (up, lambda p: p.claim(ONE), {f"{ONE} A": HERE}),
    "address to name": (
        up,
        lambda p: p.save(target=Target(cname="home.example.net")),
        {f"{ONE} CNAME": "home.example.net", f"{TWO} CNAME": "home.example.net"},
    ),
    "to the wildcard": (up, lambda p: p.save(mode=Mode.WILDCARD, zone=None), {}),
    "adopt": (in_conflict, lambda p: answered(p, Answer.ADOPT), {f"{ONE} A": HERE, f"{TWO} A": HERE}),
    "replace": (in_conflict, lambda p: answered(p, Answer.REPLACE), {f"{ONE} A": HERE, f"{TWO} A": HERE}),
}


def bystanders(panel: Panel) -> list[LiveRecord]:
    return [
        panel.by_hand("example.com", "MX", "mail.example.net"),
        panel.by_hand(f"{ONE}", "TXT", "keep me"),
        panel.by_hand("theirs.example.com", "A", HERE, mark="another"),
        panel.by_hand("plain.example.com", "CNAME", "pages.example.net", note="by hand"),
    ]


def crash_at(script: Script, when: str, number: int) -> None:
    """Die before or after the call with that number, counted from now."""
    first = len(script.calls)

    def happening(_call: str) -> None:
        if len(script.calls) - first == number:
            raise Crash

    setattr(script, when, happening)


def crashes(panel: Panel) -> bool:
    try:
        panel.round(3)
    except Crash:
        return True
    return False


def restart(panel: Panel, script: Script) -> None:
    """A new process, when the lease of the dead one is over."""
    script.before = script.after = lambda call: None
    panel.rounds = panel.new_rounds("new process")
    for _ in range(4):
        panel.wait(31)
        panel.round()
        if not panel.unsettled():
            return


def tries(
    monkeypatch: pytest.MonkeyPatch, when: str, before: Act, act: Act
) -> Iterator[tuple[Panel, list[Any]]]:
    """One world for each call that there is to die at."""
    for number in range(1, MOST_CALLS):
        with monkeypatch.context() as patch:
            script = watch(patch)
            panel = Panel()
            others = bystanders(panel)
            before(panel)
            act(panel)
            crash_at(script, when, number)
            if not crashes(panel):
                assert number > 2, "the scenario makes calls"
                return
            restart(panel, script)
            yield panel, others
            panel.save(mode=Mode.WILDCARD, zone=None)
            restart(panel, script)
            assert panel.records() == others
            panel.release(1)
            panel.release(2)
    pytest.fail("it never comes to an end")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_new_process_finishes_what_a_dead_one_began(
    context: None, monkeypatch: pytest.MonkeyPatch, name: str, when: str
) -> None:
    before, act, wanted = SCENARIOS[name]
    for panel, others in tries(monkeypatch, when, before, act):
        records = panel.records()
        assert [record for record in records if record in others] == others
        ours = [record for record in records if record not in others]
        assert sorted((f"{r.name} {r.type}", r.content) for r in ours) == sorted(wanted.items())
        assert {record.mark for record in ours} <= {panel.settings().install_id}
        rows = panel.rows()
        assert {row.status for row in rows} <= {Status.SYNCED, Status.COVERED}
        assert {row.provider_record_id for row in rows} - {None} == {record.id for record in ours}
        assert panel.writes_during(panel.check) == 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_move_to_another_zone_survives_every_crash(
    context: None, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    for number in range(1, MOST_CALLS):
        script = watch(monkeypatch)
        panel = Panel()
        panel.claim("a.shop.example.com", "b.shop.example.com")
        panel.round()
        shop = panel.account.add_zone("shop.example.com")
        panel.save(zone=shop)
        crash_at(script, when, number)
        finished = not crashes(panel)
        up_somewhere = {r.name for r in panel.records()} | {r.name for r in panel.records(shop)}
        assert len(up_somewhere) == 2, "no name is down for a moment"
        restart(panel, script)
        assert (panel.records(), len(panel.records(shop)), panel.unsettled()) == ([], 2, 0)
        assert len(panel.connections()) == 1
        panel.release()
        restart(panel, script)
        if finished:
            return
    pytest.fail("it never comes to an end")
