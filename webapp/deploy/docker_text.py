"""What containers and engines write, made fit for a page: hostile text becomes plain lines. Pure."""

import re
import struct
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from webapp.deploy.engine import LogLine

MOST_LINES = 5000
MOST_TEXT = 2000
"""Characters of one line."""

MOST_BYTES = 1024 * 1024
"""Of all lines together; the oldest go."""

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # control sequences: colours, cursor
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # strings: titles, links
    r"|\x1b[ -/]*[0-~]?"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
# Besides control characters, those that turn the direction of writing, with which text can be disguised.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_HEADER = struct.Struct(">BxxxL")
_STDERR = 2


def clean(text: str, most: int = MOST_TEXT) -> str:
    """One line of at most so many characters, without escape sequences and control characters."""
    shown = _HIDDEN.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\n", " ")))
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def frames(chunks: Iterable[bytes]) -> Iterator[tuple[bool, bytes]]:
    """The messages of a log, each with whether it is an error: the engine writes both streams into one.

    A container with a terminal has only one stream, without headers. Source: ContainerAttach, "Stream format".
    """
    buffer, is_raw = bytearray(), False
    for chunk in chunks:
        buffer += chunk
        is_raw = is_raw or (len(buffer) >= _HEADER.size and not _has_header(buffer))
        if is_raw:
            yield from ((False, bytes(line)) for line in _whole_lines(buffer))
        else:
            yield from _whole_frames(buffer)
    if is_raw and buffer:
        yield False, bytes(buffer)


def _has_header(buffer: bytearray) -> bool:
    return buffer[0] in (0, 1, 2) and buffer[1:4] == b"\0\0\0"


def _whole_frames(buffer: bytearray) -> Iterator[tuple[bool, bytes]]:
    while len(buffer) >= _HEADER.size:
        stream, length = _HEADER.unpack_from(buffer)
        end = _HEADER.size + length
        if len(buffer) < end:
            return
        yield stream == _STDERR, bytes(buffer[_HEADER.size : end])
        del buffer[:end]


def _whole_lines(buffer: bytearray) -> Iterator[bytearray]:
    *lines, rest = buffer.split(b"\n")
    buffer[:] = rest
    for line in lines:
        yield line + b"\n"


@dataclass
class Tail:
    """The last lines of a log, each message of which begins with a time stamp; long lines come in pieces."""

    lines: int
    kept: deque[LogLine] = field(default_factory=deque)
    size: int = 0
    _open: dict[bool, tuple[datetime | None, str]] = field(default_factory=dict)

    def add(self, is_error: bool, message: bytes) -> None:
        """Note a message; it is a whole line when it ends with one."""
        stamp, _, text = message.decode("utf-8", "replace").partition(" ")
        at, begun = self._open.pop(is_error, (None, ""))
        at = at or moment(stamp)
        # A line that never ends must not fill the memory.
        text = (begun + text)[: 4 * MOST_TEXT]
        if message.endswith(b"\n"):
            self._keep(LogLine(at, clean(text.rstrip("\r\n")), is_error))
        else:
            self._open[is_error] = at, text

    def finish(self) -> list[LogLine]:
        """The lines, the last ones even where they have not ended yet."""
        for is_error, (at, text) in self._open.items():
            self._keep(LogLine(at, clean(text), is_error))
        self._open.clear()
        return list(self.kept)

    def _keep(self, line: LogLine) -> None:
        self.kept.append(line)
        self.size += len(line.text.encode())
        while len(self.kept) > self.lines or self.size > MOST_BYTES:
            self.size -= len(self.kept.popleft().text.encode())


def moment(text: str) -> datetime | None:
    """A time stamp of the engine, to the microsecond; None for anything else."""
    head, point, rest = text.removesuffix("Z").partition(".")
    try:
        return datetime.fromisoformat(f"{head}.{rest[:6]:0<6}" if point else head).replace(tzinfo=UTC)
    except ValueError:
        return None
