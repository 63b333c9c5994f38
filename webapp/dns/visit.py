"""Visits a public name as a stranger would, to see whether the proof is there that it leads here."""

import logging
from collections.abc import Iterable
from urllib.parse import urlsplit

import requests

from webapp import outgoing
from webapp.dns.live import Liveness, Verdict
from webapp.dns.proof import Proof

log = logging.getLogger(__name__)

PATIENCE = (2.0, 3.0)
"""Seconds to connect and for each part of the answer."""

MOST_BYTES = 2_000
MOST_REDIRECTS = 2

THERE = Verdict(Liveness.LIVE, "The public name answers through Cloudflare, and leads to this installation.")


def prove(proof: Proof, addresses: Iterable[str], place: outgoing.Place | None = None) -> Verdict:
    """Ask for the proof at these addresses of the name, one of each IP version: what a resolver remembers is old.

    `place` is where every name is reached instead, for stand-ins. Never raises: where nobody answers it is
    UNKNOWN, and while something else does, NOT_YET; WRONG when that claims to be all right.
    """
    found: list[Verdict] = []
    for there in [place] if place else _one_of_each(addresses):
        for scheme in ("http", "https"):
            verdict = _visit(f"{scheme}://{proof.host}{proof.path}", proof, there)
            if verdict.liveness in (Liveness.LIVE, Liveness.WRONG):
                return verdict
            found.append(verdict)
        if any(verdict.liveness is Liveness.NOT_YET for verdict in found):
            break
    nowhere = Verdict(Liveness.UNKNOWN, f"{proof.host} has no address to be visited at.")
    return min(found, key=lambda verdict: verdict.liveness is Liveness.UNKNOWN, default=nowhere)


def _one_of_each(addresses: Iterable[str]) -> list[outgoing.Place]:
    first: dict[bool, str] = {}
    for address in addresses:
        first.setdefault(":" in address, address)
    return [(address, None) for address in first.values()]


def _visit(url: str, proof: Proof, place: outgoing.Place) -> Verdict:
    """Get the address; a redirect is followed to https at the same name only."""
    with outgoing.session(MOST_BYTES, place=place) as session:
        try:
            answer = session.get(url, timeout=PATIENCE)
            for _ in range(MOST_REDIRECTS):
                if not (answer.is_redirect and _is_same(answer.headers["Location"], proof.host)):
                    break
                answer = session.get(answer.headers["Location"], timeout=PATIENCE)
        except outgoing.TooLarge:
            return _somebody_else(proof)
        except (requests.RequestException, UnicodeError) as error:
            log.info("live: %s: %s", proof.host, type(error).__name__)
            return Verdict(Liveness.UNKNOWN, f"{proof.host} could not be visited: {_why(error)}.")
    if answer.status_code != 200:
        return Verdict(
            Liveness.NOT_YET, f"{proof.host} answers HTTP {answer.status_code} where the proof should be."
        )
    return THERE if answer.text.strip() == proof.text else _somebody_else(proof)


def _is_same(location: str, host: str) -> bool:
    try:
        parts = urlsplit(location)
        return (parts.scheme, parts.hostname, parts.port or 443) == ("https", host, 443)
    except ValueError:
        return False


def _somebody_else(proof: Proof) -> Verdict:
    return Verdict(
        Liveness.WRONG,
        f"Something else answers at {proof.host}: the proof of this installation is not there.",
    )


def _why(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not valid"
    return "no answer in time" if isinstance(error, requests.Timeout) else "no connection"
