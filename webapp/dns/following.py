"""Decides whether the target follows the address under which this machine is seen. Pure."""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

CONFIRM_AFTER = timedelta(minutes=3)
"""How long a new address has to be seen before it counts: lines flap when they come up."""

NAMES = {4: "IPv4", 6: "IPv6"}

# What is handed out to be reached from everywhere; the rest of the space has other uses (RFC 4291 section 2.4).
UNICAST6 = ipaddress.ip_network("2000::/3")
TRANSITION = (ipaddress.ip_network("2001::/32"), ipaddress.ip_network("2002::/16"))


@dataclass(frozen=True)
class Candidate:
    """A new address, and since when it has been seen at every look."""

    address: str
    since: datetime


@dataclass(frozen=True)
class Decision:
    """What follows for one IP version: an address to change to, or one to wait for; and what to say."""

    message: str
    change: str | None = None
    candidate: Candidate | None = None


def decide(
    version: int, current: str, agreed: str | None, words: str, before: Candidate | None, at: datetime
) -> Decision:
    """What to do about the agreed address.

    ======================== =====================================
    the sources              outcome
    ======================== =====================================
    do not agree             nothing; what was seen before is void
    say what is set          nothing
    say no public address    nothing
    say a new one            remember it
    say it again, later on   change
    ======================== =====================================
    """
    name = NAMES[version]
    if agreed is None:
        return Decision(f"{name}: nothing is changed, because the sources do not agree: {words}.")
    if agreed == current:
        return Decision(f"{name}: {agreed}, as set.")
    if not is_public(agreed):
        return Decision(f"{name}: nothing is changed, because {agreed} is no public address.")
    if before is None or before.address != agreed:
        before = Candidate(agreed, at)
    if at - before.since < CONFIRM_AFTER:
        minutes = CONFIRM_AFTER // timedelta(minutes=1)
        return Decision(
            f"{name}: {agreed} is new, and has to be seen again after {minutes} minutes.", candidate=before
        )
    return Decision(f"{name}: changed from {current} to {agreed}.", agreed, before)


def is_public(text: str) -> bool:
    """Whether everybody can reach one machine at this address, as far as the address tells."""
    address = ipaddress.ip_address(text)
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return True
    return address in UNICAST6 and not any(address in network for network in TRANSITION)
