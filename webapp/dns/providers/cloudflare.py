"""Records at Cloudflare: listing in large pages, changing in atomic batches, marking by comment."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import requests

from webapp.dns.changes import Change, Create, Delete, Update
from webapp.dns.providers.base import Finding, Outcome, by_name, perform
from webapp.dns.providers.cloudflare_http import NO_SUCH_RECORD, CloudflareHttp
from webapp.dns.providers.cloudflare_probe import CloudflareProbe
from webapp.dns.providers.cloudflare_wire import as_object, read_record, read_zone, record_body, records_path
from webapp.dns.records import LiveRecord, Record, Usage, Zone
from webapp.errors import Outage, Rejected

RECORDS_PER_PAGE = 5000
ZONES_PER_PAGE = 50
MAX_PAGES = 1000
BATCH = {"free": 200}
BATCH_PAID = 3500
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
    ) -> None:
        self._http = CloudflareHttp(api_url, credentials.get("token", ""), session)
        self._owner = owner

    def list_zones(self) -> list[Zone]:
        """See Provider. Of two zones with one name (moved between accounts) the active one counts."""
        found = [read_zone(item) for item in self._pages("/zones", ZONES_PER_PAGE)]
        found.sort(key=lambda zone: (zone.name, zone.status == "active"))
        return list({zone.name: zone for zone in found}.values())

    def list_records(self, zone: Zone) -> list[LiveRecord]:
        """See Provider."""
        items = self._pages(records_path(zone), RECORDS_PER_PAGE)
        records = {record.id: record for record in map(read_record, items)}
        return list(records.values())

    def usage(self, zone: Zone) -> Usage | None:
        """See Provider."""
        result = as_object(self._http.call("GET", f"{records_path(zone)}/usage").get("result"))
        quota = result.get("record_quota")
        return Usage(int(result.get("record_usage") or 0), quota if isinstance(quota, int) else None)

    def ensure_record(self, zone: Zone, record: Record, known: LiveRecord | None) -> LiveRecord:
        """See Provider. A create that was made after all on an earlier try is found and taken for done."""
        body = record_body(record, self._owner, known)
        if known:
            return read_record(
                self._http.call("PATCH", f"{records_path(zone)}/{known.id}", body=body).get("result")
            )
        try:
            return read_record(self._http.call("POST", records_path(zone), body=body).get("result"))
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
        """See Provider. A batch that is refused is split, so that each row gets its own answer."""
        groups = by_name(changes)
        for batch in _pack(groups, BATCH.get(zone.plan or "free", BATCH_PAID)):
            yield from self._batch(zone, batch)

    def _batch(self, zone: Zone, groups: list[list[Change]]) -> Iterator[list[Outcome]]:
        changes = [change for group in groups for change in group]
        if len(changes) == 1:
            yield [perform(self, zone, changes[0])]
            return
        try:
            envelope = self._http.call("POST", f"{records_path(zone)}/batch", body=self._batch_body(changes))
        except Rejected as error:
            if len(groups) == 1:
                yield [Outcome(change, error=error) for change in changes]
            else:
                middle = len(groups) // 2
                yield from self._batch(zone, groups[:middle])
                yield from self._batch(zone, groups[middle:])
            return
        yield _outcomes(changes, as_object(envelope.get("result")))

    def _batch_body(self, changes: Sequence[Change]) -> dict[str, list[dict[str, Any]]]:
        body: dict[str, list[dict[str, Any]]] = {"deletes": [], "patches": [], "posts": []}
        for change in changes:
            match change:
                case Delete():
                    body["deletes"].append({"id": change.live.id})
                case Update():
                    body["patches"].append(
                        {"id": change.live.id, **record_body(change.record, self._owner, change.live)}
                    )
                case Create():
                    body["posts"].append(record_body(change.record, self._owner, None))
        return {name: items for name, items in body.items() if items}

    def _pages(self, path: str, per_page: int) -> Iterator[dict[str, Any]]:
        """Every item of a listing. A count that changes under our hands makes the listing unreadable."""
        total: int | None = None
        seen = 0
        for page in range(1, MAX_PAGES):
            envelope = self._http.call("GET", path, params={"page": page, "per_page": per_page})
            items = envelope.get("result")
            info = as_object(envelope.get("result_info"))
            if not isinstance(items, list) or not isinstance(info.get("total_count"), int):
                raise Outage("Cloudflare's list could not be read: it is not in the expected form.")
            if total not in (None, info["total_count"]):
                raise Outage("The list at Cloudflare changed while it was read. It will be read again.")
            total = info["total_count"]
            seen += len(items)
            yield from map(as_object, items)
            if seen >= total:
                return
            if not items:
                raise Outage("Cloudflare's list is incomplete: fewer records came than it counts.")
        raise Outage("Cloudflare's list does not end.")

    def probe(self, zone: Zone | None) -> list[Finding]:
        """See Provider."""
        return CloudflareProbe(self._http, self.list_zones, zone).run()


def _pack(groups: list[list[Change]], limit: int) -> Iterator[list[list[Change]]]:
    """Groups filled into batches of at most `limit` changes; a group is never split."""
    batch: list[list[Change]] = []
    size = 0
    for group in groups:
        if batch and size + len(group) > limit:
            yield batch
            batch, size = [], 0
        batch.append(group)
        size += len(group)
    if batch:
        yield batch


def _outcomes(changes: Sequence[Change], result: Mapping[str, Any]) -> list[Outcome]:
    """Match the answer to the changes by what the records are: the order of its lists is not documented."""
    answered = [*(result.get("patches") or []), *(result.get("posts") or [])]
    by_key = {(r.name, r.type, r.content): r for r in map(read_record, answered)}
    outcomes = []
    for change in changes:
        if isinstance(change, Delete):
            outcomes.append(Outcome(change))
            continue
        live = by_key.get((change.record.name, change.record.type, change.record.content))
        if live is None:
            raise Outage("Cloudflare's answer leaves out a record that it made.", unconfirmed=True)
        outcomes.append(Outcome(change, live))
    return outcomes
