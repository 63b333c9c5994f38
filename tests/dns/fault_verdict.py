"""Says what is wrong after a fault is over: with the records, with the claims, or with the journal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tests.dns.logged_cloudflare import Facts, said
from webapp.db import reading
from webapp.dns import ledger
from webapp.dns.journal import RecordChange, Result
from webapp.dns.models import DnsRecord

if TYPE_CHECKING:
    from tests.dns.fault_world import FaultWorld


def wrong(world: FaultWorld) -> list[str]:
    """What is not as it should be, in words; empty when all is."""
    return [*_records(world), *_theirs(world), *_claims(world), *_journal(world)]


def found(world: FaultWorld, place: str) -> Counter[Facts]:
    """What the records there say that are not somebody else's for good."""
    if place != "memory":
        return Counter(said(r) for r in world.standin.records(place) if r["id"] not in world.theirs)
    return Counter((r.name, r.type, r.content, r.ttl, r.proxied) for r in world.panel.records())


def _records(world: FaultWorld) -> list[str]:
    """Each zone holds what is wished, with our mark, and nothing else of ours."""
    problems = []
    for place in {*world.places.values()}:
        wanted = Counter(
            (*key.split(), content, 1, False) for key, content in world.wanted.get(place, {}).items()
        )
        if found(world, place) != wanted:
            problems.append(f"ours at {place}: {sorted(found(world, place))}")
    return problems


def _theirs(world: FaultWorld) -> list[str]:
    """What is not ours is byte for byte what it was."""
    zones = {"example.com"} | {place for place in world.places.values() if place != "memory"}
    ours = {record["id"] for zone in zones for record in world.ours(zone)}
    there = {r["id"]: r for zone in zones for r in world.standin.records(zone) if r["id"] not in ours}
    return [] if there == world.theirs else [f"theirs: {there}"]


def _claims(world: FaultWorld) -> list[str]:
    """No wish is lost, and each row knows its record."""
    with reading() as session:
        rows = ledger.wanted(session)
        claimed = {row.fqdn for row in rows}
    ids = {row.provider_record_id for row in rows} - {None}
    there = {r["id"] for place in world.places.values() if place != "memory" for r in world.ours(place)}
    there |= {record.id for record in world.panel.records()}
    problems = [] if claimed == world.claimed else [f"claimed: {claimed}"]
    with reading() as session:
        left = session.scalars(select(DnsRecord).where(~DnsRecord.wanted)).all()
    return problems + ([] if ids == there and not left else [f"rows know {ids}, there is {there}"])


def _journal(world: FaultWorld) -> list[str]:
    """Every change that was made is written down exactly once, and the entries tell the whole story."""
    with reading() as session:
        query = select(RecordChange).where(RecordChange.id > world.first_entry)
        entries = session.scalars(query).all()
    problems = [f"under way: {e.fqdn}" for e in entries if e.result is Result.UNDER_WAY]
    done: dict[str, list[tuple[Facts, Facts]]] = {place: [] for place in world.places.values()}
    for entry in entries:
        if entry.result is Result.DONE:
            done[world.places[entry.connection_id]].append(_told(entry))
    at_cloudflare = Counter(told for place, some in done.items() if place != "memory" for told in some)
    if at_cloudflare != Counter(world.standin.accepted):
        problems.append(f"journal: {at_cloudflare}, accepted: {world.standin.accepted}")
    if len(done.get("memory", [])) != world.panel.account.writes:
        problems.append(f"journal: {done['memory']}, accepted {world.panel.account.writes} in memory")
    stories = [
        f"replayed at {place}: {some}" for place, some in done.items() if not _adds_up(world, place, some)
    ]
    return problems + stories


def _told(entry: RecordChange) -> tuple[Facts, Facts]:
    return _facts(entry.fqdn, entry.before), _facts(entry.fqdn, entry.after)


def _facts(name: str, facts: dict[str, Any] | None) -> Facts:
    return None if facts is None else (name, *(facts[key] for key in ("type", "content", "ttl", "proxied")))


def _adds_up(world: FaultWorld, place: str, done: list[tuple[Facts, Facts]]) -> bool:
    """Whether the entries lead from what there was to what there is."""
    state = Counter(world.began_with[place])
    for before, after in done:
        state.update([after] if after else [])
        state.subtract([before] if before else [])
    return +state == found(world, place) and min(state.values(), default=0) >= 0
