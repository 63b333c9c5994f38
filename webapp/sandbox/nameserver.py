"""A stand-in for the name servers of the zones at the Cloudflare stand-in: UDP and TCP, on one loopback port."""

import socketserver
import struct
import threading
from types import TracebackType
from typing import Any, Protocol, Self

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

EDGE = {"A": ["104.16.132.229", "104.16.133.229"], "AAAA": ["2606:4700::6810:84e5"]}
"""What a proxied name answers: addresses at Cloudflare's edge, the same for everybody's names."""

SHOWN = ("A", "AAAA", "CNAME", "NS", "TXT")
UDP_BYTES = 1232

Record = dict[str, Any]


class Source(Protocol):
    """Where the records are: the Cloudflare stand-in, or what it had once."""

    def find(self, name: str) -> list[Record]:
        """The records of a complete name."""
        ...

    def zone_of(self, name: str) -> str | None:
        """The zone that a name belongs to."""
        ...


class NameServerStandIn:
    """Answers with authority from the source's records, as Cloudflare's servers do.

    `silent` answers nothing, `silent_udp` only over TCP, `truncating` has everything fetched over TCP; `rcode`
    is answered instead. Give it another `source` and it lags behind. `log` holds what was asked, and how.
    """

    def __init__(self, source: Source, port: int = 0) -> None:
        self.source, self.port = source, port
        self.silent = self.silent_udp = self.truncating = False
        self.rcode: int | None = None
        self.log: list[tuple[str, str, str]] = []
        self._servers: tuple[socketserver.BaseServer, ...] = ()

    @property
    def address(self) -> str:
        """Address and port, as the panel is told them."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Listen on loopback (a free port when none was given) and answer in threads."""
        for last in reversed(range(20)):
            udp = socketserver.UDPServer(("127.0.0.1", self.port), _handler(_Datagram, self))
            try:
                tcp = _Tcp(udp.server_address, _handler(_Stream, self))
                break
            except OSError:  # the number is free for one of the two only
                udp.server_close()
                if not last or self.port:
                    raise
        self.port = udp.server_address[1]
        self._servers = (udp, tcp)
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers = ()

    def reply(self, wire: bytes, way: str) -> bytes | None:
        """The answer to one message; None for none."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.log.append((name, kind, way))
        if self.silent or (self.silent_udp and way == "udp"):
            return None
        answer = dns.message.make_response(query)
        if self.rcode is None:
            _Zone(self.source, answer).fill(name, kind)
        else:
            answer.set_rcode(dns.rcode.Rcode(self.rcode))
        return _rendered(answer, way, truncating=self.truncating)


def _rendered(answer: dns.message.Message, way: str, *, truncating: bool) -> bytes:
    if way == "tcp":
        return answer.to_wire(max_size=65535)
    try:
        if not truncating:
            return answer.to_wire(max_size=UDP_BYTES)
    except dns.exception.TooBig:
        pass
    answer.answer, answer.authority = [], []
    answer.flags |= dns.flags.TC
    return answer.to_wire()


class _Zone:
    """Fills one answer, by the rules of RFC 1034 section 4.3.2 and Cloudflare's own."""

    def __init__(self, source: Source, answer: dns.message.Message) -> None:
        self.source, self.answer = source, answer

    def fill(self, name: str, kind: str) -> None:
        zone = self.source.zone_of(name)
        if zone is None:
            self.answer.set_rcode(dns.rcode.REFUSED)
            return
        if cut := self._cut(name, zone):
            self._add(self.answer.authority, cut, "NS", self._contents(self.source.find(cut), "NS"))
            return
        self.answer.flags |= dns.flags.AA
        found = self.source.find(name) or self._wild(name, zone)
        if not found and name != zone:
            self.answer.set_rcode(dns.rcode.NXDOMAIN)
        self._records(name, kind, found, flat=name == zone)

    def _records(self, name: str, kind: str, found: list[Record], *, flat: bool) -> None:
        targets = self._contents(found, "CNAME")
        if any(record.get("proxied") for record in found):
            self._add(self.answer.answer, name, kind, EDGE.get(kind, []))
        elif targets and (kind == "CNAME" or not flat):
            self._add(self.answer.answer, name, "CNAME", targets if not flat else [])
        elif targets:
            self._add(self.answer.answer, name, kind, self._contents(self.source.find(targets[0]), kind))
        else:
            self._add(self.answer.answer, name, kind, self._contents(found, kind))

    def _cut(self, name: str, zone: str) -> str | None:
        """The name at which the zone hands over to other servers, if this one is there or below."""
        while name != zone and not name.startswith("*."):
            if self._contents(self.source.find(name), "NS"):
                return name
            name = name.partition(".")[2]
        return None

    def _wild(self, name: str, zone: str) -> list[Record]:
        while name != zone:
            name = name.partition(".")[2]
            if found := self.source.find(f"*.{name}"):
                return found
            if self.source.find(name):
                break
        return []

    @staticmethod
    def _contents(records: list[Record], kind: str) -> list[str]:
        return [record["content"] for record in records if record["type"] == kind]

    @staticmethod
    def _add(section: list[dns.rrset.RRset], name: str, kind: str, contents: list[str]) -> None:
        if contents and kind in SHOWN:
            dotted = [content + ("." if kind in ("CNAME", "NS") else "") for content in contents]
            section.append(dns.rrset.from_text(f"{name}.", 300, "IN", kind, *dotted))


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True


class _Datagram(socketserver.BaseRequestHandler):
    standin: NameServerStandIn

    def handle(self) -> None:
        wire, sock = self.request
        if reply := self.standin.reply(wire, "udp"):
            sock.sendto(reply, self.client_address)


class _Stream(socketserver.StreamRequestHandler):
    standin: NameServerStandIn
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Any number of messages, until the client goes."""
        try:
            while head := self.rfile.read(2):
                wire = self.rfile.read(*struct.unpack("!H", head))
                if reply := self.standin.reply(wire, "tcp"):
                    self.wfile.write(struct.pack("!H", len(reply)) + reply)
        except (OSError, struct.error):
            self.request.close()


def _handler(kind: type[socketserver.BaseRequestHandler], standin: NameServerStandIn) -> type[Any]:
    return type("Handler", (kind,), {"standin": standin})


def frozen(source: Source, names: list[str]) -> Source:
    """The records of these names as they are now; of the others there are none."""
    return _Frozen({name: source.find(name) for name in names}, {n: source.zone_of(n) for n in names})


class _Frozen:
    def __init__(self, records: dict[str, list[Record]], zones: dict[str, str | None]) -> None:
        self._records, self._zones = records, zones

    def find(self, name: str) -> list[Record]:
        return self._records.get(name, [])

    def zone_of(self, name: str) -> str | None:
        return self._zones.get(name)
