"""Many questions to one name server, over UDP or TCP, with bounded patience."""

import socket
import struct
import time
from collections.abc import Collection, Sequence

import dns.entropy
import dns.exception
import dns.flags
import dns.message

from webapp.dns.live import Question

Place = tuple[str, int]
"""IP address and port."""

Replies = dict[Question, dns.message.Message]

WINDOW = 50
"""Questions under way at once: more would overrun the buffers on the way."""

SECONDS = 1.0
"""How long a try waits."""

PAYLOAD = 1232
"""Bytes of an answer that pass everywhere without being cut up (DNS flag day 2020)."""


def converse(
    place: Place, questions: Collection[Question], *, tcp_only: bool = False, seconds: float = SECONDS
) -> Replies:
    """The server's answers; those it does not give in time are missing.

    What comes truncated over UDP is asked again over TCP, and everything where UDP brings nothing at all.
    """
    asked = sorted(questions)
    found = {} if tcp_only else _all(_Talk(_Udp, place, seconds), asked)
    whole = {question: reply for question, reply in found.items() if not reply.flags & dns.flags.TC}
    rest = [question for question in asked if question not in whole and (question in found or not found)]
    return whole | _all(_Talk(_Tcp, place, seconds), rest)


def _all(talk: "_Talk", questions: Sequence[Question]) -> Replies:
    """Window by window; a server that is silent to a whole window is asked no further."""
    found: Replies = {}
    try:
        for start in range(0, len(questions), WINDOW):
            window, before = questions[start : start + WINDOW], len(found)
            for _ in range(talk.tries):
                if left := [question for question in window if question not in found]:
                    found |= talk.once(left)
            if len(found) == before:
                break
    finally:
        talk.hang_up()
    return found


class _Udp:
    """One datagram for each message; from a port of its own, so that answers are hard to forge."""

    tries = 3

    def __init__(self, place: Place, _seconds: float) -> None:
        self.socket = socket.socket(socket.AF_INET6 if ":" in place[0] else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(place)  # the kernel drops what comes from anywhere else

    def send(self, wire: bytes) -> None:
        self.socket.send(wire)

    def receive(self, deadline: float) -> bytes:
        """The next message. Raises OSError when there is none in time."""
        self.socket.settimeout(max(0.001, deadline - time.monotonic()))
        return self.socket.recv(65535)


class _Tcp:
    """Messages with their length in front, any number on one connection (RFC 7766)."""

    tries = 2

    def __init__(self, place: Place, seconds: float) -> None:
        self.socket = socket.create_connection(place, seconds)

    def send(self, wire: bytes) -> None:
        self.socket.sendall(struct.pack("!H", len(wire)) + wire)

    def receive(self, deadline: float) -> bytes:
        """The next message. Raises OSError when there is none in time."""
        (length,) = struct.unpack("!H", self._exactly(2, deadline))
        return self._exactly(length, deadline)

    def _exactly(self, count: int, deadline: float) -> bytes:
        data = b""
        while len(data) < count:
            self.socket.settimeout(max(0.001, deadline - time.monotonic()))
            part = self.socket.recv(count - len(data))
            if not part:
                raise ConnectionResetError("the server closed the connection")
            data += part
        return data


class _Talk:
    """A line to one server that is kept while it works, and opened anew when it has failed."""

    def __init__(self, kind: type[_Udp] | type[_Tcp], place: Place, seconds: float) -> None:
        self._kind, self._place, self._seconds = kind, place, seconds
        self.tries = kind.tries
        self._line: _Udp | _Tcp | None = None

    def once(self, questions: Sequence[Question]) -> Replies:
        """Ask all of them, and wait once; what is not answered by then is missing."""
        found: Replies = {}
        waiting = _queries(questions)
        try:
            line = self._line = self._line or self._kind(self._place, self._seconds)
            for _, query in waiting.values():
                line.send(query.to_wire())
            deadline = time.monotonic() + self._seconds
            while waiting:
                reply = _read(line.receive(deadline))
                if reply and reply.id in waiting and waiting[reply.id][1].is_response(reply):
                    question, _ = waiting.pop(reply.id)
                    found[question] = reply
        except OSError:
            self.hang_up()
        return found

    def hang_up(self) -> None:
        """Close the line, if it is open."""
        if self._line is not None:
            self._line.socket.close()
            self._line = None


def _queries(questions: Sequence[Question]) -> dict[int, tuple[Question, dns.message.QueryMessage]]:
    """A query for each question, by an id that it alone has."""
    queries: dict[int, tuple[Question, dns.message.QueryMessage]] = {}
    for question in questions:
        name, kind = question
        query = dns.message.make_query(name, kind, flags=0, use_edns=0, payload=PAYLOAD)
        while query.id in queries:
            query.id = dns.entropy.random_16()
        queries[query.id] = question, query
    return queries


def _read(wire: bytes) -> dns.message.Message | None:
    """The message; None for something else."""
    try:
        return dns.message.from_wire(wire, ignore_trailing=True)
    except dns.exception.DNSException:
        return None
