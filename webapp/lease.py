"""Leases: one process at a time works on a zone or a proxy manager, and another takes over when it dies."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, db, now, transaction
from webapp.errors import Busy

LENGTH = timedelta(seconds=30)


class Lease(Base):
    """Who may work on what, and until when."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]


@contextmanager
def leased(
    name: str, holder: str, clock: Callable[[], datetime] = now, length: timedelta = LENGTH
) -> Iterator[Callable[[], None]]:
    """Hold the lease for the block and yield the function that renews it; call that before each slow step.

    Raises Busy when another holder has it, or has taken it over in the meantime.
    """
    _take(name, holder, clock(), length)
    try:
        yield lambda: _renew(name, holder, clock(), length)
    finally:
        with transaction() as session:
            session.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))


def _take(name: str, holder: str, at: datetime, length: timedelta) -> None:
    insert = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    claim = insert(Lease).values(name=name, holder=holder, until=at + length)
    with transaction() as session:
        taken = session.execute(
            claim.on_conflict_do_update(
                index_elements=[Lease.name],
                set_={"holder": holder, "until": at + length},
                where=Lease.until < at,
            ).returning(Lease.holder)
        ).scalar_one_or_none()
    if taken is None:
        raise Busy(f"Another process is at work on {name} right now. Try again in a moment.")


def _renew(name: str, holder: str, at: datetime, length: timedelta) -> None:
    with transaction() as session:
        renewed = session.execute(
            update(Lease).where(Lease.name == name, Lease.holder == holder).values(until=at + length)
        )
    if renewed.rowcount == 0:  # type: ignore[attr-defined]
        raise Busy(f"Another process took over the work on {name}.")
