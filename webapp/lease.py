"""Leases: one process at a time works on a zone or a proxy manager, and another takes over when it dies."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask, current_app
from sqlalchemy import delete, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base, db, insert, now, transaction
from webapp.errors import Busy

log = logging.getLogger(__name__)

LENGTH = timedelta(seconds=15)
"""How long a lease outlives a process that dies. While it lives, a thread renews, however long a step takes."""


class Lease(Base):
    """Who may work on what, and until when."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]


@dataclass
class Held:
    """A lease that is held. `lost` once another process has taken it over, as after a long pause of this one."""

    name: str
    holder: str
    clock: Callable[[], datetime]
    length: timedelta
    lost: bool = False

    def __call__(self) -> None:
        """Renew it; to be called before each change. Raises Busy when another process has it."""
        with transaction() as session:
            mine = update(Lease).where(Lease.name == self.name, Lease.holder == self.holder)
            renewed = session.execute(mine.values(until=self.clock() + self.length))
        if renewed.rowcount == 0:  # type: ignore[attr-defined]
            self.lost = True
            raise Busy(f"Another process took over the work on {self.name}.")

    def let_go(self) -> None:
        """Give it up before the work is over: others may take it, and the next renewal raises Busy."""
        self.lost = True
        _give_back(self.name, self.holder)

    def keep(self, app: Flask, ended: threading.Event) -> None:
        """Renew it from time to time until the work has ended, or the lease is lost."""
        while not (ended.wait(self.length.total_seconds() / 4) or self.lost):
            with app.app_context():
                try:
                    self()
                except Busy:
                    log.warning("lease: another process took over the work on %s", self.name)
                except SQLAlchemyError:
                    log.exception("lease: %s could not be renewed; trying again", self.name)
                finally:
                    db.session.remove()


@contextmanager
def leased(
    name: str, holder: str, clock: Callable[[], datetime] = now, length: timedelta | None = None
) -> Iterator[Held]:
    """Hold the lease for the block; call what it yields before each change.

    Raises Busy when another holder has it, or has taken it over in the meantime.
    """
    held, ended = Held(name, holder, clock, length or LENGTH), threading.Event()
    _take(name, holder, clock(), held.length)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    keeper = threading.Thread(target=held.keep, args=(app, ended), name=f"lease {name}", daemon=True)
    keeper.start()
    try:
        yield held
    finally:
        ended.set()
        keeper.join()
        _give_back(name, holder)


def _take(name: str, holder: str, at: datetime, length: timedelta) -> None:
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


def _give_back(name: str, holder: str) -> None:
    with transaction() as session:
        session.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))
