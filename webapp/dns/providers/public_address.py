"""Asks others under which address this machine is seen, over IPv4 and over IPv6; never one source alone."""

import ipaddress
import socket
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from webapp import outgoing

PATIENCE = 3.0
VERSIONS = (4, 6)
ANY_ADDRESS = {4: "0.0.0.0", 6: "::"}  # noqa: S104 - the local end of an outgoing connection


@dataclass(frozen=True)
class Sight:
    """What each source says, by its host; None where it says nothing usable for that IP version."""

    said: Mapping[str, str | None]

    @property
    def agreed(self) -> str | None:
        """The address that at least two sources, and all of them, say."""
        said = set(self.said.values())
        return next(iter(said)) if len(said) == 1 and len(self.said) > 1 else None

    @property
    def likely(self) -> str | None:
        """The address that nobody contradicts: enough to propose it to a person."""
        said = {address for address in self.said.values() if address}
        return next(iter(said)) if len(said) == 1 else None

    @property
    def words(self) -> str:
        """Who says what."""
        return ", ".join(f"{host} says {address or 'nothing'}" for host, address in self.said.items())


def look(sources: Sequence[str], versions: Iterable[int] = VERSIONS) -> dict[int, Sight]:
    """What the sources say per IP version, asked all at once; some seconds at most.

    A source answers with the bare address, or as Cloudflare's /cdn-cgi/trace does, with an ``ip=`` line.
    """
    asked = [(version, source) for version in versions for source in sources]
    with ThreadPoolExecutor(max(1, len(asked))) as pool:
        answers = list(pool.map(lambda one: _ask(one[1], one[0]), asked))
    found: dict[int, dict[str, str | None]] = {}
    for (version, source), answer in zip(asked, answers, strict=True):
        found.setdefault(version, {})[_host(source)] = answer
    return {version: Sight(said) for version, said in found.items()}


def _host(source: str) -> str:
    return urlsplit(source).netloc


def _ask(url: str, version: int) -> str | None:
    session = outgoing.session(max_bytes=100_000, source_address=(ANY_ADDRESS[version], 0))
    try:
        answer = session.get(url, timeout=(PATIENCE, PATIENCE))
    except (requests.RequestException, socket.gaierror):
        return None
    lines = answer.text.splitlines() if answer.ok else []
    traced = (line.removeprefix("ip=") for line in lines if line.startswith("ip="))
    try:
        address = ipaddress.ip_address(next(traced, "".join(lines[:1]).strip()))
    except ValueError:
        return None
    return str(address) if address.version == version else None
