"""Random histories of one or two installations in the same zones, with everybody and everything at their elbow."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import select

from tests.dns.history_guard import Guard
from tests.dns.history_install import Install
from tests.dns.panel_world import ELSEWHERE, HERE, HERE6, THERE
from tests.dns.plan_world import is_legal
from webapp.db import reading
from webapp.dns import undo
from webapp.dns.changes import Answer
from webapp.dns.desired import Overrides
from webapp.dns.journal import RecordChange
from webapp.dns.records import LiveRecord, Target
from webapp.errors import ForgeError

NAMES = (
    "a.shop.example.com",
    "b.shop.example.com",
    "*.shop.example.com",
    "c.shop.example.com",
    "www.example.com",
)
CONTENTS = {"A": (HERE, ELSEWHERE), "AAAA": (HERE6,), "CNAME": ("pages.example.net",), "TXT": ("v=spf1",)}
TARGETS = (
    Target(HERE), Target(THERE), Target(HERE, HERE6), Target(ipv6=HERE6), Target(cname="home.example.net"),
)  # fmt: skip
WAITS = (3, 11, 100, 601, 4000)
TROUBLES = ("outage before", "outage after", "denied before", "crash before", "crash after")
LOOPS = 14
BY_HAND = "h"

who = st.integers(0, 1)
number = st.integers(0, 30)
subsets = st.frozensets(st.sampled_from(NAMES), min_size=1, max_size=4)
overrides = st.builds(Overrides, st.sampled_from((None, None, True)), st.sampled_from((None, None, 300)))


class Histories(RuleBasedStateMachine):
    """`begin` makes the installations; `ended` is told of every history that came to a good end."""

    begin: Callable[[], tuple[Guard, list[Install]]]
    ended: Callable[[], None]

    @initialize(claimed=st.lists(subsets, min_size=4, max_size=4), place=st.integers(1, 2))
    def begins(self, claimed: list[frozenset[str]], place: int) -> None:
        """Some names are up already."""
        self.guard, self.installs = type(self).begin()
        for number, names in enumerate(claimed):
            self._pick(number).claim(1 + number // 2, names, Overrides())
        for install in self.installs:
            install.save(place=place)
            install.round()

    def _pick(self, index: int) -> Install:
        return self.installs[index % len(self.installs)]

    def _zone(self, index: int) -> dict[str, LiveRecord]:
        zones = [zone for account in self.guard.accounts for zone in account.records.values()]
        return zones[index % len(zones)]

    @rule(who=who, consumer=st.integers(1, 3), names=subsets, overrides=overrides)
    def claims(self, who: int, consumer: int, names: frozenset[str], overrides: Overrides) -> None:
        self._pick(who).claim(consumer, names, overrides)

    @rule(who=who, consumer=st.integers(1, 3))
    def releases(self, who: int, consumer: int) -> None:
        self._pick(who).claim(consumer, frozenset(), Overrides())

    @rule(who=who, to=st.sampled_from(TARGETS), ttl=st.sampled_from((1, 120)), proxied=st.booleans())
    def settings_change(self, who: int, to: Target, ttl: int, proxied: bool) -> None:
        self._pick(who).save(target=to, ttl=ttl, proxied=proxied)

    @rule(who=who, place=st.integers(0, 2))
    def moves(self, who: int, place: int) -> None:
        self._pick(who).save(place=place)

    @rule(who=who, times=st.integers(1, 3))
    def works(self, who: int, times: int) -> None:
        for _ in range(times):
            self._pick(who).round()

    @rule(seconds=st.sampled_from(WAITS))
    def time_goes_by(self, seconds: int) -> None:
        self.time_passes(seconds)

    def time_passes(self, seconds: int) -> None:
        for install in self.installs:
            install.panel.wait(seconds)
            install.round()

    @rule(who=who)
    def restarts(self, who: int) -> None:
        self._pick(who).restart()

    @rule(kind=st.sampled_from(TROUBLES), at=st.integers(1, 4))
    def trouble_comes(self, kind: str, at: int) -> None:
        """Now or, where too few calls are made, later."""
        self.guard.trouble, self.guard.countdown = kind, at
        self.time_passes(601)

    @rule(who=who, index=number)
    def presses_buttons(self, who: int, index: int) -> None:
        self._pick(who).press_buttons()

    @rule(
        zone=st.integers(0, 1),
        name=st.sampled_from(NAMES),
        kind=st.sampled_from(sorted(CONTENTS)),
        index=number,
    )
    def somebody_makes(self, zone: int, name: str, kind: str, index: int) -> None:
        """By hand, or with the mark of an installation that nobody knows, or that somebody copied."""
        contents = CONTENTS[kind]
        mark = (None, None, None, "gone", self._pick(index).install_id)[index % 5]
        made = LiveRecord(
            f"h{next(self.guard.accounts[0].ids)}", name, kind, contents[index % len(contents)], mark=mark
        )
        self._put(self._zone(zone), made)

    def _put(self, zone: dict[str, LiveRecord], record: LiveRecord) -> None:
        """As far as a provider takes it: what is proxied has no TTL of its own."""
        record = replace(record, ttl=1) if record.proxied else record
        others = [live for live in zone.values() if live.id != record.id]
        alike = [
            r for r in others if (r.name, r.type, r.content) == (record.name, record.type, record.content)
        ]
        if is_legal([*others, record]) and not alike:
            zone[record.id] = record

    @rule(zone=st.integers(0, 1), index=number, what=st.integers(0, 5))
    def somebody_edits(self, zone: int, index: int, what: int) -> None:
        there = self._zone(zone)
        if not there:
            return
        live = list(there.values())[index % len(there)]
        contents = CONTENTS.get(live.type, ("x",))
        edits: tuple[dict[str, Any], ...] = (
            {"content": contents[index % len(contents)]}, {"ttl": 600}, {"mark": None, "note": "mine"},
            {"proxied": not live.proxied}, {"name": NAMES[index % len(NAMES)]}, {"mark": "gone"},
        )  # fmt: skip
        self._put(there, replace(live, **edits[what]))

    @rule(zone=st.integers(0, 1), index=number)
    def somebody_deletes(self, zone: int, index: int) -> None:
        there = self._zone(zone)
        if there:
            del there[list(there)[index % len(there)]]

    @rule(zone=st.integers(0, 1))
    def comments_are_wiped(self, zone: int) -> None:
        there = self._zone(zone)
        there |= {id: replace(r, mark=None, note="") for id, r in there.items()}

    @rule(who=who, index=number, decision=st.sampled_from(Answer))
    def answers(self, who: int, index: int, decision: Answer) -> None:
        install = self._pick(who)
        with install.here():
            if found := install.conflicts():
                install.answer(found[index % len(found)], decision)

    @rule(who=who, index=number)
    def undoes(self, who: int, index: int) -> None:
        install = self._pick(who)
        with install.here():
            with reading() as session:
                entries = session.scalars(select(RecordChange.id).order_by(RecordChange.id.desc())).all()
            if entries:
                try:
                    undo.undo(entries[index % len(entries)], at=install.panel.at)
                except ForgeError:
                    return

    @rule(who=who)
    def keeps_a_backup(self, who: int) -> None:
        self._pick(who).keep_backup()

    @precondition(lambda self: any(install.backup for install in self.installs))
    @rule(who=who)
    def restores_the_backup(self, who: int) -> None:
        self._pick(who).restore_backup()

    @rule(choice=st.integers(0, 2))
    def comes_to_rest(self, choice: int) -> None:
        """All trouble is over, and people answer what they are asked: everything is as it was wished."""
        self.guard.trouble = ""
        for _ in range(LOOPS):
            writes = self._writes()
            quiet = [self._rests(install, choice) for install in self.installs]
            if all(quiet) and writes == self._writes():
                break
        self._is_as_wished()

    def _rests(self, install: Install, choice: int) -> bool:
        install.press_buttons()
        with install.here():
            for row in install.conflicts():
                self._decide(install, row, choice)
        install.panel.wait(4000)
        install.round()
        with install.here():
            return install.is_quiet()

    def _decide(self, install: Install, row: Any, choice: int) -> None:
        """With another installation only one can have the name; what nobody keeps is adopted or replaced."""
        marks = {live["mark"] for live in row.seen or []}
        if marks & {other.install_id for other in self.installs if other is not install}:
            install.let_go(row)
        else:
            install.answer(row, Answer.ADOPT if choice and row.is_adoptable else Answer.REPLACE)

    def _is_as_wished(self) -> None:
        writes = self._writes()
        for install in self.installs:
            install.panel.wait(4000)
            install.round()
            self._says(install)
        assert self._writes() == writes, "it writes again"

    def _writes(self) -> int:
        return sum(account.writes for account in self.guard.accounts)

    def _says(self, install: Install) -> None:
        with install.here():
            rows = [(r.fqdn, str(r.type), str(r.status), r.error) for r in install.panel.rows()]
            assert install.is_quiet(), rows
            asked, known = install.claimed()
            assert asked == known
            wished, active = install.wished(), install.panel.wish.zone
        for _, zone in install.places:
            ours = [r for r in self._records(zone.id) if r.mark == install.install_id]
            if active and zone.id == active.id:
                assert {((r.name, r.type, r.content), r.ttl, r.proxied) for r in ours} == wished
            elif zone.id in install.connected:
                assert [r for r in ours if not r.id.startswith(BY_HAND)] == []

    def _records(self, zone_id: str) -> list[LiveRecord]:
        return [r for account in self.guard.accounts for r in account.records.get(zone_id, {}).values()]

    def teardown(self) -> None:
        if hasattr(self, "installs"):
            self.comes_to_rest(1)
            type(self).ended()
