"""Random histories of one or two installations in the same zones, with everybody and everything at their elbow."""

from collections.abc import Callable
from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from tests.dns.history_guard import Guard
from tests.dns.history_hands import NAMES, Hands, number
from tests.dns.history_install import Install, conflicts, put_back
from tests.dns.history_verdict import check, is_quiet
from tests.dns.panel_world import HERE, HERE6, THERE
from webapp.db import reading
from webapp.dns import undo
from webapp.dns.changes import Answer
from webapp.dns.desired import Overrides, Policy
from webapp.dns.journal import RecordChange
from webapp.dns.models import DnsRecord
from webapp.dns.records import Target
from webapp.errors import ForgeError

TARGETS = (
    Target(HERE), Target(THERE), Target(HERE, HERE6), Target(ipv6=HERE6), Target(cname="home.example.net"),
)  # fmt: skip
WAITS = (3, 11, 100, 601, 4000)
TROUBLES = ("outage before", "outage after", "denied before", "crash before", "crash after")
LOOPS = 14

who = st.integers(0, 1)
subsets = st.frozensets(st.sampled_from(NAMES), min_size=1, max_size=4)
overrides = st.builds(Overrides, st.sampled_from((None, None, True)), st.sampled_from((None, None, 300)))


class Histories(Hands, RuleBasedStateMachine):
    """`begin` makes the installations; `ended` is told of every history that came to a good end."""

    begin: Callable[[], tuple[Guard, list[Install]]]
    ended: Callable[[], None]
    steps = rested_at = 0

    @invariant()
    def goes_on(self) -> None:
        """One more step has been done."""
        self.steps += 1

    @initialize(claimed=st.lists(subsets, min_size=4, max_size=4), place=st.integers(1, 2))
    def begins(self, claimed: list[frozenset[str]], place: int) -> None:
        """Some names are up already."""
        self.guard, self.installs = type(self).begin()
        for index, names in enumerate(claimed):
            self._pick(index).claim(1 + index // 2, names, Overrides())
        for install in self.installs:
            install.save(place=place)
            install.round()

    def _pick(self, index: int) -> Install:
        return self.installs[index % len(self.installs)]

    def _is_any(self, so: Callable[..., object]) -> bool:
        return any(so(*install.look()) for install in self.installs)

    @rule(who=who, consumer=st.integers(1, 3), names=subsets, overrides=overrides)
    def claims(self, who: int, consumer: int, names: frozenset[str], overrides: Overrides) -> None:
        self._pick(who).claim(consumer, names, overrides)

    @rule(who=who, consumer=st.integers(1, 3))
    def releases(self, who: int, consumer: int) -> None:
        self._pick(who).claim(consumer, frozenset(), Overrides())

    @rule(who=who, to=st.sampled_from(TARGETS), ttl=st.sampled_from((1, 120)), proxied=st.booleans())
    def settings_change(self, who: int, to: Target, ttl: int, proxied: bool) -> None:
        self._pick(who).save(target=to, ttl=ttl, proxied=proxied)

    @rule(who=who, policy=st.sampled_from(Policy))
    def policy_changes(self, who: int, policy: Policy) -> None:
        self._pick(who).save(policy=policy)

    @rule(who=who, names=subsets, to=st.sampled_from(TARGETS), room=st.integers(0, 2))
    def zone_is_full(self, who: int, names: frozenset[str], to: Target, room: int) -> None:
        """Or nearly so, until everybody comes to rest; and that is when more is wished for."""
        install = self._pick(who)
        for account in self.guard.accounts:
            account.quota = sum(len(zone) for zone in account.records.values()) + room
        install.claim(3, names, Overrides())
        install.save(target=to)
        install.round()

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

    @rule(who=who)
    def presses_buttons(self, who: int) -> None:
        self._pick(who).press_buttons()

    @precondition(lambda self: self._is_any(lambda rows, _: conflicts(rows)))
    @rule(who=who, index=number, decision=st.sampled_from(Answer))
    def answers(self, who: int, index: int, decision: Answer) -> None:
        install = self._pick(who)
        if found := conflicts(install.look()[0]):
            with install.here():
                install.answer(found[index % len(found)], decision)

    @rule(who=who, index=number, again=st.booleans())
    def undoes(self, who: int, index: int, again: bool) -> None:
        """A change, the latest first; or, if there is one, what was done to undo another."""
        install = self._pick(who)
        with install.here():
            with reading() as session:
                latest = select(RecordChange.id, RecordChange.why).order_by(RecordChange.id.desc())
                entries = session.execute(latest).all()
            entries = [e for e in entries if again and e.why.startswith("undo of ")] or entries
            if entries:
                with suppress(ForgeError):
                    undo.undo(entries[index % len(entries)].id, at=install.panel.at)

    @precondition(lambda self: self._is_any(lambda rows, _: put_back(rows)))
    @rule(who=who, index=number)
    def follows_the_settings_again(self, who: int, index: int) -> None:
        """What somebody put back is let go of."""
        install = self._pick(who)
        if pinned := put_back(install.look()[0]):
            with install.here():
                undo.unpin(pinned[index % len(pinned)].id, at=install.panel.at)

    @precondition(lambda self: self._is_any(lambda _, found: any(not c.active for c in found)))
    @rule(who=who)
    def gives_up_old_zones(self, who: int) -> None:
        """A zone that is being left."""
        install = self._pick(who)
        if old := [connection for connection in install.look()[1] if not connection.active]:
            with install.here():
                for connection in old:
                    install.abandon(connection)

    @rule(who=who)
    def keeps_a_backup(self, who: int) -> None:
        self._pick(who).keep_backup()

    @precondition(lambda self: any(install.backup for install in self.installs))
    @rule(who=who)
    def restores_the_backup(self, who: int) -> None:
        self._pick(who).restore_backup()

    @precondition(lambda self: self.steps > self.rested_at)
    @rule(choice=st.integers(0, 2))
    def comes_to_rest(self, choice: int) -> None:
        """All trouble is over, and people answer what they are asked: everything is as it was wished.

        A zone that nobody uses any more may stay silent for ever; those who still have something there abandon it.
        """
        self._trouble_is_over()
        for _ in range(LOOPS):
            writes = self._writes()
            quiet = [self._rests(install, choice) for install in self.installs]
            if all(quiet) and writes == self._writes():
                break
        else:
            raise AssertionError("it never comes to rest, or writes again and again")
        check(self.installs)
        self.rested_at = self.steps + 1

    def _trouble_is_over(self) -> None:
        self.guard.trouble = ""
        used = {zone.id for install in self.installs if (zone := install.panel.wish.zone)}
        for account in self.guard.accounts:
            account.quota = None
            account.broken = account.broken and used.isdisjoint(account.records)

    def _rests(self, install: Install, choice: int) -> bool:
        if not is_quiet(*install.look()):
            self._help(install, choice)
        install.panel.wait(4000)
        install.round()
        return is_quiet(*install.look())

    def _help(self, install: Install, choice: int) -> None:
        """Somebody does what the panel asks for."""
        rows, connections = install.look()
        install.press_buttons()
        with install.here():
            for connection in connections:
                if not connection.active and self._is_silent(connection.zone_id):
                    install.abandon(connection)
            for row in conflicts(rows):
                self._decide(install, row, choice)

    def _is_silent(self, zone_id: str) -> bool:
        return any(account.broken and zone_id in account.records for account in self.guard.accounts)

    def _decide(self, install: Install, row: DnsRecord, choice: int) -> None:
        """With another installation only one can have the name; what nobody keeps is adopted or replaced."""
        seen = row.seen or []
        if {live["mark"] for live in seen} & {i.install_id for i in self.installs if i is not install}:
            install.let_go(row)
        else:
            install.answer(row, Answer.ADOPT if choice and row.is_adoptable else Answer.REPLACE)

    def _writes(self) -> int:
        return sum(account.writes for account in self.guard.accounts)

    def teardown(self) -> None:
        """At rest once more, from where nothing is left to do."""
        if hasattr(self, "installs"):
            self.comes_to_rest(1)
            writes = self._writes()
            self.comes_to_rest(1)
            assert self._writes() == writes, "it writes again"
            type(self).ended()
