"""Looks, name by name, whether the world sees what is at the provider; a lane of the worker. Blocks nothing."""

import logging
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from webapp.db import in_chunks, now, reading, transaction
from webapp.dns import covered, ledger
from webapp.dns.covered import Elsewhere, Finds
from webapp.dns.live import (
    ANY_ADDRESS,
    Answers,
    Liveness,
    Verdict,
    at_the_edge,
    check,
    ipv4_first,
    questions_for,
)
from webapp.dns.looks import Look, due
from webapp.dns.models import DnsRecord
from webapp.dns.proof import Proof, proof_for
from webapp.dns.retry import next_try
from webapp.dns.settle import rows_of
from webapp.dns.visit import prove
from webapp.errors import Busy, Outage
from webapp.lease import leased

log = logging.getLogger(__name__)

MOST_NAMES, MOST_VISITS = 200, 32
"""How many names one pass looks at, and how many of those that have to be visited: the rest comes right after."""

AT_ONCE = 8

UNPROVEN = Verdict(
    Liveness.UNKNOWN, "It is proxied, and nothing here serves the name, so where it leads cannot be proven."
)


@dataclass
class LiveCheck:
    """What a process needs to look; it remembers which servers zones have.

    `visit` asks for a proof at some addresses; `prepare` has proxy hosts get theirs where names turned out to
    need it. Where `stopping` turns true, a pass ends, and the rest stays due.
    """

    holder: str
    check_every: timedelta
    authority: Finds
    visit: Callable[[Proof, Sequence[str]], Verdict] = prove
    clock: Callable[[], datetime] = now
    stopping: Callable[[], bool] = lambda: False
    prepare: Callable[[], object] = lambda: None

    def run_due(self) -> None:
        """One pass: look at what is due, a bounded number of names; writes nothing but verdicts."""
        with reading() as session:
            first = session.scalar(select(func.min(DnsRecord.live_due_at)))
        if first is None or first > self.clock():
            return
        try:
            with leased("live check", self.holder, self.clock) as renew:
                for verdicts in self._looked(due(self.clock(), MOST_NAMES, MOST_VISITS)):
                    self._record(verdicts)
                    if self.stopping():
                        return
                    renew()
        except Busy as busy:
            log.debug("live: %s", busy.message)

    def _looked(self, looks: Iterable[Look]) -> Iterator[Mapping[Look, Verdict]]:
        zones: dict[str, list[Look]] = {}
        wild: dict[str, list[Look]] = {}
        for look in looks:
            if look.zone is None:
                wild.setdefault(look.wish.above, []).append(look)
            else:
                zones.setdefault(look.zone, []).append(look)
        for zone, group in zones.items():
            plain = {look: (look.record.name, look.wanted) for look in group if not look.record.proxied}
            yield check(zone, plain, self.authority)
            yield from self._visited(zone, [look for look in group if look.record.proxied])
        for above, group in wild.items():
            yield from self._covered(above, group)

    def _covered(self, above: str, looks: Sequence[Look]) -> Iterator[Mapping[Look, Verdict]]:
        """Names without a record of ours: whoever answers other addresses is visited, once the proof is there."""
        found = covered.look(above, {look: look.wish for look in looks}, self.authority)
        away = {look: seen for look, seen in found.items() if isinstance(seen, Elsewhere)}
        yield {look: seen for look, seen in found.items() if isinstance(seen, Verdict)}
        if news := {look: seen.awaited() for look, seen in away.items() if not look.elsewhere}:
            yield news
            self.prepare()
        names: dict[str, dict[Look, Elsewhere]] = {}
        for look in away.keys() - news.keys():
            names.setdefault(look.record.name, {})[look] = away[look]
        for some in in_chunks(sorted(names), AT_ONCE):
            places = {name: {a for seen in names[name].values() for a in seen.addresses} for name in some}
            visits = self._visits({name: sorted(there, key=ipv4_first) for name, there in places.items()})
            yield {
                look: seen.visited(visits[name], soon=look.tries < ledger.SOON_TRIES)
                for name in some
                for look, seen in names[name].items()
            }

    def _visited(self, zone: str, looks: Sequence[Look]) -> Iterator[Mapping[Look, Verdict]]:
        """Proxied names: there for the name servers first, then proven by a visit, some at once."""
        names = sorted({look.record.name for look in looks})
        questions = {question for name in names for question in questions_for(name, ANY_ADDRESS)}
        try:
            answers = self.authority.ask(zone, questions)
        except Outage as error:
            yield dict.fromkeys(looks, Verdict(Liveness.UNKNOWN, error.message))
            return
        by_hand = {look.record.name for look in looks if look.by_hand}
        for some in in_chunks(names, AT_ONCE):
            verdicts = self._proven(some, by_hand, answers)
            yield {look: verdicts[look.record.name] for look in looks if look.record.name in verdicts}

    def _proven(self, names: Sequence[str], by_hand: Collection[str], answers: Answers) -> dict[str, Verdict]:
        found = {name: at_the_edge(name, answers) for name in names}
        found |= {name: UNPROVEN for name in by_hand if isinstance(found.get(name), list)}
        verdicts = {name: seen for name, seen in found.items() if isinstance(seen, Verdict)}
        return verdicts | self._visits({name: seen for name, seen in found.items() if isinstance(seen, list)})

    def _visits(self, places: Mapping[str, Sequence[str]]) -> dict[str, Verdict]:
        """What is found at these addresses of names, all at once."""
        visits = [(proof_for(name), there) for name, there in places.items()]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = pool.map(lambda visit: self.visit(*visit), visits)
            return dict(zip(places, found, strict=True))

    def _record(self, verdicts: Mapping[Look, Verdict]) -> None:
        """Keep what was found; a row that says something else by now has its own look coming."""
        if not verdicts:
            return
        at = self.clock()
        with transaction() as session:
            defaults = ledger.settings(session).defaults
            rows = rows_of(session, (look.row for look in verdicts))
            for look, verdict in verdicts.items():
                row = rows.get(look.row)
                if row is not None and Look.of(row, defaults) == look:
                    if row.live is not verdict.liveness:
                        log.info("live: %s: %s: %s", row.fqdn, verdict.liveness, verdict.message)
                    row.sighted(verdict, at, self._again(row, verdict, at))

    def _again(self, row: DnsRecord, verdict: Verdict, at: datetime) -> datetime:
        """From time to time, each name at its own moment; sooner while it is not as it should be."""
        spread = random.random()  # noqa: S311
        regular = at + self.check_every * (0.75 + spread / 2)
        if verdict.liveness is Liveness.LIVE:
            return regular
        return min(regular, next_try(at, row.live_tries + 1, spread))
