"""Follows the public address of this machine, where that is wanted: looks now and then, and changes the target."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from webapp.db import now, reading, transaction
from webapp.dns import ledger, switch
from webapp.dns.address_row import AddressWatch, address_watch
from webapp.dns.connections import Connection
from webapp.dns.desired import Mode
from webapp.dns.following import CONFIRM_AFTER, Candidate, Decision, decide
from webapp.dns.models import DnsSettings
from webapp.dns.providers.public_address import Sight, look
from webapp.dns.records import Target
from webapp.dns.switch import Wanted
from webapp.errors import Busy, InvalidInput
from webapp.lease import leased

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(minutes=5)

MOVED = "the public address changed"

NO_ADDRESS = "There is nothing to follow: no address is set for this server, or a name in its place."


@dataclass(frozen=True)
class Situation:
    """The settings as they were before the look."""

    version: int
    mode: Mode
    base: str
    current: Mapping[int, str]
    candidates: Mapping[int, Candidate | None]


@dataclass
class AddressWatcher:
    """The worker's part. `look` asks the sources for the addresses of some IP versions."""

    holder: str
    sources: Sequence[str]
    look: Callable[[Sequence[str], Iterable[int]], Mapping[int, Sight]] = look
    clock: Callable[[], datetime] = now

    def run_due(self) -> None:
        """Look when it is time. Only the addresses that are set are looked for, and only they are changed."""
        if self._situation() is None:
            return
        try:
            with leased("address watch", self.holder, self.clock):
                if (situation := self._situation()) is not None:
                    self._watch(situation)
        except Busy as busy:
            log.debug("address: %s", busy.message)

    def _situation(self) -> Situation | None:
        """What there is to look at; None while it is not time."""
        with reading() as session:
            row, settings = session.get(AddressWatch, 1), ledger.settings_or_none(session)
            if row is None or settings is None or not row.enabled or not self._is_due(row):
                return None
            current = {4: settings.ipv4 or "", 6: settings.ipv6 or ""}
            known = {version: address for version, address in current.items() if address}
            candidates = {version: row.candidate(version) for version in known}
            return Situation(settings.version, settings.mode, settings.base_domain, known, candidates)

    def _is_due(self, row: AddressWatch) -> bool:
        pause = CONFIRM_AFTER if row.candidate(4) or row.candidate(6) else LOOK_EVERY
        return row.looked_at is None or row.looked_at + pause <= self.clock()

    def _watch(self, situation: Situation) -> None:
        if not situation.current:
            self._remember(situation, {}, NO_ADDRESS)
            return
        sights = self.look(self.sources, situation.current)
        at = self.clock()
        decisions = {
            version: decide(
                version, address, sights[version].agreed, sights[version].words,
                situation.candidates[version], at,
            )
            for version, address in situation.current.items()
        }  # fmt: skip
        changes = {version: d.change for version, d in decisions.items() if d.change}
        message = " ".join(decision.message for decision in decisions.values())
        if changes and situation.mode is Mode.WILDCARD:
            message = _news(situation, changes)
        elif changes:
            situation, message = self._change(situation, changes, message, at)
        self._remember(situation, decisions, message)

    def _change(
        self, situation: Situation, changes: Mapping[int, str], message: str, at: datetime
    ) -> tuple[Situation, str]:
        """Change the target as the settings page does it. Returns how things are then, and what to say."""
        to = ", ".join(changes.values())
        try:
            with transaction() as session:
                wanted = _wanted(ledger.settings(session), ledger.active_connection(session), changes)
                switch.commit(wanted, version=situation.version, at=at, why=MOVED)
        except Busy as busy:
            log.info(
                "address: %s", busy.message
            )  # somebody saves settings right now; the next look sees them
            return situation, message
        except InvalidInput as error:
            return situation, f"The server is now at {to}, but this could not be saved: {error.message}"
        log.info("address: the server is now at %s", to)
        return replace(situation, version=situation.version + 1), message

    def _remember(self, situation: Situation, decisions: Mapping[int, Decision], message: str) -> None:
        """Keep what was seen; where the settings changed meanwhile it says nothing any more."""
        with transaction() as session:
            row = address_watch(session)
            if not row.enabled or ledger.settings(session).version != situation.version:
                return
            if row.message != message:
                log.info("address: %s", message)
            row.looked_at, row.message = self.clock(), message[:500]
            row.remember({version: decision.candidate for version, decision in decisions.items()})


def _news(situation: Situation, changes: Mapping[int, str]) -> str:
    """In wildcard mode the record is kept by somebody else, so all that can be done is to tell."""
    old = ", ".join(situation.current[version] for version in changes)
    record = f"*.{situation.base}" if situation.base else "the wildcard record"
    return (
        f"The public address is now {', '.join(changes.values())}, not {old}. With a wildcard nothing is changed "
        f"from here: change {record} at your DNS provider, and the address above."
    )


def _wanted(settings: DnsSettings, connection: Connection | None, changes: Mapping[int, str]) -> Wanted:
    """The settings as they are, with these addresses."""
    return Wanted(
        mode=settings.mode,
        policy=settings.policy,
        base_domain=settings.base_domain,
        target=Target(changes.get(4, settings.ipv4), changes.get(6, settings.ipv6), settings.cname),
        ttl=settings.ttl,
        proxied=settings.proxied,
        provider=connection.provider if connection else "",
        zone=connection.zone if connection else None,
    )
