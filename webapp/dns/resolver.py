"""The system's resolver: what anybody here would get for a name."""

from collections.abc import Callable

import dns.resolver

PATIENCE = 3.0
"""Seconds for one question, all tries included."""

Ask = Callable[[str, str], frozenset[str]]


def zone_of(name: str) -> str:
    """The zone that holds a name, as the system's resolver finds it. Raises DNSException when it fails."""
    found = dns.resolver.zone_for_name(name, resolver=dns.resolver.Resolver(), lifetime=PATIENCE)
    return found.to_text(omit_final_dot=True).lower()


def ask(name: str, kind: str) -> frozenset[str]:
    """The answers of the system's resolver. Empty when there are none; raises DNSException when it fails."""
    try:
        answer = dns.resolver.Resolver().resolve(name, kind, lifetime=PATIENCE)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return frozenset()
    return frozenset(str(item).rstrip(".").lower() for item in answer)
