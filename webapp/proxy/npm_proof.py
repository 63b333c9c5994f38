"""Our piece of a host's advanced configuration: the place where a public name proves that it leads here. Pure.

The rest of that text belongs to whoever wrote it, and stays byte for byte.
"""

import re
from collections.abc import Mapping
from typing import Any

BEGIN, END = "# tiny-forge: begin", "# tiny-forge: end"
LOCATION = 'location = {path} {{ default_type text/plain; return 200 "{text}"; }}'

_OURS = re.compile(r"location = /\.well-known/tiny-forge/[0-9a-f]+ \{[^{}\n]*\}")
_BLOCK = re.compile(rf"{BEGIN}\r?\n(.*?)\r?\n{END}\r?\n?", re.DOTALL)
_STRAY = re.compile(rf"[ \t]*(?:{BEGIN}|{END}|{_OURS.pattern})[ \t]*\r?\n?")
_WHOLE = re.compile(
    r'location = /\.well-known/tiny-forge/[0-9a-f]+ \{ default_type text/plain; return 200 "[a-z0-9 -]+"; \}'
)


def location(path: str, text: str) -> str:
    """What nginx is told. NPM takes it for no location of its own: those it looks for are «location /»."""
    return LOCATION.format(path=path, text=text)


def config_of(row: Mapping[str, Any]) -> str:
    """The advanced configuration of a host, as NPM reports the host."""
    return str(row.get("advanced_config") or "")


def is_harmless(piece: str) -> bool:
    """Whether this is what `location` makes, or nothing: the last look before it reaches nginx."""
    return not piece or _WHOLE.fullmatch(piece) is not None


def piece_in(config: str) -> str:
    """Our piece as it stands there, also where somebody has changed it; empty without one."""
    blocks: list[str] = _BLOCK.findall(config)
    rest = _BLOCK.sub("", config)
    return "\n".join([*blocks, *(match.group() for match in _STRAY.finditer(rest))])


def weave(config: str, piece: str) -> str:
    """The text with this piece in place of whatever is there of ours. The same text when nothing changes."""
    if piece_in(config) == piece:
        return config
    rest = _STRAY.sub("", _BLOCK.sub("", config))
    return f"{BEGIN}\n{piece}\n{END}\n{rest}" if piece else rest
