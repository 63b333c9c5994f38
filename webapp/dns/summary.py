"""Tells a plan in plain data: the form that is stored, shown and printed. Pure."""

from collections.abc import Iterable
from typing import Any

from webapp.dns.changes import Answer, Plan, Wish
from webapp.dns.records import LiveRecord, Record, Zone


def describe(plan: Plan, zone: Zone, wishes: Iterable[Wish]) -> dict[str, Any]:
    """The plan as plain data, for the page and the command line."""
    left = {w.row: w.answered for w in wishes if w.answer is Answer.LEAVE}
    return {
        "zone": zone.name,
        "creates": [_record(c.record) for c in plan.creates],
        "updates": [{**_record(u.record), "old": _live(u.live), "why": list(u.why)} for u in plan.updates],
        "deletes": [{**_live(d.live), "why": d.why} for d in plan.deletes],
        "conflicts": [
            {
                **_record(c.record),
                "live": [_live(r) for r in c.live],
                "left": left.get(c.row) == c.fingerprint,
            }
            for c in plan.conflicts
        ],
        "foreign": len(plan.foreign),
        "unchanged": len(plan.kept),
        "reckless": plan.reckless,
        "hash": plan.hash,
    }


def _record(record: Record | LiveRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "type": str(record.type),
        "content": record.content,
        "ttl": record.ttl,
        "proxied": record.proxied,
    }


def _live(live: LiveRecord) -> dict[str, Any]:
    return {**_record(live), "mark": live.mark}
