"""The records of one zone in the Cloudflare stand-in: indexes, the rules between records, and batches."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from webapp.sandbox.cloudflare_answers import Refused, stamp
from webapp.sandbox.cloudflare_content import SHAPES, Plan, accepted

Record = dict[str, Any]

ADDRESSES = frozenset({"A", "AAAA"})
MAX_COMBINED = 8192
BATCH_ORDER = ("deletes", "patches", "puts", "posts")


class Records:
    """Records by id and by name. A stored record is never changed, only replaced, so it may be handed out."""

    def __init__(self, zone: str, plan: Plan, quota: int | None, now: Callable[[], datetime]) -> None:
        self.quota = quota
        self._zone, self._plan, self._now = zone, plan, now
        self._by_id: dict[str, Record] = {}
        self._by_name: dict[str, dict[str, Record]] = {}
        self._age: dict[str, int] = {}
        self._journal: list[tuple[str, Record | None]] | None = None

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, record_id: object) -> bool:
        return record_id in self._by_id

    def __iter__(self) -> Iterator[Record]:
        return iter(list(self._by_id.values()))

    def named(self, name: str) -> list[Record]:
        """The records of exactly this name."""
        return list(self._by_name.get(name, {}).values())

    def in_order(self, records: list[Record]) -> list[Record]:
        """Sorted as a list is answered: by type, then name, then newest first."""
        return sorted(records, key=lambda r: (r["type"], r["name"], -self._age[r["id"]]))

    def get(self, record_id: str) -> Record:
        """Raises Refused when there is no such record."""
        if record_id not in self._by_id:
            raise Refused(81044)
        return self._by_id[record_id]

    def create(self, body: Mapping[str, Any], meta: Mapping[str, Any] | None = None) -> Record:
        """A new record. Raises Refused."""
        fields = accepted(body, self._zone, self._plan)
        self._check_neighbours(fields, "")
        if self.quota is not None and len(self) >= self.quota:
            raise Refused(81045)
        record_id = uuid.uuid4().hex
        self._age[record_id] = len(self._age)
        return self._keep(record_id, fields, {"meta": dict(meta or {})})

    def patch(self, record_id: str, body: Mapping[str, Any]) -> Record:
        """Change what is named. What a null comment does is unknown; here it changes nothing."""
        old = self.get(record_id)
        sent = {key: value for key, value in body.items() if value is not None}
        base = {key: old[key] for key in SHAPES if key in old}
        if sent.get("type", old["type"]) != old["type"]:
            base = {key: value for key, value in base.items() if key not in ("settings", "data", "priority")}
        if "content" in sent:
            base.pop("data", None)
        return self._overwrite(old, {**base, **sent})

    def replace(self, record_id: str, body: Mapping[str, Any]) -> Record:
        """Put a record in the place of another: what is not named falls back to its default."""
        return self._overwrite(self.get(record_id), body)

    def delete(self, record_id: str) -> Record:
        """Remove a record; returns what it was."""
        record = self.get(record_id)
        self._set(record_id, None)
        return record

    def batch(self, operations: Mapping[str, list[Record]]) -> dict[str, list[Record]]:
        """Carry out all operations or none, in Cloudflare's order. Raises the first Refused."""
        acts: dict[str, Callable[[Record], Record]] = {
            "deletes": lambda item: self.delete(item.get("id", "")),
            "patches": lambda item: self.patch(item.get("id", ""), item),
            "puts": lambda item: self.replace(item.get("id", ""), item),
            "posts": self.create,
        }
        with self._atomic():
            return {key: [acts[key](i) for i in operations[key]] for key in BATCH_ORDER if key in operations}

    def _overwrite(self, old: Record, body: Mapping[str, Any]) -> Record:
        fields = accepted(body, self._zone, self._plan)
        self._check_neighbours(fields, old["id"])
        return self._keep(old["id"], fields, old)

    def _keep(self, record_id: str, fields: Record, old: Record) -> Record:
        """Store the fields with what Cloudflare adds itself, its keys in the recorded order.

        Whether a change without effect moves `modified_on` is unknown; here it does.
        """
        now = stamp(self._now())
        comment, tags = fields.pop("comment"), fields.pop("tags")
        record = {
            "id": record_id,
            **fields,
            "meta": old["meta"],
            "comment": comment,
            "tags": tags,
            "created_on": old.get("created_on", now),
            "modified_on": now,
        }
        for key in ("comment", "tags"):
            if record[key]:
                unchanged = record[key] == old.get(key)
                record[f"{key}_modified_on"] = old[f"{key}_modified_on"] if unchanged else now
        self._set(record_id, record)
        return record

    def _check_neighbours(self, record: Record, own_id: str) -> None:
        """The rules between records of one name."""
        others = [other for other in self.named(record["name"]) if other["id"] != own_id]
        kind, kinds = record["type"], {other["type"] for other in others}
        if kind == "CNAME" and kinds & {*ADDRESSES, "CNAME"}:
            raise Refused(81053)
        if kind in ADDRESSES and "CNAME" in kinds:
            raise Refused(81054)
        if record["name"] != self._zone and "NS" in kinds | {kind} and kinds - {kind}:
            raise Refused(81056)
        alike = [other["content"] for other in others if other["type"] == kind]
        if record["content"] in alike:
            raise Refused(81058)
        if len(record["content"]) + sum(map(len, alike)) > MAX_COMBINED:
            raise Refused(83011)

    def _set(self, record_id: str, record: Record | None) -> None:
        """The only way in and out of the indexes."""
        old = self._by_id.pop(record_id, None)
        if self._journal is not None:
            self._journal.append((record_id, old))
        if old is not None:
            same_name = self._by_name[old["name"]]
            del same_name[record_id]
            if not same_name:
                del self._by_name[old["name"]]
        if record is not None:
            self._by_id[record_id] = record
            self._by_name.setdefault(record["name"], {})[record_id] = record

    @contextmanager
    def _atomic(self) -> Iterator[None]:
        journal = self._journal = []
        try:
            yield
        except Refused:
            self._journal = None
            for record_id, old in reversed(journal):
                self._set(record_id, old)
            raise
        finally:
            self._journal = None
