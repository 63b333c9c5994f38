"""Records at Cloudflare: listing in large pages, changing in atomic batches, marking by comment."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import requests

from webapp.dns.changes import Change
from webapp.dns.providers.base import Budget, Finding, Outcome, Unlimited
from webapp.dns.providers.cloudflare_batches import CloudflareBatches
from webapp.dns.providers.cloudflare_http import NO_SUCH_RECORD, CloudflareHttp
from webapp.dns.providers.cloudflare_probe import CloudflareProbe
from webapp.dns.providers.cloudflare_wire import (
    as_object,
    read_record,
    read_written,
    read_zone,
    record_body,
    records_path,
)
from webapp.dns.records import LiveRecord, Record, Usage, Zone
from webapp.errors import Denied, Outage, Rejected

RECORDS_PER_PAGE = 5000
ZONES_PER_PAGE = 50
MAX_PAGES = 1000
THERE_ALREADY = frozenset({81057, 81058, 81053})


class Cloudflare:
    """See Provider. `owner` is the installation id that goes into the comment of each record we write."""

    def __init__(
        self,
        *,
        credentials: Mapping[str, str],
        owner: str,
        api_url: str,
        session: requests.Session | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._http = CloudflareHttp(api_url, credentials.get("token", ""), session, budget or Unlimited())
        self._owner = owner

    def list_zones(self) -> list[Zone]:
        """See Provider. Of two zones with one name (moved between accounts) the active one counts."""
        found = [read_zone(item) for item in self._all("/zones", ZONES_PER_PAGE)]
        found.sort(key=lambda zone: (zone.name, zone.status == "active"))
        return list({zone.name: zone for zone in found}.values())

    def list_records(self, zone: Zone) -> list[LiveRecord]:
        """See Provider."""
        return [read_record(item) for item in self._all(records_path(zone), RECORDS_PER_PAGE)]

    def usage(self, zone: Zone) -> Usage | None:
        """See Provider."""
        try:
            result = as_object(self._http.call("GET", f"{records_path(zone)}/usage").get("result"))
        except Rejected:
            return None
        used, quota = result.get("record_usage"), result.get("record_quota")
        return Usage(used, quota if isinstance(quota, int) else None) if isinstance(used, int) else None

    def ensure_record(self, zone: Zone, record: Record, known: LiveRecord | None) -> LiveRecord:
        """See Provider. A create that was made after all on an earlier try is found and taken for done."""
        body = record_body(record, self._owner, known, zone.plan)
        if known:
            changed = self._http.call("PATCH", f"{records_path(zone)}/{known.id}", body=body)
            return read_written(changed.get("result"))
        try:
            return read_written(self._http.call("POST", records_path(zone), body=body).get("result"))
        except Rejected as error:
            made = self._made_earlier(zone, record) if error.codes & THERE_ALREADY else None
            if made is None:
                raise
            return made

    def _made_earlier(self, zone: Zone, record: Record) -> LiveRecord | None:
        params: dict[str, str | int] = {"name": record.name, "type": record.type, "per_page": 100}
        items = self._http.call("GET", records_path(zone), params=params).get("result")
        found = [read_record(item) for item in (items if isinstance(items, list) else [])]
        return next((live for live in found if live.mark == self._owner and live.is_like(record)), None)

    def delete_record(self, zone: Zone, live: LiveRecord) -> None:
        """See Provider."""
        try:
            self._http.call("DELETE", f"{records_path(zone)}/{live.id}")
        except Rejected as error:
            if NO_SUCH_RECORD not in error.codes:
                raise

    def apply(self, zone: Zone, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        """See Provider."""
        return CloudflareBatches(self._http, self, zone, self._owner).apply(changes)

    def _all(self, path: str, per_page: int) -> list[dict[str, Any]]:
        """Every item of a listing, once. One that changes under our hands is unreadable."""
        found: dict[str, dict[str, Any]] = {}
        total: int | None = None
        seen = 0
        for page in range(1, MAX_PAGES):
            items, count = self._page(path, {"page": page, "per_page": per_page})
            seen += len(items)
            found |= {str(item.get("id")): item for item in items}
            if total not in (None, count) or len(found) < min(seen, count):
                raise Outage("The list at Cloudflare changed while it was read. It will be read again.")
            total = count
            if seen >= total:
                return list(found.values())
            if not items:
                raise Outage("Cloudflare's list is incomplete: fewer records came than it counts.")
        raise Outage("Cloudflare's list does not end.")

    def _page(self, path: str, params: dict[str, str | int]) -> tuple[list[dict[str, Any]], int]:
        """One page, and how many items there are on all of them."""
        try:
            envelope = self._http.call("GET", path, params=params)
        except Rejected as error:
            raise Denied(error.message, error.codes) from None
        items, count = envelope.get("result"), as_object(envelope.get("result_info")).get("total_count")
        if not isinstance(items, list) or not isinstance(count, int):
            raise Outage("Cloudflare's list could not be read: it is not in the expected form.")
        return [as_object(item) for item in items], count

    def probe(self, zone: Zone | None) -> list[Finding]:
        """See Provider."""
        return CloudflareProbe(self._http, self.list_zones, zone).run()
