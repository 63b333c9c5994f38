"""A world for the planner's tests: short ways to say records and wishes, and a zone that carries out plans."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from webapp.dns.changes import Answer, Plan, Wish
from webapp.dns.plan import plan
from webapp.dns.records import LiveRecord, Record, RecordType, excludes, wanted

OWNER, OTHER = "forge-1", "forge-2"
NAME = "app.example.com"
HERE, THERE, ELSEWHERE = "192.0.2.1", "192.0.2.2", "198.51.100.7"


def record(name: str = NAME, kind: str = "A", content: str = HERE, **fields: Any) -> Record:
    """A wanted record."""
    return wanted(name, RecordType(kind), content, **fields)


def ours(id: str = "x1", name: str = NAME, kind: str = "A", content: str = HERE, **fields: Any) -> LiveRecord:
    """A live record with our mark."""
    return LiveRecord(id, name, kind, content, **{"mark": OWNER, **fields})


def foreign(
    id: str = "f1", name: str = NAME, kind: str = "A", content: str = ELSEWHERE, **fields: Any
) -> LiveRecord:
    """A live record without a mark."""
    return ours(id, name, kind, content, **{"mark": None, **fields})


def wish(row: int = 1, asks: Record | None = None, **fields: Any) -> Wish:
    """A row that wants a record."""
    return Wish(row, asks or record(), **fields)


def released(row: int = 1, asks: Record | None = None, **fields: Any) -> Wish:
    """A row that wants its record gone."""
    return wish(row, asks, wanted=False, **fields)


def planned(*world: Wish | LiveRecord, **options: Any) -> Plan:
    """The plan for these wishes and live records."""
    wishes = [item for item in world if isinstance(item, Wish)]
    return plan(wishes, [item for item in world if isinstance(item, LiveRecord)], OWNER, **options)


def answered(asked: Wish, answer: Answer, *world: Wish | LiveRecord) -> Wish:
    """The wish, with the operator's answer to the conflict it has in this world."""
    conflict = next(c for c in planned(asked, *world).conflicts if c.row == asked.row)
    return replace(asked, answer=answer, answered=conflict.fingerprint)


def done(plan: Plan, live: Sequence[LiveRecord]) -> list[LiveRecord]:
    """The zone after the plan, carried out as one batch: deletes, then changes in place, then creates."""
    zone = {r.id: r for r in live}
    for delete in plan.deletes:
        del zone[delete.live.id]
    for update in plan.updates:
        zone[update.live.id] = _stored(zone[update.live.id].id, update.record, zone[update.live.id].note)
    for create in plan.creates:
        zone[f"new-{create.row}-{len(zone)}"] = _stored(f"new-{create.row}-{len(zone)}", create.record)
    return list(zone.values())


def _stored(id: str, record: Record, note: str = "") -> LiveRecord:
    return LiveRecord(
        id, record.name, str(record.type), record.content, record.ttl, record.proxied, OWNER, note
    )


def settled(wishes: Iterable[Wish], plan: Plan, after: Sequence[LiveRecord]) -> list[Wish]:
    """The rows after the plan, as the round would settle them."""
    gone = set(plan.gone) | {delete.row for delete in plan.deletes}
    held_by = {keep.row: keep.live.id for keep in plan.kept} | {u.row: u.live.id for u in plan.updates}
    created = {c.row: next(r.id for r in after if r.id.startswith(f"new-{c.row}-")) for c in plan.creates}
    homes = held_by | created
    rows = []
    for row in wishes:
        if row.row in homes:
            live = next(r for r in after if r.id == homes[row.row])
            written = Record(
                row.record.name, row.record.type, live.content, live.ttl, live.proxied
            )  # as the row remembers it: in the provider's spelling
            rows.append(replace(row, live_id=live.id, written=written, answer=None, answered=""))
        elif row.row not in gone:
            rows.append(row)
    return rows


def is_legal(zone: Iterable[LiveRecord]) -> bool:
    """Whether a provider would keep these records together."""
    records = list(zone)
    pairs = [(one, two) for one in records for two in records if one.id < two.id and one.name == two.name]
    return not any(_clash(one, two) for one, two in pairs)


def _clash(one: LiveRecord, two: LiveRecord) -> bool:
    return (one.type, one.content) == (two.type, two.content) or excludes(one.type, two.type)
