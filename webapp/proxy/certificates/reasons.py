"""Why Nginx Proxy Manager did not get a certificate: its own words, what they mean, what helps. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

MOST_DETAIL = 2000
NOISE = ("Saving debug log to", "Ask for help or search for solutions", "<more stack lines removed>")
TOKEN_LINE = re.compile(r"(dns_cloudflare_\w+\s*=\s*)[^\s'\"),;]+", re.IGNORECASE)
RETRY_AFTER = re.compile(r"retry after (\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)", re.IGNORECASE)


class Cure(StrEnum):
    """What helps: the same again after a pause, the same again as soon as NPM is free, or only a person."""

    LATER = "later"
    SOON = "soon"
    PERSON = "person"


@dataclass(frozen=True)
class Reason:
    """A sentence for people, NPM's own words without any secret, and what helps, perhaps not before some time."""

    sentence: str
    detail: str = ""
    cure: Cure = Cure.LATER
    not_before: datetime | None = None


# What certbot, its plugins and NPM are known to print (recorded with NPM 2.9 to 2.15), and what it means.
KNOWN: Sequence[tuple[str, str, Cure]] = (
    (
        r"Another instance of Certbot is already running",
        "Nginx Proxy Manager is busy with another certificate.",
        Cure.SOON,
    ),
    (
        r"too many failed authorizations|too many certificates|too many new orders|rateLimited|rate limit",
        "Let's Encrypt refuses for now, because too much was asked for lately.",
        Cure.LATER,
    ),
    (
        r"\b9109\b|Invalid access token|Invalid request headers|Error determining zone_id: 9\d{3}",
        "Cloudflare does not accept the token that was sent along. Enter a good one in the settings.",
        Cure.PERSON,
    ),
    (
        r"Unable to determine zone_id",
        "The Cloudflare token cannot see the zone of this name. Give it that zone, or choose another name.",
        Cure.PERSON,
    ),
    (
        r"Error parsing credentials configuration",
        "Nginx Proxy Manager cannot read the Cloudflare token that was sent along. Enter it again in the settings.",
        Cure.PERSON,
    ),
    (
        r"conflicting dependencies|ResolutionImpossible",
        "Nginx Proxy Manager cannot install its plugin for Cloudflare. Update it, or use the HTTP challenge.",
        Cure.PERSON,
    ),
    (
        r"does not support any combination",
        "Let's Encrypt gives out wildcard certificates for the DNS challenge only.",
        Cure.PERSON,
    ),
    (
        r"invalid email address|valid email",
        "Let's Encrypt does not accept the e-mail address of the account at Nginx Proxy Manager. Change it there.",
        Cure.PERSON,
    ),
    (
        r"Failed to resolve 'acme|acme-v0\d\.api\.letsencrypt\.org|Network is unreachable",
        "Nginx Proxy Manager cannot reach Let's Encrypt. Check its way to the internet.",
        Cure.LATER,
    ),
    (
        r"Could not find a version|Failed to establish a new connection|pypi",
        "Nginx Proxy Manager could not download its plugin for Cloudflare. Check its way to the internet.",
        Cure.LATER,
    ),
    (
        r"[Cc]hallenges? (have )?failed|unauthorized|DNS problem|Timeout during connect",
        "Let's Encrypt could not prove that the name leads here.",
        Cure.LATER,
    ),
)
HINTS = {
    "http": " It has to be reachable from the internet on port 80, and port 80 has to lead to Nginx Proxy Manager.",
    "dns": " The record that Nginx Proxy Manager makes at Cloudflare for a moment was not seen in time.",
}


def explain(lines: Iterable[str], challenge: str, secrets: Iterable[str] = ()) -> Reason:
    """What NPM printed, understood as far as it is known."""
    detail = masked("\n".join(line for line in lines if _tells(line)), secrets)
    for pattern, sentence, cure in KNOWN:
        if re.search(pattern, detail):
            hint = HINTS.get(challenge, "") if "prove" in sentence else ""
            return Reason(sentence + hint, detail, cure, _retry_after(detail))
    return Reason("Nginx Proxy Manager could not get the certificate.", detail)


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets, and without what stands where such a secret would stand; not too long."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "•••")
    return TOKEN_LINE.sub(r"\1•••", text).strip()[:MOST_DETAIL]


def _tells(line: str) -> bool:
    """Whether a line says anything: not where in NPM's code it happened, nor where the log is."""
    bare = line.strip().removeprefix("Error: ").removeprefix("CommandError: ")
    return bool(bare) and not bare.startswith((*NOISE, "at "))


def _retry_after(detail: str) -> datetime | None:
    """When Let's Encrypt says that a limit is over, which it does in UTC."""
    found = RETRY_AFTER.search(detail)
    if found is None:
        return None
    try:
        return datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=UTC)
    except ValueError:
        return None
