"""The one way out: HTTP to addresses that an operator entered, so that a wrong or hostile one does no harm.

Loopback and private addresses are allowed, because that is where proxy managers live. Link-local ones are not:
there cloud machines offer their credentials to whoever asks from inside.
"""

import ipaddress
import socket
import threading
import time
import warnings
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import InsecureRequestWarning

LINK_LOCAL = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))
# The metadata service of some clouds has a unique local IPv6 address.
METADATA = ipaddress.ip_address("fd00:ec2::254")
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
CHUNK = 64 * 1024
MAX_BYTES = 8_000_000
MAX_SECONDS = 60.0


Place = tuple[str, int | None]
"""An IP address, and a port unless it is the usual one."""


class Forbidden(requests.RequestException):
    """The address is one that the panel does not talk to."""


class TooLarge(requests.RequestException):
    """The answer is larger than anything that is expected."""


class _Refused(Exception):
    """Raised below urllib3, which would take a RequestException for a network error and wrap it."""


def session(
    max_bytes: int = MAX_BYTES,
    source_address: tuple[str, int] | None = None,
    place: Place | None = None,
    seconds: float = MAX_SECONDS,
) -> requests.Session:
    """A session that keeps connections and whose answers are complete when they are returned.

    `source_address` is the local end, for example ("0.0.0.0", 0) to use IPv4 only. An answer has to be complete
    within so many `seconds` of its request.

    Every request needs a `timeout`. Redirects are returned, not followed; cookies, proxies and credentials of
    the environment are not used. `source_address` binds the local end, and with it the IP version. `place` is
    connected to whatever the address says, without looking up any name. Raises Forbidden and TooLarge besides
    what requests raises.
    """
    return _Session(max_bytes, source_address, place, seconds)


def status(url: str, seconds: float) -> int | None:
    """The HTTP status an address answers GET with, certificate unseen; None for no answer in time.

    Only the head of the answer is read, and all of it has to come within the time: one that trickles is given up.
    """
    found: list[int] = []
    asking = threading.Thread(target=lambda: found.extend(_ask(url, seconds)), name="knock", daemon=True)
    asking.start()
    asking.join(seconds)
    return found[0] if found else None


def _ask(url: str, seconds: float) -> list[int]:
    one = _Session(0)
    with one, warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureRequestWarning)
        try:
            with one.open("GET", url, timeout=(seconds, seconds), verify=False) as answer:
                return [answer.status_code]
        except requests.RequestException:
            return []


class _Session(requests.Session):
    def __init__(
        self,
        max_bytes: int,
        source_address: tuple[str, int] | None = None,
        place: Place | None = None,
        seconds: float = MAX_SECONDS,
    ) -> None:
        super().__init__()
        self._max_bytes, self._seconds = max_bytes, seconds
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(source_address, place))

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """As in requests, but for the rules above. Raises TypeError without a timeout: that is a mistake here."""
        if args or kwargs.get("timeout") is None:
            raise TypeError("Give a timeout, and everything after the address by name.")
        deadline = time.monotonic() + self._seconds
        response = self.open(method, url, **kwargs)
        try:
            _read(response, self._max_bytes, deadline)
        except BaseException:
            response.close()
            raise
        return response

    def open(self, method: str | bytes, url: str | bytes, **kwargs: Any) -> requests.Response:
        """An answer whose body has not been read yet."""
        if urlsplit(str(url)).scheme.lower() not in {"http", "https"}:
            raise Forbidden("Only http and https addresses can be used.")
        return super().request(method, url, **(kwargs | {"allow_redirects": False, "stream": True}))


def _read(response: requests.Response, max_bytes: int, deadline: float) -> None:
    """Fill the response with its content; the size counts after decompression."""
    size = 0
    chunks = []
    for chunk in response.iter_content(CHUNK):
        size += len(chunk)
        if size > max_bytes:
            raise TooLarge(f"The answer is larger than {max_bytes} bytes.", response=response)
        if time.monotonic() > deadline:
            raise requests.ReadTimeout("The answer took too long.", response=response)
        chunks.append(chunk)
    response._content = b"".join(chunks)


class _Adapter(HTTPAdapter):
    """Connects with the guarded classes below."""

    def __init__(self, source_address: tuple[str, int] | None, place: Place | None) -> None:
        self._source_address, self._place = source_address, place
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, source_address=self._source_address, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _to(self._place, _HTTPPool, _HTTPConnection),
            "https": _to(self._place, _HTTPSPool, _HTTPSConnection),
        }

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        try:
            return super().send(request, *args, **kwargs)
        except _Refused as error:
            raise Forbidden(str(error), request=request) from error


def is_refused(address: str) -> bool:
    """Whether nothing is sent to this IP address: link-local and metadata, also in IPv6 clothes."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        elif ip in TRANSLATED:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip == METADATA or any(ip in network for network in LINK_LOCAL)


def _connect(connection: HTTPConnection, connect: Any) -> socket.socket:
    """Connect unless the name leads to a refused address, and look again at what was really connected to.

    The first look saves the time-out of an unreachable address; the second cannot be deceived by a name that
    changes in between. Nothing has been sent by then.
    """
    try:
        found = socket.getaddrinfo(connection._dns_host, connection.port, type=socket.SOCK_STREAM)
    except OSError:
        found = []  # the attempt below reports it in urllib3's own words
    if any(is_refused(str(address[0])) for *_, address in found):
        raise _Refused("Link-local and cloud metadata addresses cannot be used.")
    made: socket.socket = connect()
    if is_refused(str(made.getpeername()[0])):
        made.close()
        raise _Refused("Link-local and cloud metadata addresses cannot be used.")
    return made


def _connect_to(connection: Any, connect: Any) -> socket.socket:
    """Connect, to the chosen place if there is one; the name stays what the certificate has to be for."""
    if connection.place is None:
        return _connect(connection, connect)
    before = connection._dns_host, connection.port
    address, port = connection.place
    connection._dns_host, connection.port = address, port or connection.port
    try:
        return _connect(connection, connect)
    finally:
        connection._dns_host, connection.port = before


class _HTTPConnection(HTTPConnection):
    place: Place | None = None

    def _new_conn(self) -> socket.socket:
        return _connect_to(self, super()._new_conn)


class _HTTPSConnection(HTTPSConnection):
    place: Place | None = None

    def _new_conn(self) -> socket.socket:
        return _connect_to(self, super()._new_conn)


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


def _to(place: Place | None, pool: type[HTTPConnectionPool], connection: type[HTTPConnection]) -> type[Any]:
    """A pool whose connections go to the place."""
    there = type(connection.__name__, (connection,), {"place": place})
    return type(pool.__name__, (pool,), {"ConnectionCls": there})
