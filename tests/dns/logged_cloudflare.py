"""Cloudflare's stand-in with a memory: every single change that it accepted, and how to put it back to before."""

from collections.abc import Callable, Mapping
from typing import Any

from webapp.sandbox.cloudflare import CloudflareStandIn
from webapp.sandbox.cloudflare_throttle import Throttle
from webapp.sandbox.server import Reply, Request

Facts = tuple[Any, ...] | None
"""Name, type, content, TTL and proxied; None for no record."""


class LoggedCloudflare(CloudflareStandIn):
    """`accepted` holds what each changing request changed, record by record: before and after.

    `down` are names of `watched` that were without any record for a moment, here and `elsewhere`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.accepted: list[tuple[Facts, Facts]] = []
        self.watched: set[str] = set()
        self.down: list[str] = []
        self.elsewhere: Callable[[], set[str]] = set

    def handle(self, request: Request) -> Reply:
        before = self._records() if request.method != "GET" else {}
        reply = super().handle(request)
        after = self._records() if request.method != "GET" else {}
        self.down += self.watched - self.up() if after != before else ()
        for record_id in sorted(before.keys() | after.keys()):
            old, new = before.get(record_id), after.get(record_id)
            if old is not new:
                self.accepted.append((said(old), said(new)))
        return reply

    def up(self) -> set[str]:
        """Names that lead somewhere."""
        there = {r["name"] for r in self._records().values() if r["type"] in ("A", "AAAA", "CNAME")}
        return there | self.elsewhere()

    def _records(self) -> dict[str, dict[str, Any]]:
        return {id: record for zone in self._api.zones.values() for id, record in _of(zone).items()}

    def kept(self) -> Any:
        """Every zone as it is now, for `restore`."""
        return {
            zone_id: (dict(_of(zone)), {n: dict(r) for n, r in zone.records._by_name.items()})
            for zone_id, zone in self._api.zones.items()
        }

    def restore(self, kept: Any) -> None:
        """Have every zone be as it was, and forget what happened since."""
        self.accepted.clear()
        self.down.clear()
        self.faults.clear()
        self.log.clear()
        self._throttle = Throttle(self.now)
        for zone_id, (by_id, by_name) in kept.items():
            records = self._api.zones[zone_id].records
            records._by_id = dict(by_id)
            records._by_name = {name: dict(some) for name, some in by_name.items()}


def _of(zone: Any) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = zone.records._by_id
    return found


def said(record: Mapping[str, Any] | None) -> Facts:
    """What a record says to the world."""
    if record is None:
        return None
    return tuple(record[key] for key in ("name", "type", "content", "ttl", "proxied"))
