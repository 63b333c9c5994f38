"""How lists are written in forms, one entry a line: variables, volumes and labels; and back. Pure."""

import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from webapp.deploy.engine import Mount, MountKind
from webapp.deploy.power import (
    parse_bind_source,
    parse_env_key,
    parse_label_key,
    parse_mount_target,
    parse_volume_name,
)
from webapp.errors import InvalidInput

Thing = TypeVar("Thing")
MOST_ENTRIES = 200


def read_pairs(text: str, parse_key: Callable[[str], str]) -> dict[str, str]:
    """KEY=VALUE lines. Raises InvalidInput that names the line."""
    pairs: dict[str, str] = {}
    for number, line in _lines(text):
        key, equals, value = line.partition("=")
        if not equals:
            raise InvalidInput(f"Line {number}: write KEY=VALUE.")
        name = _on_line(number, parse_key, key.strip())
        if name in pairs:
            raise InvalidInput(f"Line {number}: {name} is there twice.")
        pairs[name] = value
    return pairs


def read_env(text: str) -> dict[str, str]:
    """Environment variables."""
    return read_pairs(text, parse_env_key)


def read_labels(text: str) -> dict[str, str]:
    """Labels."""
    return read_pairs(text, parse_label_key)


def read_mounts(text: str, binds_dir: Path | None) -> tuple[Mount, ...]:
    """SOURCE:TARGET or SOURCE:TARGET:ro lines; a source with a slash is a folder, else a volume.

    Folders must be inside `binds_dir`. Raises InvalidInput that names the line.
    """
    mounts: list[Mount] = []
    for number, line in _lines(text):
        mount = _on_line(number, lambda line: _mount(line, binds_dir), line)
        if any(mount.target == other.target for other in mounts):
            raise InvalidInput(f"Line {number}: something is mounted at {mount.target} already.")
        mounts.append(mount)
    return tuple(mounts)


def _mount(line: str, binds_dir: Path | None) -> Mount:
    source, colon, rest = line.partition(":")
    target, _, mode = rest.partition(":")
    if not colon or mode not in {"", "ro", "rw"}:
        raise InvalidInput("write SOURCE:TARGET, with :ro at the end when it is only read.")
    folder = source.startswith("/")
    kind = MountKind.BIND if folder else MountKind.VOLUME
    name = parse_bind_source(source, binds_dir) if folder else parse_volume_name(source)
    return Mount(kind, name, parse_mount_target(target), mode == "ro")


def read_command(text: str) -> tuple[str, ...]:
    """A command as a shell splits it into words; no shell is involved. Raises InvalidInput."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise InvalidInput("A quotation mark is not closed.") from error


def write_pairs(pairs: Mapping[str, str]) -> str:
    """KEY=VALUE lines."""
    return "\n".join(f"{key}={value}" for key, value in pairs.items())


def write_mounts(mounts: Iterable[Mapping[str, object]]) -> str:
    """SOURCE:TARGET lines."""
    return "\n".join(f"{m['source']}:{m['target']}{':ro' if m['read_only'] else ''}" for m in mounts)


def write_command(words: Iterable[str]) -> str:
    """The command as it can be entered again."""
    return shlex.join(words)


def _lines(text: str) -> list[tuple[int, str]]:
    found = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    kept = [(number, line) for number, line in found if line and not line.startswith("#")]
    if len(kept) > MOST_ENTRIES:
        raise InvalidInput(f"That is too much: at most {MOST_ENTRIES} lines.")
    return kept


def _on_line(number: int, parse: Callable[[str], Thing], text: str) -> Thing:
    try:
        return parse(text)
    except InvalidInput as error:
        raise InvalidInput(f"Line {number}: {error.message}") from error
