"""The row behind the watch for the public address: whether it is wanted, and what was seen last."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, Session, mapped_column

from webapp.db import Base, only_row
from webapp.dns.following import Candidate


@dataclass(frozen=True)
class Watched:
    """What people are told of the watch. `looked_at` is None before the first look."""

    enabled: bool = False
    looked_at: datetime | None = None
    message: str = ""


class AddressWatch(Base):
    """One row. `new_*` is an address that was seen and has to be seen again, `new_*_at` when that was first."""

    __tablename__ = "dns_address_watch"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    enabled: Mapped[bool] = mapped_column(default=False)
    looked_at: Mapped[datetime | None]
    message: Mapped[str] = mapped_column(String(500), default="")
    new_ipv4: Mapped[str | None] = mapped_column(String(15))
    new_ipv4_at: Mapped[datetime | None]
    new_ipv6: Mapped[str | None] = mapped_column(String(45))
    new_ipv6_at: Mapped[datetime | None]

    @property
    def told(self) -> Watched:
        """The part for people."""
        return Watched(self.enabled, self.looked_at, self.message)

    def switch(self, *, on: bool) -> None:
        """Turn it on or off; turned on, it begins from nothing, and soon."""
        if self.enabled != on:
            self.enabled, self.looked_at, self.message = on, None, ""
            self.remember({})

    def candidate(self, version: int) -> Candidate | None:
        """The new address of that IP version that was seen."""
        address, since = getattr(self, f"new_ipv{version}"), getattr(self, f"new_ipv{version}_at")
        return Candidate(address, since) if address and since else None

    def remember(self, candidates: dict[int, Candidate | None]) -> None:
        """These were seen, and no others."""
        for version in (4, 6):
            seen = candidates.get(version)
            setattr(self, f"new_ipv{version}", seen and seen.address)
            setattr(self, f"new_ipv{version}_at", seen and seen.since)


def address_watch(session: Session) -> AddressWatch:
    """The one row; made, turned off, where there is none yet."""
    return only_row(session, AddressWatch)
