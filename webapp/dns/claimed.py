"""What a claim's row says, whether it was read as an object or, among thousands, as bare columns. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from webapp.dns.changes import Answer, Wish
from webapp.dns.desired import Defaults, Overrides
from webapp.dns.records import AUTO_TTL, Record, RecordType, wanted

NO_RECORD: dict[str, Any] = {"absent": True}
"""The pin of a name that is claimed and, as somebody decided, has no record."""


class ConsumerType(StrEnum):
    """Who can claim names. A person holds those whose deletion was undone."""

    INSTANCE = "instance"
    STANDALONE = "standalone"
    PERSON = "person"


class Columns(Protocol):
    """The columns of `DnsRecord` that say which record is meant; see there."""

    @property
    def fqdn(self) -> str: ...
    @property
    def type(self) -> RecordType: ...
    @property
    def override_proxied(self) -> bool | None: ...
    @property
    def override_ttl(self) -> int | None: ...
    @property
    def wanted(self) -> bool: ...
    @property
    def written_content(self) -> str | None: ...
    @property
    def written_ttl(self) -> int | None: ...
    @property
    def written_proxied(self) -> bool | None: ...
    @property
    def pin(self) -> dict[str, Any] | None: ...
    @property
    def overrides(self) -> Overrides: ...


class Claimed:
    """What follows from the columns."""

    @property
    def overrides(self: Columns) -> Overrides:
        """What this name wants differently from the defaults."""
        return Overrides(self.override_proxied, self.override_ttl)

    @property
    def written(self: Columns) -> Record | None:
        """What we last wrote or saw at the provider."""
        if self.written_content is None:
            return None
        return Record(
            self.fqdn, self.type, self.written_content, self.written_ttl or AUTO_TTL,
            bool(self.written_proxied),
        )  # fmt: skip

    @property
    def is_absent(self: Columns) -> bool:
        """Whether the name is claimed and is to have no record."""
        return self.wanted and self.pin == NO_RECORD

    def record(self: Columns, defaults: Defaults) -> Record:
        """The wanted record: what somebody put back, else what the settings say."""
        pin = self.pin
        if pin and pin != NO_RECORD:
            return wanted(self.fqdn, self.type, pin["content"], pin["ttl"], pin["proxied"])
        return defaults.record(self.fqdn, self.type, self.overrides)


@dataclass(slots=True)
class ClaimRow(Claimed):
    """A row as bare columns, with who is behind it."""

    id: int
    fqdn: str
    type: RecordType
    consumer_type: ConsumerType
    consumer_id: int
    override_proxied: bool | None
    override_ttl: int | None
    wanted: bool
    provider_record_id: str | None
    written_content: str | None
    written_ttl: int | None
    written_proxied: bool | None
    answer: Answer | None
    answered: str
    approved: bool
    pin: dict[str, Any] | None
    version: int
    asked_by: str
    asked_for: str

    def wish(self, defaults: Defaults, *, held: bool = False) -> Wish:
        """The row as the planner sees it."""
        return Wish(
            row=self.id,
            version=self.version,
            record=self.record(defaults),
            wanted=self.wanted and not self.is_absent,
            live_id=self.provider_record_id,
            written=self.written,
            answer=self.answer,
            answered=self.answered,
            approved=self.approved,
            held=held,
        )
