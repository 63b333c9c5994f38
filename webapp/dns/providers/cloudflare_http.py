"""Speaks HTTP with the Cloudflare API and turns every way it can fail into one of our errors."""

import logging
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import requests

from webapp import outgoing
from webapp.dns.providers.base import Budget
from webapp.errors import Denied, Outage, ProviderError, Rejected

log = logging.getLogger(__name__)

CONNECT, READ = 5.0, 20.0
"""Time-outs in seconds. A batch of thousands takes a few seconds; a lease lasts longer than one call."""

MAX_BYTES = 64_000_000
"""A listing of a page of 5 000 records is about 2 MB."""

NO_SUCH_RECORD, ZONE_FULL = 81044, 81045

EXPLAINED = {
    6003: "Cloudflare cannot read the API token. Copy it again, without spaces.",
    6111: "Cloudflare cannot read the API token. Copy it again, without spaces.",
    9106: "Cloudflare cannot read the API token. Copy it again, without spaces.",
    1000: "Cloudflare does not know this API token. Create a new one, or copy it again.",
    1038: "Cloudflare does not allow changes by API for .cf, .ga, .gq, .ml and .tk domains.",
    7003: "Cloudflare does not know this zone. Choose the zone again in the settings.",
    10000: "The API token may not do this in this zone. It needs Zone: Read and DNS: Edit for the zone.",
    ZONE_FULL: "The zone is full: its plan allows no more records. Delete some, or move to a larger plan.",
    81053: "Another record of that name is in the way (an A, AAAA or CNAME record).",
    81054: "A CNAME record of that name is in the way.",
    81056: "The name is delegated to other name servers (NS records), so nothing else can stand there.",
    9003: "Cloudflare cannot proxy this target. Use a public address, or turn «Proxied» off.",
    9041: "Cloudflare cannot proxy this target. Use a public address, or turn «Proxied» off.",
    9313: "Cloudflare refuses the comment that marks our records: it is too long.",
}
CREDENTIALS = frozenset({1000, 1038, 6003, 6111, 9103, 9106, 9109, 10000, 10001})
RATE = re.compile(r'"[^"]*";\s*r=(\d{1,9});\s*t=(\d{1,9})')
"""The header that tells how many calls are left, and the seconds until they are counted anew (since 2025-09)."""

STATUS_DENIED = frozenset({401, 403})
TOO_SLOW = 408


class CloudflareHttp:
    """One connection pool and one token; `call` is the only place that sees HTTP."""

    def __init__(self, api_url: str, token: str, session: requests.Session | None, budget: Budget) -> None:
        self._base = api_url
        self._budget = budget
        self._session = session or outgoing.session(max_bytes=MAX_BYTES)
        # A header value with a line break is refused by requests with the value in its message: keep it out.
        self._token = "".join(token.split())

    def call(
        self, method: str, path: str, *, params: Mapping[str, str | int] | None = None, body: object = None
    ) -> dict[str, Any]:
        """The decoded envelope of a successful answer. Raises Outage, Denied or Rejected."""
        if not (self._token.isascii() and self._token.isprintable()):
            raise Denied(EXPLAINED[6003], [6003])  # no header can carry it
        self._budget.spend()
        try:
            answer = self._session.request(
                method,
                self._base + path,
                params=params,
                json=body,
                headers={"Authorization": f"Bearer {self._token}"},
                timeout=(CONNECT, READ),
            )
        except requests.RequestException as error:
            raise _unreachable(error, changing=method != "GET") from None
        if left := RATE.match(answer.headers.get("Ratelimit", "")):
            self._budget.told(int(left[1]), int(left[2]))
        return _read(method, path, answer, self._token)


def _unreachable(error: requests.RequestException, *, changing: bool) -> Outage:
    log.info("Cloudflare: %s", type(error).__name__)
    if isinstance(error, requests.ConnectTimeout):
        return Outage("Cloudflare could not be reached in time.")
    if isinstance(error, requests.Timeout):
        return Outage(_doubt("Cloudflare did not answer in time", changing), unconfirmed=changing)
    if isinstance(error, requests.exceptions.SSLError):
        return Outage(
            "The secure connection to Cloudflare failed. Check the clock and the certificates here.",
            unconfirmed=changing,
        )
    return Outage(_doubt("The connection to Cloudflare failed", changing), unconfirmed=changing)


def _doubt(what: str, changing: bool) -> str:
    return f"{what}; could not confirm the change." if changing else f"{what}; could not read the records."


def _read(method: str, path: str, answer: requests.Response, secret: str) -> dict[str, Any]:
    """The envelope, or the error that it means, without the secret."""
    changing = method != "GET"
    ray = answer.headers.get("CF-Ray", "-")
    if answer.status_code == 429:
        log.warning("Cloudflare: rate limit (ray %s)", ray)
        raise Outage(
            "Cloudflare's rate limit is reached (1 200 requests in 5 minutes).", _retry_after(answer)
        )
    try:
        envelope = answer.json()
    except (ValueError, RecursionError):
        envelope = None
    if answer.status_code >= 500 or answer.status_code == TOO_SLOW or not isinstance(envelope, dict):
        log.warning("Cloudflare: HTTP %s without a usable answer (ray %s)", answer.status_code, ray)
        what = f"Cloudflare had a fault of its own (HTTP {answer.status_code})"
        raise Outage(_doubt(what, changing), _retry_after(answer), unconfirmed=changing)
    if answer.status_code < 300 and envelope.get("success") is True:
        return envelope
    error = _refusal(answer.status_code, envelope, secret, changing=changing)
    log.warning(
        "Cloudflare: %s %s: HTTP %s %s (ray %s)", method, path, answer.status_code, sorted(error.codes), ray
    )
    raise error


def _refusal(status: int, envelope: Mapping[str, Any], secret: str, *, changing: bool) -> ProviderError:
    errors = list(_errors(envelope.get("errors")))
    codes = [code for code, _ in errors]
    explained = next((EXPLAINED[code] for code in reversed(codes) if code in EXPLAINED), None)
    said = "; ".join(f"{text} ({code})" for code, text in errors) or f"HTTP {status}"
    message = explained or f"Cloudflare says: {said.replace(secret, '…') if secret else said}"
    if status < 400 and not codes:
        return Outage("Cloudflare answered without saying whether it worked.", unconfirmed=changing)
    if status in STATUS_DENIED or CREDENTIALS & set(codes) or 7003 in codes:
        return Denied(message, codes)
    return Rejected(message, codes)


def _errors(errors: object) -> Iterable[tuple[int, str]]:
    """(code, message) of each error and of everything in its chain; the shape is never trusted."""
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict):
            code = str(error.get("code"))
            yield (
                (int(code) if code.isdecimal() and len(code) < 10 else 0),
                str(error.get("message", ""))[:300],
            )
            yield from _errors(error.get("error_chain"))


def _retry_after(answer: requests.Response) -> timedelta | None:
    text = answer.headers.get("Retry-After", "")
    return timedelta(seconds=min(int(text[:9]), 3600)) if text.isascii() and text.isdigit() else None
