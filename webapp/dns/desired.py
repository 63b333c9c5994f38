"""Which record a claimed name should have, given the target and the defaults. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from webapp.dns.records import AUTO_TTL, Record, RecordType, Target, wanted


class Mode(StrEnum):
    """How names come into DNS: a wildcard record that exists already, or one record each, kept by us."""

    WILDCARD = "wildcard"
    MANAGED = "managed"


class Policy(StrEnum):
    """What may happen to records of ours that nothing uses any more."""

    FULL = "full"
    KEEP = "keep"


@dataclass(frozen=True)
class Overrides:
    """What one name wants differently from the defaults; None means the default. TTL in seconds."""

    proxied: bool | None = None
    ttl: int | None = None


@dataclass(frozen=True)
class Defaults:
    """What every record gets unless its name says otherwise."""

    target: Target
    ttl: int = AUTO_TTL
    proxied: bool = False

    @property
    def types(self) -> tuple[RecordType, ...]:
        """The types each name needs. Without a target a name still has its row, as an A record to be."""
        return tuple(self.contents) or (RecordType.A,)

    @cached_property
    def contents(self) -> dict[RecordType, str]:
        """The target's content for each type."""
        return self.target.contents()

    def record(self, name: str, kind: RecordType, overrides: Overrides) -> Record:
        """The wanted record; its content is empty while there is no target for the type."""
        content = self.contents.get(kind, "")
        proxied = self.proxied if overrides.proxied is None else overrides.proxied
        return wanted(name, kind, content, overrides.ttl or self.ttl, proxied)
