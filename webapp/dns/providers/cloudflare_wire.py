"""Cloudflare's JSON on one side, our records and zones on the other."""

from typing import Any

from webapp.dns.names import ascii_name
from webapp.dns.records import LiveRecord, Record, Zone
from webapp.errors import Outage

COMMENT_LENGTH = 100
"""Characters; what the free plan allows."""

MARK = "tiny-forge:"


def record_body(record: Record, owner: str, known: LiveRecord | None) -> dict[str, Any]:
    """The body of a create or a change. Text that others put into the comment stays behind our mark."""
    comment = f"{MARK}{owner} {known.note if known else ''}".strip()
    return {
        "type": str(record.type),
        "name": record.name,
        "content": record.content,
        "ttl": record.ttl,
        "proxied": record.proxied,
        "comment": comment[:COMMENT_LENGTH],
    }


def records_path(zone: Zone) -> str:
    """Where the zone's records are, below the base address."""
    return f"/zones/{zone.id}/dns_records"


def as_object(value: object) -> dict[str, Any]:
    """The value if it is a JSON object, else an empty one: answers are never trusted to have a shape."""
    return value if isinstance(value, dict) else {}


def read_zone(item: dict[str, Any]) -> Zone:
    """A zone; its name may come in Unicode."""
    permissions = item.get("permissions")
    return Zone(
        id=str(item.get("id", "")),
        name=ascii_name(str(item.get("name", ""))),
        status=str(item.get("status", "")),
        plan=str(as_object(item.get("plan")).get("legacy_id") or ""),
        may_edit="#dns_records:edit" in permissions if isinstance(permissions, list) else None,
    )


def read_record(item: object) -> LiveRecord:
    """A record of the API in our words. Raises Outage when it lacks what every record has."""
    raw = as_object(item)
    if not all(isinstance(raw.get(key), str) for key in ("id", "name", "type")):
        raise Outage("Cloudflare's list could not be read: a record has no id, name or type.")
    mark, note = read_mark(str(raw.get("comment") or ""))
    return LiveRecord(
        id=raw["id"],
        name=ascii_name(raw["name"]),
        type=raw["type"],
        content=str(raw.get("content") or ""),
        ttl=int(raw.get("ttl") or 1),
        proxied=bool(raw.get("proxied")),
        mark=mark,
        note=note,
        read_only=bool(as_object(raw.get("meta")).get("read_only")),
    )


def read_mark(comment: str) -> tuple[str | None, str]:
    """The installation a comment names, and the rest of the comment."""
    if not comment.startswith(MARK):
        return None, comment
    mark, _, note = comment.removeprefix(MARK).partition(" ")
    return mark, note
