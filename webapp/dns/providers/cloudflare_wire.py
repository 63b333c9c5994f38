"""Cloudflare's JSON on one side, our records and zones on the other."""

from typing import Any

from webapp.dns.names import ascii_name
from webapp.dns.records import AUTO_TTL, LiveRecord, Record, Zone
from webapp.errors import Outage

PAID_PLANS = frozenset({"pro", "business", "enterprise"})

COMMENT_LENGTH, COMMENT_LENGTH_PAID = 100, 500
"""Characters; what the free plan allows, and what the others do."""

MARK = "tiny-forge:"


def record_body(record: Record, owner: str, known: LiveRecord | None, plan: str = "") -> dict[str, Any]:
    """The body of a create or a change. Text that others put into the comment stays behind our mark."""
    room = COMMENT_LENGTH_PAID if plan in PAID_PLANS else COMMENT_LENGTH
    comment = f"{MARK}{owner} {known.note if known else ''}".strip()
    return {
        "type": str(record.type),
        "name": record.name,
        "content": record.content,
        "ttl": record.ttl,
        "proxied": record.proxied,
        "comment": comment[:room],
    }


def records_path(zone: Zone) -> str:
    """Where the zone's records are, below the base address."""
    return f"/zones/{zone.id}/dns_records"


def as_object(value: object) -> dict[str, Any]:
    """The value if it is a JSON object, else an empty one: answers are never trusted to have a shape."""
    return value if isinstance(value, dict) else {}


def read_zone(item: dict[str, Any]) -> Zone:
    """A zone; its name may come in Unicode. Raises Outage when it lacks what every zone has."""
    if not _has_texts(item, "id", "name"):
        raise Outage("Cloudflare's list could not be read: a zone has no id or name.")
    permissions = item.get("permissions")
    return Zone(
        id=item["id"],
        name=ascii_name(item["name"]),
        status=str(item.get("status", "")),
        plan=str(as_object(item.get("plan")).get("legacy_id") or ""),
        may_edit="#dns_records:edit" in permissions if isinstance(permissions, list) else None,
    )


def read_record(item: object) -> LiveRecord:
    """A record of the API in our words. Raises Outage when it lacks what every record has."""
    raw = as_object(item)
    match raw:
        case {"id": str(record_id), "name": str(name), "type": str(kind)} if record_id and name and kind:
            mark, note = read_mark(str(raw.get("comment") or ""))
        case _:
            raise Outage("Cloudflare's list could not be read: a record has no id, name or type.")
    return LiveRecord(
        id=record_id,
        name=ascii_name(name),
        type=kind,
        content=str(raw.get("content") or ""),
        ttl=_ttl(raw.get("ttl")),
        proxied=bool(raw.get("proxied")),
        mark=mark,
        note=note,
        read_only=bool(as_object(raw.get("meta")).get("read_only")),
    )


def read_written(item: object) -> LiveRecord:
    """A record as the answer to a change tells it. An unreadable answer does not undo the change."""
    try:
        return read_record(item)
    except Outage:
        raise Outage(
            "Cloudflare's answer could not be read; could not confirm the change.", unconfirmed=True
        ) from None


def _has_texts(raw: dict[str, Any], *keys: str) -> bool:
    return all(isinstance(raw.get(key), str) and raw[key] for key in keys)


def _ttl(value: object) -> int:
    if not isinstance(value, int | None):
        raise Outage("Cloudflare's list could not be read: a record's TTL is not a number.")
    return value or AUTO_TTL


def read_mark(comment: str) -> tuple[str | None, str]:
    """The installation a comment names, and the rest of the comment."""
    if not comment.startswith(MARK):
        return None, comment
    mark, _, note = comment.removeprefix(MARK).partition(" ")
    return mark, note
