"""Many changes in few calls: Cloudflare's atomic batches, and what to do with one that is refused."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from webapp.dns.changes import Change, Create, Delete, Update
from webapp.dns.providers.base import Outcome, Provider, by_name, perform
from webapp.dns.providers.cloudflare_http import ZONE_FULL, CloudflareHttp
from webapp.dns.providers.cloudflare_wire import (
    PAID_PLANS,
    as_object,
    read_written,
    record_body,
    records_path,
)
from webapp.dns.records import LiveRecord, Zone, normal_content
from webapp.errors import Outage, Rejected

BATCH, BATCH_PAID = 200, 3500
"""Changes in one call; a plan that we do not know gets what every plan allows."""

Group = list[Change]
"""The changes of one name, which are never torn apart."""


class CloudflareBatches:
    """The changes of one zone; used once. `single` makes those that stand alone."""

    def __init__(self, http: CloudflareHttp, single: Provider, zone: Zone, owner: str) -> None:
        self._http, self._single, self._zone, self._owner = http, single, zone, owner
        self._limit = BATCH_PAID if zone.plan in PAID_PLANS else BATCH
        self._full: Rejected | None = None

    def apply(self, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        """See Provider. A batch that is refused is split, so that each row gets its own answer."""
        for batch in _pack(by_name(changes), self._limit):
            yield from self._batch(batch)

    def _batch(self, groups: list[Group]) -> Iterator[list[Outcome]]:
        if self._full is not None and (late := [c for group in groups for c in group if _is_new(group)]):
            yield [Outcome(change, error=self._full) for change in late]
            groups = [group for group in groups if not _is_new(group)]
        changes = [change for group in groups for change in group]
        if len(changes) == 1:
            yield [self._alone(changes[0])]
        elif changes:
            try:
                yield self._together(changes)
            except Rejected as error:
                yield from self._in_parts(groups, error)

    def _together(self, changes: Sequence[Change]) -> list[Outcome]:
        body = self._body(changes)
        envelope = self._http.call("POST", f"{records_path(self._zone)}/batch", body=body)
        return _outcomes(changes, as_object(envelope.get("result")))

    def _in_parts(self, groups: list[Group], error: Rejected) -> Iterator[list[Outcome]]:
        """Halve what was refused until the bad change stands alone; what makes room goes only with its maker."""
        if len(groups) > 1:
            middle = len(groups) // 2
            yield from self._batch(groups[:middle])
            yield from self._batch(groups[middle:])
        elif any(isinstance(change, Delete) for change in groups[0]):
            yield [Outcome(change, error=error) for change in groups[0]]
        else:
            for change in groups[0]:
                yield [self._alone(change)]

    def _alone(self, change: Change) -> Outcome:
        """By itself. Where there is no room for one more record, there is none for those after it."""
        outcome = perform(self._single, self._zone, change)
        if outcome.error is not None and ZONE_FULL in outcome.error.codes:
            self._full = outcome.error
        return outcome

    def _body(self, changes: Sequence[Change]) -> dict[str, list[dict[str, Any]]]:
        plan = self._zone.plan
        body: dict[str, list[dict[str, Any]]] = {"deletes": [], "patches": [], "posts": []}
        for change in changes:
            match change:
                case Delete(live=live):
                    body["deletes"].append({"id": live.id})
                case Update(record=record, live=live):
                    body["patches"].append({"id": live.id, **record_body(record, self._owner, live, plan)})
                case _:
                    body["posts"].append(record_body(change.record, self._owner, None, plan))
        return {name: items for name, items in body.items() if items}


def _is_new(group: Group) -> bool:
    """Whether it only adds records."""
    return all(isinstance(change, Create) for change in group)


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
    patched = {live.id: live for live in _written(result.get("patches"))}
    made = {
        (live.name, live.type, normal_content(live.type, live.content)): live
        for live in _written(result.get("posts"))
    }
    outcomes = []
    for change in changes:
        match change:
            case Delete():
                outcomes.append(Outcome(change))
                continue
            case Update():
                live = patched.get(change.live.id)
            case _:
                record = change.record
                live = made.get((record.name, record.type, record.content))
        if live is None:
            raise Outage("Cloudflare's answer leaves out a record that it made.", unconfirmed=True)
        outcomes.append(Outcome(change, live))
    return outcomes


def _written(items: object) -> list[LiveRecord]:
    return [read_written(item) for item in items] if isinstance(items, list) else []
