"""When certificates run out, and who has to know: 30 days before where nobody renews them, else 14."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from webapp.db import reading, transaction
from webapp.proxy.service import npm_settings, npm_settings_or_none

log = logging.getLogger(__name__)

BY_HAND = timedelta(days=30)
AUTOMATIC = timedelta(days=14)
"""NPM renews from 30 days on: what is left of that has not worked for two weeks."""

WARN_EVERY = timedelta(days=1)


class Urgency(StrEnum):
    """How much time is left. UNFINISHED: the row at NPM has no certificate behind it."""

    FINE = "fine"
    SOON = "soon"
    EXPIRED = "expired"
    UNFINISHED = "unfinished"


def expires(facts: Mapping[str, Any]) -> datetime | None:
    """When it runs out, as NPM said."""
    return datetime.fromisoformat(facts["expires_on"]) if facts.get("expires_on") else None


def is_automatic(facts: Mapping[str, Any]) -> bool:
    """Whether NPM renews it."""
    return facts.get("provider") == "letsencrypt"


def urgency(facts: Mapping[str, Any], at: datetime) -> Urgency:
    """How soon somebody has to look after it."""
    until = expires(facts)
    if until is None or not facts.get("made", True):
        return Urgency.UNFINISHED
    if until <= at:
        return Urgency.EXPIRED
    return Urgency.SOON if until - at <= (AUTOMATIC if is_automatic(facts) else BY_HAND) else Urgency.FINE


def warning(facts: Mapping[str, Any], at: datetime) -> str:
    """What to do about it; empty where nothing is to be done."""
    match urgency(facts, at):
        case Urgency.EXPIRED:
            return "It has expired: browsers refuse the names that use it. " + _remedy(facts)
        case Urgency.SOON:
            return _remedy(facts)
    return ""


def _remedy(facts: Mapping[str, Any]) -> str:
    if is_automatic(facts):
        return "Nginx Proxy Manager should have renewed it by now. Renew it here to see what is in the way."
    return "Nobody renews it. Upload a new one in Nginx Proxy Manager."


def in_trouble(certificates: Iterable[Mapping[str, Any]], at: datetime) -> list[Mapping[str, Any]]:
    """Those that somebody has to look after, the most urgent first."""
    found = [c for c in certificates if warning(c, at)]
    return sorted(found, key=lambda c: expires(c) or at)


def warn_daily(at: datetime) -> None:
    """Once a day, a line in the log for each of them, by whichever process comes first."""
    with reading() as session:
        settings = npm_settings_or_none(session)
        if settings is None or _warned(settings.certificates_warned_at, at):
            return
        if not in_trouble(settings.certificates, at):
            return
    with transaction() as session:
        settings = npm_settings(session)
        if _warned(settings.certificates_warned_at, at):
            return
        settings.certificates_warned_at = at
        troubled = in_trouble(settings.certificates, at)
    for facts in troubled:
        text = "certificates: %s runs out: %s. %s"
        log.warning(text, facts["name"], facts["expires_on"], warning(facts, at))


def _warned(before: datetime | None, at: datetime) -> bool:
    return before is not None and before + WARN_EVERY > at
