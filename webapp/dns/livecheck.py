"""Looks, name by name, whether the world sees what is at the provider; a lane of the worker. Blocks nothing."""

import logging
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from webapp.db import now, reading, transaction
from webapp.dns.live import (
    ANY_ADDRESS,
    Answers,
    Asks,
    Content,
    Liveness,
    Verdict,
    at_the_edge,
    check,
    questions_for,
)
from webapp.dns.models import ConsumerType, DnsRecord, Status
from webapp.dns.proof import Proof, proof_for
from webapp.dns.records import Record
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


@dataclass(frozen=True)
class Look:
    """One row whose turn it is. `record` is what the provider has for it, and what the world should get.

    `by_hand`: a person keeps it, so that no proxy host here can prove anything.
    """

    row: int
    zone: str
    record: Record
    by_hand: bool

    @classmethod
    def of(cls, row: DnsRecord) -> "Look | None":
        """The look at a row; None where there is nothing to see."""
        if row.written is None or row.connection is None or not row.wanted or row.status is not Status.SYNCED:
            return None
        by_hand = row.consumer_type is ConsumerType.PERSON
        return cls(row.id, row.connection.zone_name, row.written, by_hand)

    @property
    def wanted(self) -> frozenset[Content]:
        """What the servers have to answer."""
        return frozenset({(str(self.record.type), self.record.content)})


@dataclass
class LiveCheck:
    """What a process needs to look; it remembers which servers zones have.

    `visit` asks for a proof at some addresses. Where `stopping` turns true, a pass ends, and the rest stays due.
    """

    holder: str
    check_every: timedelta
    authority: Asks
    visit: Callable[[Proof, Sequence[str]], Verdict] = prove
    clock: Callable[[], datetime] = now
    stopping: Callable[[], bool] = lambda: False

    def run_due(self) -> None:
        """One pass: look at what is due, a bounded number of names; writes nothing but verdicts."""
        with reading() as session:
            first = session.scalar(select(func.min(DnsRecord.live_due_at)))
        if first is None or first > self.clock():
            return
        try:
            with leased("live check", self.holder, self.clock) as renew:
                for verdicts in self._looked(self._due()):
                    self._record(verdicts)
                    if self.stopping():
                        return
                    renew()
        except Busy as busy:
            log.info("live: %s", busy.message)

    def _due(self) -> list[Look]:
        """Whose turn it is: names that have to be visited take long, and do not hold up the others."""
        query = select(DnsRecord).options(joinedload(DnsRecord.connection))
        query = query.where(DnsRecord.live_due_at <= self.clock()).order_by(DnsRecord.live_due_at)
        proxied = func.coalesce(DnsRecord.written_proxied, False)
        with reading() as session:
            rows = session.scalars(query.where(~proxied).limit(MOST_NAMES)).all()
            rows = [*rows, *session.scalars(query.where(proxied).limit(MOST_VISITS))]
            return [look for row in rows if (look := Look.of(row))]

    def _looked(self, looks: Iterable[Look]) -> Iterator[Mapping[Look, Verdict]]:
        zones: dict[str, list[Look]] = {}
        for look in looks:
            zones.setdefault(look.zone, []).append(look)
        for zone, group in zones.items():
            plain = {look: (look.record.name, look.wanted) for look in group if not look.record.proxied}
            yield check(zone, plain, self.authority)
            yield from self._visited(zone, [look for look in group if look.record.proxied])

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
        for start in range(0, len(names), AT_ONCE):
            verdicts = self._proven(names[start : start + AT_ONCE], by_hand, answers)
            yield {look: verdicts[look.record.name] for look in looks if look.record.name in verdicts}

    def _proven(self, names: Sequence[str], by_hand: Collection[str], answers: Answers) -> dict[str, Verdict]:
        found = {name: at_the_edge(name, answers) for name in names}
        found |= {name: UNPROVEN for name in by_hand if isinstance(found.get(name), list)}
        verdicts = {name: seen for name, seen in found.items() if isinstance(seen, Verdict)}
        visits = {name: (proof_for(name), seen) for name, seen in found.items() if isinstance(seen, list)}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            proven = pool.map(lambda visit: self.visit(*visit), visits.values())
            return verdicts | dict(zip(visits, proven, strict=True))

    def _record(self, verdicts: Mapping[Look, Verdict]) -> None:
        """Keep what was found; a row that says something else by now has its own look coming."""
        if not verdicts:
            return
        at = self.clock()
        with transaction() as session:
            rows = rows_of(session, (look.row for look in verdicts))
            for look, verdict in verdicts.items():
                row = rows.get(look.row)
                if row is not None and Look.of(row) == look:
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
