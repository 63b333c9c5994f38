"""Who is at the other end: address and browser, cleaned so that they can be stored, logged and shown."""

import ipaddress
from dataclasses import dataclass
from typing import Self

from flask import Request

BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class Client:
    """Address and browser of a request."""

    address: str
    user_agent: str

    @classmethod
    def of(cls, request: Request) -> Self:
        """The sender of the request; forwarded headers count only as far as the proxies are trusted."""
        agent = request.headers.get("User-Agent", "")
        return cls(address=one_line(request.remote_addr or "unknown", 64), user_agent=one_line(agent, 200))

    @property
    def network(self) -> str:
        """What throttling counts as one client: an IPv4 address, or the /64 that one IPv6 site has."""
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return self.address
        if isinstance(address, ipaddress.IPv4Address):
            return str(address)
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), 64), strict=False))


def one_line(text: str, most: int = 100) -> str:
    """The text without control characters and cut to length, so that it cannot forge log lines."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:most])


def browser_name(user_agent: str) -> str:
    """«Firefox on Linux», as far as the browser says."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return " on ".join(part for part in (browser, system) if part) or "Unknown browser"
