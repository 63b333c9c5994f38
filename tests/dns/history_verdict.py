"""What has to be true of an installation once everybody has come to rest: all that it was asked for, and no more."""

from collections import Counter
from collections.abc import Iterable, Sequence

from tests.dns.history_guard import Facts, said
from tests.dns.history_install import Install
from webapp.dns.connections import Connection
from webapp.dns.desired import Mode, Policy
from webapp.dns.models import ConsumerType, DnsRecord, Status
from webapp.dns.names import is_within
from webapp.dns.records import LiveRecord, Zone

BY_HAND = "h"
Wished = set[tuple[Facts, int, bool]]


def is_quiet(rows: Iterable[DnsRecord], connections: Iterable[Connection]) -> bool:
    """Whether nothing waits for time, or for a person; names outside the zone wait for ever."""
    placed = [row for row in rows if row.connection_id]
    settled = all(row.wanted and row.status in {Status.SYNCED, Status.ABSENT} for row in placed)
    return settled and all(c.active and not c.blocked and not c.review_state for c in connections)


def check(installs: Sequence[Install]) -> None:
    """Raise AssertionError where a law does not hold."""
    wished: Counter[tuple[str, str, str]] = Counter()
    for install in installs:
        _has_come_true(install)
        if zone := install.panel.wish.zone:
            records = _wished(install, install.look()[0], zone)
            wished.update({(zone.id, name, type) for (name, type, _), _, _ in records})
    assert not [place for place, holders in wished.items() if holders > 1], "a name has two holders"


def _has_come_true(install: Install) -> None:
    rows, connections = install.look()
    assert is_quiet(rows, connections), [(r.fqdn, str(r.type), str(r.status), r.error) for r in rows]
    assert _asked(install) == {(r.consumer_id, r.fqdn) for r in rows if r.wanted and not _is_put_back(r)}
    active = install.panel.wish.zone if install.panel.wish.mode is Mode.MANAGED else None
    for _, zone in install.places:
        if active and zone.id == active.id:
            _is_as_wished(install, rows, zone)
        elif zone.id in install.connected:
            ours = [r for r in install.ours(zone.id) if not r.id.startswith(BY_HAND)]
            assert [r for r in ours if r.id not in install.spared] == []


def _is_put_back(row: DnsRecord) -> bool:
    return row.consumer_type is ConsumerType.PERSON


def _asked(install: Install) -> set[tuple[int, str]]:
    return {(consumer, name) for consumer, (names, _) in install.claims.items() for name in names}


def _is_as_wished(install: Install, rows: Iterable[DnsRecord], zone: Zone) -> None:
    """Ours is what is wished; who asked for nothing to be deleted keeps other names, too."""
    ours, wished = install.ours(zone.id), _wished(install, rows, zone)
    if install.panel.wish.policy is Policy.KEEP:
        names = {name for (name, _, _), _, _ in wished}
        ours = [record for record in ours if record.name in names]
    assert {_facts(record) for record in ours} == wished


def _facts(record: LiveRecord) -> tuple[Facts, int, bool]:
    return (record.name, record.type, record.content), record.ttl, record.proxied


def _wished(install: Install, rows: Iterable[DnsRecord], zone: Zone) -> Wished:
    """The records that have to be there: what was asked for, and what was put back since."""
    defaults, pins = install.panel.wish.defaults, {(r.fqdn, r.type): r for r in rows if r.wanted}
    records = [
        row.record(defaults) if (row := pins.get((name, kind))) and row.pin else
        defaults.record(name, kind, overrides)
        for names, overrides in install.claims.values()
        for name in names if is_within(name, zone.name)
        for kind in defaults.types
        if not ((row := pins.get((name, kind))) and row.is_absent)
    ]  # fmt: skip
    records += [row.record(defaults) for row in pins.values() if _is_put_back(row)]
    return {(said(record), record.ttl, record.proxied) for record in records}
