"""Asks Cloudflare's edge under which address this machine is seen, once over IPv4 and once over IPv6."""

import ipaddress
import socket
from urllib.parse import urlsplit

import requests

from webapp import outgoing

PATIENCE = 3.0
TRACE = "/cdn-cgi/trace"
ANY_ADDRESS = {4: "0.0.0.0", 6: "::"}  # noqa: S104 - the local end of an outgoing connection


def public_addresses(api_url: str) -> dict[int, str]:
    """The public address per IP version (4, 6); a version that does not work is left out.

    Source: every host at Cloudflare answers /cdn-cgi/trace with an ``ip=`` line.
    """
    parts = urlsplit(api_url)
    url = f"{parts.scheme}://{parts.netloc}{TRACE}"
    found = {version: _ask(url, version) for version in ANY_ADDRESS}
    return {version: address for version, address in found.items() if address}


def _ask(url: str, version: int) -> str | None:
    session = outgoing.session(max_bytes=100_000, source_address=(ANY_ADDRESS[version], 0))
    try:
        text = session.get(url, timeout=(PATIENCE, PATIENCE)).text
    except (requests.RequestException, socket.gaierror):
        return None
    line = next((line for line in text.splitlines() if line.startswith("ip=")), "")
    try:
        address = ipaddress.ip_address(line.removeprefix("ip="))
    except ValueError:
        return None
    return str(address) if address.version == version else None
