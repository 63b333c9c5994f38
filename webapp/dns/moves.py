"""Compares every claim with how it would be under other DNS settings. Changes nothing."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from webapp.dns import ledger
from webapp.dns.connections import Connection
from webapp.dns.desired import Defaults, Mode, Overrides, Policy
from webapp.dns.ledger import Consumer
from webapp.dns.models import ConsumerType, DnsRecord, Status
from webapp.dns.records import RecordType, Target, Zone, excludes


@dataclass(frozen=True)
class Wanted:
    """The DNS settings as somebody wants them. `credentials` is None to keep the saved ones."""

    mode: Mode
    policy: Policy
    base_domain: str
    target: Target
    ttl: int
    proxied: bool
    provider: str = "cloudflare"
    zone: Zone | None = None
    credentials: Mapping[str, str] | None = field(default=None, repr=False)

    @property
    def defaults(self) -> Defaults:
        """What every record is going to get."""
        return Defaults(self.target, self.ttl, self.proxied)


@dataclass(frozen=True)
class Claim:
    """One name of one consumer."""

    name: str
    overrides: Overrides
    consumer: Consumer


@dataclass
class Moves:
    """What happens to rows.

    `drops` go, `changes` stay in the new zone with another wish, `rests` stay without any zone, and `adds` are
    to be made. `outside` says for each name that the new zone cannot hold why that is;
    `newly_outside` are those of them that have been served until now.
    """

    drops: list[DnsRecord] = field(default_factory=list)
    changes: list[DnsRecord] = field(default_factory=list)
    rests: list[DnsRecord] = field(default_factory=list)
    adds: list[tuple[Claim, RecordType]] = field(default_factory=list)
    outside: dict[str, str] = field(default_factory=dict)
    newly_outside: list[str] = field(default_factory=list)


def compare(claimed: Iterable[DnsRecord], old: Defaults, new: Defaults, home: Connection | None) -> Moves:
    """What has to move so that all claims live in `home` (None: the wildcard serves them) with new defaults."""
    moves = Moves()
    for claim, rows in _claims(claimed):
        problem = ledger.outside(home, claim.name) if home is not None else None
        place = None if problem else home
        if problem:
            moves.outside[claim.name] = problem
        if problem and any(row.connection_id or row.status is Status.COVERED for row in rows):
            moves.newly_outside.append(claim.name)
        types = _types(claim, rows, place, new, outside=bool(problem))
        keep = {row.type: row for row in rows if _is_in(row, place) and row.type in types}
        moves.drops += [row for row in rows if keep.get(row.type) is not row]
        moves.adds += [(claim, kind) for kind in types if kind not in keep]
        if place is None:
            moves.rests += keep.values()
        else:
            moves.changes += [row for row in keep.values() if _differs(row, old, new)]
    return moves


def _types(
    claim: Claim, rows: Sequence[DnsRecord], place: Connection | None, new: Defaults, *, outside: bool
) -> tuple[RecordType, ...]:
    """The records a name needs there. One that was put back by hand is what it is, and does not move."""
    if claim.consumer.type is ConsumerType.PERSON:
        return tuple(row.type for row in rows if place is not None and _is_in(row, place))
    return (RecordType.A,) if outside else new.types


def _claims(rows: Iterable[DnsRecord]) -> Iterable[tuple[Claim, Sequence[DnsRecord]]]:
    grouped: dict[str, list[DnsRecord]] = {}
    for row in rows:
        grouped.setdefault(row.fqdn, []).append(row)
    for name, group in grouped.items():
        consumer = Consumer(group[0].consumer_type, group[0].consumer_id)
        yield Claim(name, group[0].overrides, consumer), group


def _is_in(row: DnsRecord, place: Connection | None) -> bool:
    """Whether the row is there already; nothing is in a zone that is not connected yet."""
    if place is None:
        return row.connection_id is None
    return place.id is not None and row.connection_id == place.id


def _differs(row: DnsRecord, old: Defaults, new: Defaults) -> bool:
    if row.consumer_type is ConsumerType.PERSON:
        return False
    return old.record(row.fqdn, row.type, row.overrides) != new.record(row.fqdn, row.type, row.overrides)


def made(moves: Moves, revived: Mapping[tuple[str, RecordType], DnsRecord], new: Defaults) -> tuple[int, int]:
    """How many records are made and how many changed; one that still waits for its removal is only kept.

    A name that is to have no record, as somebody put back, gets one again from the new settings.
    """
    creates = sum(row.is_absent for row in moves.changes)
    altered: list[DnsRecord] = list(moves.changes)
    for claim, kind in moves.adds:
        if claim.name in moves.outside:
            continue
        row = revived.get((claim.name, kind))
        if row is None or row.provider_record_id is None:
            creates += 1
        elif row.written != new.record(claim.name, kind, claim.overrides):
            altered.append(row)
    return creates, _existing(altered)


def has_gap(moves: Moves, home: Connection | None) -> bool:
    """Whether a name gets a record in the zone where another of its records has to go first."""
    going = [row for row in moves.drops if row.provider_record_id is not None and _is_in(row, home)]
    coming: dict[str, list[RecordType]] = {}
    for claim, kind in moves.adds:
        coming.setdefault(claim.name, []).append(kind)
    return any(excludes(row.type, kind) for row in going for kind in coming.get(row.fqdn, ()))


def removed(moves: Moves) -> int:
    """How many records are deleted; a row that never had one loses nothing at the provider."""
    return _existing(moves.drops)


def _existing(rows: Collection[DnsRecord]) -> int:
    return sum(row.provider_record_id is not None for row in rows)
