"""One zone at each provider, with the same verbs for somebody who acts beside the panel."""

from collections.abc import Sequence
from typing import Any, Protocol

from webapp.dns.changes import Change, Wish
from webapp.dns.plan import plan
from webapp.dns.providers.base import Outcome, Provider
from webapp.dns.providers.cloudflare import Cloudflare
from webapp.dns.providers.memory import ACCOUNTS, Account, Memory
from webapp.dns.records import LiveRecord, Record, RecordType, Zone, wanted
from webapp.sandbox.cloudflare import CloudflareStandIn

TOKEN = "cfut_" + "a" * 40
OWNER = "forge-1"
ZONE = "example.com"


class World(Protocol):
    """What the contract needs of a provider's surroundings."""

    @property
    def provider(self) -> Provider:
        """The provider under test."""

    @property
    def zone(self) -> Zone:
        """The zone that everything happens in."""

    def put(
        self, name: str, kind: str, content: str, mark: str | None = None, note: str = "", **fields: Any
    ) -> None:
        """Somebody makes a record, with another installation's mark or a note of their own."""

    def edit(self, live: LiveRecord, **fields: Any) -> None:
        """Somebody changes a record."""

    def delete(self, live: LiveRecord) -> None:
        """Somebody deletes a record."""

    def add_zone(self, name: str) -> None:
        """One more zone that the credentials can see."""

    def fill(self, quota: int) -> None:
        """Allow no more than so many records in the zone."""

    def break_down(self) -> None:
        """The provider does not answer any more."""

    def forbid(self) -> None:
        """The credentials may read, but not write."""

    def revoke(self) -> None:
        """The credentials are not valid any more."""

    @property
    def writes(self) -> int:
        """How many changing calls were accepted."""


class MemoryWorld:
    """The provider in memory."""

    def __init__(self) -> None:
        self.account = ACCOUNTS[TOKEN] = Account()
        self.zone = self.account.add_zone(ZONE)
        self.provider = Memory(credentials={"token": TOKEN}, owner=OWNER)

    def put(
        self, name: str, kind: str, content: str, mark: str | None = None, note: str = "", **fields: Any
    ) -> None:
        self.account.put_by_hand(self.zone, name, kind, content, mark=mark, note=note, **fields)

    def edit(self, live: LiveRecord, **fields: Any) -> None:
        self.account.edit_by_hand(self.zone, live.id, **fields)

    def delete(self, live: LiveRecord) -> None:
        del self.account.records[self.zone.id][live.id]

    def add_zone(self, name: str) -> None:
        self.account.add_zone(name)

    def fill(self, quota: int) -> None:
        self.account.quota = quota

    def break_down(self) -> None:
        self.account.broken = True

    def forbid(self) -> None:
        self.account.read_only = True

    def revoke(self) -> None:
        del ACCOUNTS[TOKEN]

    @property
    def writes(self) -> int:
        return self.account.writes


class CloudflareWorld:
    """Cloudflare, spoken to over HTTP."""

    def __init__(self, standin: CloudflareStandIn) -> None:
        self.standin = standin
        self.standin.add_token(TOKEN)
        self.zone = Zone(standin.add_zone(ZONE), ZONE, plan="free")
        self.provider = Cloudflare(credentials={"token": TOKEN}, owner=OWNER, api_url=standin.url)

    def put(
        self, name: str, kind: str, content: str, mark: str | None = None, note: str = "", **fields: Any
    ) -> None:
        comment = f"tiny-forge:{mark} {note}".strip() if mark else note
        self.standin.put_by_hand(name, kind, content, comment=comment, **fields)

    def edit(self, live: LiveRecord, **fields: Any) -> None:
        self.standin.edit_by_hand(live.id, **fields)

    def delete(self, live: LiveRecord) -> None:
        self.standin.delete_by_hand(live.id)

    def add_zone(self, name: str) -> None:
        self.standin.add_zone(name)

    def fill(self, quota: int) -> None:
        self.standin._api.zones[self.zone.id].records.quota = quota

    def break_down(self) -> None:
        self.standin.stop()

    def forbid(self) -> None:
        self.standin.add_token(TOKEN, permissions=("zone:read", "dns:read"))

    def revoke(self) -> None:
        self.standin.add_token(TOKEN, status="disabled")

    @property
    def writes(self) -> int:
        return self.standin.writes


def record(name: str, kind: str = "A", content: str = "192.0.2.1", **fields: Any) -> Record:
    """A wanted record; a name without a dot is in the zone."""
    return wanted(name if "." in name else f"{name}.{ZONE}", RecordType(kind), content, **fields)


def ensured(world: World, *records: Record) -> list[LiveRecord]:
    """The records, created one by one."""
    return [world.provider.ensure_record(world.zone, item, None) for item in records]


def listed(world: World) -> dict[tuple[str, str], LiveRecord]:
    """The zone by name and type."""
    return {(live.name, live.type): live for live in world.provider.list_records(world.zone)}


def applied(world: World, changes: Sequence[Change]) -> list[Outcome]:
    """All outcomes of some changes."""
    return [outcome for part in world.provider.apply(world.zone, changes) for outcome in part]


def reconciled(world: World, wishes: Sequence[Wish]) -> int:
    """List, plan, apply; returns how many changes there were."""
    changes = plan(wishes, world.provider.list_records(world.zone), OWNER).changes
    applied(world, changes)
    return len(changes)
