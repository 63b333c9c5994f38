"""What people, other tools and the provider itself do to the zones in a random history."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.dns.history_guard import Guard
from tests.dns.history_install import Install
from tests.dns.history_verdict import BY_HAND
from tests.dns.panel_world import ELSEWHERE, HERE, HERE6
from tests.dns.plan_world import is_legal
from webapp.dns.names import is_within
from webapp.dns.records import LiveRecord

NAMES = (
    "a.shop.example.com",
    "b.shop.example.com",
    "*.shop.example.com",
    "c.shop.example.com",
    "www.example.com",
)
CONTENTS = {"A": (HERE, ELSEWHERE), "AAAA": (HERE6,), "CNAME": ("pages.example.net",), "TXT": ("v=spf1",)}

number = st.integers(0, 30)


class Hands:
    """Rules for a state machine with these two; each account has one zone."""

    guard: Guard
    installs: list[Install]

    def _zone(self, number: int) -> dict[str, LiveRecord]:
        (zone,) = self.guard.accounts[number].records.values()
        return zone

    @rule(
        zone=st.integers(0, 1),
        name=st.sampled_from(NAMES),
        kind=st.sampled_from(sorted(CONTENTS)),
        index=number,
    )
    def somebody_makes(self, zone: int, name: str, kind: str, index: int) -> None:
        """By hand, or with the mark of an installation that nobody knows, or that somebody copied."""
        contents = CONTENTS[kind]
        mark = (None, None, None, "gone", self.installs[index % len(self.installs)].install_id)[index % 5]
        id = f"{BY_HAND}{next(self.guard.accounts[0].ids)}"
        made = LiveRecord(id, name, kind, contents[index % len(contents)], mark=mark)
        self._put(zone, made)

    def _put(self, number: int, record: LiveRecord) -> None:
        """As far as a provider takes it: what is proxied has no TTL of its own, and no name is outside its zone."""
        zone, quota = self._zone(number), self.guard.accounts[number].quota
        (zone_name,) = self.guard.accounts[number].zones
        record = replace(record, ttl=1) if record.proxied else record
        others = [live for live in zone.values() if live.id != record.id]
        alike = [
            r for r in others if (r.name, r.type, r.content) == (record.name, record.type, record.content)
        ]
        room = record.id in zone or quota is None or len(zone) < quota
        fits = is_within(record.name, zone_name) and is_legal([*others, record])
        if fits and room and not alike:
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
        self._put(zone, replace(live, **edits[what]))

    @rule(zone=st.integers(0, 1), index=number)
    def somebody_takes_a_place(self, zone: int, index: int) -> None:
        """A record gets another name, and what comes there instead belongs to nobody."""
        there = self._zone(zone)
        if there:
            live = list(there.values())[index % len(there)]
            self._put(zone, replace(live, name=NAMES[index % len(NAMES)]))
            contents = CONTENTS.get(live.type, ("x",))
            id = f"{BY_HAND}{next(self.guard.accounts[0].ids)}"
            self._put(zone, LiveRecord(id, live.name, live.type, contents[-1]))

    @rule(zone=st.integers(0, 1), index=number)
    def somebody_deletes(self, zone: int, index: int) -> None:
        there = self._zone(zone)
        if there:
            del there[list(there)[index % len(there)]]

    @rule(zone=st.integers(0, 1))
    def comments_are_wiped(self, zone: int) -> None:
        there = self._zone(zone)
        there |= {id: replace(r, mark=None, note="") for id, r in there.items()}

    @rule(zone=st.integers(0, 1), broken=st.booleans())
    def account_falls_silent(self, zone: int, broken: bool) -> None:
        """It answers nothing at all, or it does again."""
        self.guard.accounts[zone].broken = broken
