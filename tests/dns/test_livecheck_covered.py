"""Names that the wildcard is to serve get a verdict, too: no provider is known, so the servers' word counts."""

from collections.abc import Collection

import pytest

from tests.dns.outside_world import EDGE, SERVERS, Outside
from tests.dns.panel_world import ELSEWHERE, HERE, HERE6, THERE, Panel
from webapp.db import reading
from webapp.dns import ledger, livecheck, looks
from webapp.dns.desired import Mode
from webapp.dns.ledger import SOON_TRIES
from webapp.dns.live import Content, Liveness, Question, Said, Verdict
from webapp.dns.models import DnsRecord
from webapp.dns.records import Target
from webapp.errors import Outage
from webapp.proxy.proofs import pieces

NAME, DEEP, OWN = "app.example.com", "a.b.example.com", "own.example.com"
EDGES = tuple(sorted((c for _, c in EDGE), key=lambda c: ":" in c))


class Wild(Outside):
    """A wildcard record kept by hand somewhere, names with records of their own, and names that it cannot serve."""

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        self.wild: Collection[Content] = {("A", HERE)}
        self.own: dict[str, Collection[Content]] = {DEEP: ()}
        self.homeless = ""

    def zone_of(self, name: str) -> str:
        if self.homeless:
            raise Outage(self.homeless)
        return name

    def _said(self, server: str, name: str, kind: str) -> Said:
        if name in self.late and server == SERVERS[1]:
            return Said()
        return Said(frozenset(c for c in self.own.get(name, self.wild) if c[0] == kind))


@pytest.fixture
def panel(context: None) -> Panel:
    panel = Panel(managed=False)
    panel.save()
    return panel


@pytest.fixture
def wild(panel: Panel) -> Wild:
    return Wild(panel)


def proven() -> set[str]:
    """The names whose proxy hosts carry a proof."""
    with reading() as session:
        return set(pieces(session))


def behind_a_proxy(panel: Panel, wild: Wild) -> None:
    wild.wild = EDGE
    panel.claim(NAME)
    panel.see(wild)


def test_a_name_is_looked_at_as_soon_as_it_is_claimed(panel: Panel, wild: Wild) -> None:
    panel.claim(NAME)
    assert panel.row().live_due_at == panel.at
    panel.see(wild)
    row = panel.row()
    assert (row.live, row.live_message) == (Liveness.LIVE, f"All 2 name servers answer {HERE}.")
    assert (wild.visits, proven()) == ([], set())


def test_each_record_that_the_target_means_has_its_own_verdict(panel: Panel, wild: Wild) -> None:
    panel.save(target=Target(HERE, HERE6))
    panel.claim(NAME)
    panel.see(wild)
    assert {row.type: row.live for row in panel.rows()} == {"A": Liveness.LIVE, "AAAA": Liveness.NOT_YET}


def test_a_live_name_is_looked_at_again_from_time_to_time(panel: Panel, wild: Wild) -> None:
    panel.claim(NAME)
    panel.see(wild)
    panel.see(wild)
    assert len(wild.asked) == 2
    panel.wait(13 * 60)
    wild.wild = ()
    panel.see(wild)
    assert panel.row().live is Liveness.NOT_YET


def test_names_that_the_wildcard_cannot_serve_are_looked_at_alike(panel: Panel, wild: Wild) -> None:
    wild.own[OWN] = {("A", HERE)}
    panel.claim(DEEP, OWN)
    panel.see(wild)
    assert {row.fqdn: row.live for row in panel.rows()} == {DEEP: Liveness.NOT_YET, OWN: Liveness.LIVE}


def test_other_addresses_have_to_be_proven_and_the_proof_is_put_there_first(panel: Panel, wild: Wild) -> None:
    behind_a_proxy(panel, wild)
    assert (panel.row().live, wild.visits, proven()) == (Liveness.NOT_YET, [], {NAME})
    panel.wait(5)
    panel.see(wild)
    assert wild.visits == [(NAME, ("104.16.132.229",))]
    assert panel.row().live is Liveness.LIVE
    assert "but leads to this installation" in (panel.row().live_message or "")
    assert proven() == {NAME}


def test_whoever_puts_proofs_to_hosts_is_told_when_one_is_missing(panel: Panel, wild: Wild) -> None:
    wild.wild = EDGE
    panel.claim(NAME)
    told: list[set[str]] = []
    check = panel.live_check(wild, prepare=lambda: told.append(proven()))
    for _ in range(2):
        check.run_due()
        panel.wait(5)
    assert told == [{NAME}]


def test_two_records_of_a_name_take_one_visit(panel: Panel, wild: Wild) -> None:
    panel.save(target=Target(HERE, HERE6))
    behind_a_proxy(panel, wild)
    panel.wait(5)
    panel.see(wild)
    assert wild.visits == [(NAME, EDGES)]
    assert {row.live for row in panel.rows()} == {Liveness.LIVE}


def test_what_is_not_proven_is_wrong_after_some_looks(panel: Panel, wild: Wild) -> None:
    wild.found = Verdict(Liveness.NOT_YET, "It answers HTTP 404 where the proof should be.")
    wild.wild = {("A", ELSEWHERE)}
    panel.claim(NAME)
    seen = []
    for _ in range(SOON_TRIES + 1):
        panel.see(wild)
        seen.append(panel.row().live)
        panel.wait(600)
    assert seen == [*[Liveness.NOT_YET] * SOON_TRIES, Liveness.WRONG]
    assert panel.row().live_message == (
        f"It answers {ELSEWHERE}, and not {HERE}. It answers HTTP 404 where the proof should be."
    )


def test_a_name_that_leads_straight_here_needs_no_proof_any_more(panel: Panel, wild: Wild) -> None:
    behind_a_proxy(panel, wild)
    wild.homeless = "Nobody knows."
    panel.wait(5)
    panel.see(wild)
    assert (panel.row().live, proven()) == (Liveness.UNKNOWN, {NAME})
    wild.homeless, wild.wild = "", {("A", HERE)}
    panel.wait(60)
    panel.see(wild)
    assert (panel.row().live, proven()) == (Liveness.LIVE, set())


def test_another_target_makes_the_verdict_void_but_takes_no_proof_away(panel: Panel, wild: Wild) -> None:
    behind_a_proxy(panel, wild)
    panel.save(target=Target(THERE))
    row = panel.row()
    assert (row.live, row.live_message, row.live_due_at) == (None, None, panel.at)
    assert proven() == {NAME}
    panel.see(wild)
    assert (panel.row().live, len(wild.visits)) == (Liveness.LIVE, 1)


def test_another_mode_makes_the_verdict_void(panel: Panel, wild: Wild) -> None:
    behind_a_proxy(panel, wild)
    panel.save(mode=Mode.MANAGED, zone=panel.zone)
    assert (panel.row().live, panel.row().live_due_at, proven()) == (None, None, set())
    panel.round()
    panel.save(mode=Mode.WILDCARD, zone=None)
    covered = panel.rows()[-1]
    assert (covered.live, covered.live_due_at) == (None, panel.at)


def test_a_look_that_was_overtaken_by_a_new_target_is_not_kept(panel: Panel, wild: Wild) -> None:
    panel.claim(NAME)
    ask = wild.ask

    def meanwhile(zone: str, questions: Collection[Question]) -> object:
        panel.save(target=Target(THERE))
        return ask(zone, questions)

    wild.ask = meanwhile  # type: ignore[assignment, method-assign]
    panel.see(wild)
    assert (panel.row().live, panel.row().live_due_at) == (None, panel.at)


def test_without_a_target_nothing_is_asked_until_there_is_one(panel: Panel, wild: Wild) -> None:
    panel.save(target=Target())
    panel.claim(NAME)
    panel.see(wild)
    assert (wild.asked, panel.row().live, panel.row().live_due_at) == ([], None, None)
    panel.save(target=Target(HERE))
    panel.see(wild)
    assert panel.row().live is Liveness.LIVE


def test_a_target_that_comes_in_that_moment_is_not_missed(
    panel: Panel, wild: Wild, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.save(target=Target())
    panel.claim(NAME)
    pass_over = looks._pass_over

    def late(rows: list[DnsRecord]) -> None:
        panel.save(target=Target(HERE))
        pass_over(rows)

    monkeypatch.setattr(looks, "_pass_over", late)
    panel.see(wild)
    panel.see(wild)
    assert panel.row().live is Liveness.LIVE


def test_visits_are_few_in_a_pass_and_leave_room_for_the_other_names(
    panel: Panel, wild: Wild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(livecheck, "MOST_VISITS", 3)
    monkeypatch.setattr(livecheck, "AT_ONCE", 2)
    behind_a_proxy(panel, wild)
    panel.claim(*(f"n{n}.example.com" for n in range(5)), proxy=2)
    panel.see(wild)
    panel.wait(5)
    wild.own["plain.example.com"] = {("A", HERE)}
    panel.claim("plain.example.com", proxy=3)
    panel.see(wild)
    live = [row.fqdn for row in panel.rows() if row.live is Liveness.LIVE]
    assert (len(wild.visits), len(live), "plain.example.com" in live) == (3, 4, True)


def test_the_page_looks_again_until_there_is_a_verdict(panel: Panel, wild: Wild) -> None:
    def pending() -> bool:
        with reading() as session:
            return ledger.is_pending(session)

    panel.claim(NAME)
    assert pending()
    panel.see(wild)
    assert not pending()


def test_a_pass_ends_when_the_process_is_to_stop(panel: Panel, wild: Wild) -> None:
    panel.claim(NAME, DEEP)
    panel.live_check(wild, stopping=lambda: True).run_due()
    with reading() as session:
        assert session.query(DnsRecord).filter(DnsRecord.live.is_not(None)).count() == 1
