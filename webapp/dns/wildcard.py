"""Checks in DNS, without any provider, whether the wildcard works and which names it cannot serve."""

import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import dns.exception

from webapp.db import now, reading, transaction, wake_worker_on_commit
from webapp.dns import ledger
from webapp.dns.desired import Mode
from webapp.dns.names import is_covered
from webapp.dns.records import RecordType, Target
from webapp.dns.resolver import Ask, ask

log = logging.getLogger(__name__)

MOST_NAMES = 200
"""Names looked at in one check; a wildcard with more names than that is looked at in part."""


@dataclass(frozen=True)
class Verdict:
    """What a check found: `works` is None when it could not be found out."""

    works: bool | None
    message: str
    exceptions: tuple[str, ...] = ()


def check(base: str, target: Target, names: Iterable[str], ask: Ask = ask) -> Verdict:
    """Ask for a name that nobody made, and for the names that should be covered."""
    probe = f"forge-check-{secrets.token_hex(4)}.{base}"
    try:
        answers = _addresses(probe, ask)
    except dns.exception.DNSException as error:
        log.info("wildcard: %s", type(error).__name__)
        return Verdict(None, f"*.{base} could not be looked up: the DNS resolver here does not answer.")
    if not answers:
        return Verdict(
            False, f"*.{base} does not exist in DNS. Create the wildcard record, or keep records here."
        )
    expected = _expected(target, ask)
    if expected and not answers & expected:
        seen = ", ".join(sorted(answers))
        message = (
            f"*.{base} points at {seen}, not at this server. That is right only behind a proxy or tunnel."
        )
        return Verdict(False, message)
    return Verdict(True, f"*.{base} resolves to the server.", _exceptions(names, answers, ask))


def _addresses(name: str, ask: Ask) -> frozenset[str]:
    return ask(name, RecordType.A) | ask(name, RecordType.AAAA)


def _expected(target: Target, ask: Ask) -> frozenset[str]:
    contents = target.contents()
    if RecordType.CNAME not in contents:
        return frozenset(contents.values())
    try:
        return _addresses(contents[RecordType.CNAME], ask)
    except dns.exception.DNSException:
        return frozenset()


def _exceptions(names: Iterable[str], answers: frozenset[str], ask: Ask) -> tuple[str, ...]:
    """Names with records of their own: they answer something else than the wildcard does."""
    found = []
    for name in list(names)[:MOST_NAMES]:
        try:
            if _addresses(name, ask) != answers:
                found.append(name)
        except dns.exception.DNSException:
            break
    return tuple(found)


@dataclass
class WildcardCheck:
    """The worker's part: looks once after each change of the settings, and then from time to time."""

    check_every: timedelta
    clock: Callable[[], datetime] = now
    ask: Ask = ask

    def run_due(self) -> None:
        """Check when it is due; writes nothing but the verdict."""
        with reading() as session:
            settings = ledger.settings_or_none(session)
            if settings is None or settings.mode is not Mode.WILDCARD or not settings.base_domain:
                return
            at, last = self.clock(), settings.wildcard_checked_at
            if last is not None and last + self.check_every > at:
                return
            base, target, version = settings.base_domain, settings.target, settings.version
            names = sorted({r.fqdn for r in ledger.wanted(session) if is_covered(r.fqdn, base)})
        verdict = check(base, target, names, self.ask)
        with transaction() as session:
            settings = ledger.settings(session)
            if settings.version == version:
                settings.wildcard_checked_at, settings.wildcard_works = self.clock(), verdict.works
                settings.wildcard_message = verdict.message
                settings.wildcard_exceptions = list(verdict.exceptions)


def request_check() -> None:
    """Have the worker look again soon."""
    with transaction() as session:
        ledger.settings(session).wildcard_checked_at = None
        wake_worker_on_commit()
