"""Our mark in the `meta` of a host at Nginx Proxy Manager: whose it is. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEY = "tiny_forge"


@dataclass(frozen=True)
class Mark:
    """Says in a host's `meta` whose it is: this installation's, and which consumer's."""

    install: str
    consumer_type: str
    consumer_id: int


def meta_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a host has there, whoever wrote it."""
    meta = row.get("meta")
    return meta if isinstance(meta, dict) else {}


def mark_of(row: Mapping[str, Any]) -> Mark | None:
    """The mark of a host; None without one that can be read."""
    found = meta_of(row).get(KEY)
    try:
        if not isinstance(found, dict):
            return None
        return Mark(str(found["install"]), str(found["consumer"]), int(found["id"]))
    except (KeyError, TypeError, ValueError):
        return None


def body_of(mark: Mark) -> dict[str, Any]:
    """How it is written."""
    return {KEY: {"install": mark.install, "consumer": mark.consumer_type, "id": mark.consumer_id}}
