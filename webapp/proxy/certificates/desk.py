"""What a request needs besides Nginx Proxy Manager: wait for the record, put the certificate to use, tidy up."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.db import reading, transaction
from webapp.dns import challenge as challenges
from webapp.dns.names import is_covered
from webapp.proxy.certificates.holders import Keeper, Proxies, verdict
from webapp.proxy.certificates.models import CertificateRequest, Challenge, Holder, Phase

log = logging.getLogger(__name__)

Visible = Callable[[str], str | None]
"""Asks the zone's authoritative servers for a name: None when all have a record, else why it is not seen yet."""

ATTACH_EVERY = timedelta(seconds=1)
LOOK_EVERY = timedelta(seconds=10)
ASTRAY = (
    "Somebody changed the host in Nginx Proxy Manager. Say first what holds: restore ours, or accept theirs."
)
KEPT = timedelta(days=7)
"""Requests that were fulfilled are shown for so long."""

PATIENCE = (
    (timedelta(seconds=30), timedelta(seconds=2)),
    (timedelta(minutes=10), timedelta(seconds=10)),
    (timedelta(hours=2), timedelta(minutes=1)),
)
LATE = timedelta(minutes=10)


@dataclass
class Desk:
    """Looks at requests; `keepers` know what certificates are put to use at."""

    visible: Visible
    clock: Callable[[], datetime]
    keepers: Mapping[Holder, Keeper] = field(default_factory=lambda: {Holder.PROXY: Proxies()})

    def tidy(self) -> None:
        """Forget what nobody wants any more, and what was fulfilled long ago."""
        with reading() as session:
            gone = [
                row.id for row in session.scalars(select(CertificateRequest)) if self._is_over(session, row)
            ]
        if not gone:
            return
        with transaction() as session:
            for row in session.scalars(select(CertificateRequest).where(CertificateRequest.id.in_(gone))):
                if self._is_over(session, row):
                    session.delete(row)

    def _is_over(self, session: Session, row: CertificateRequest) -> bool:
        if row.in_flight:
            return False
        if row.phase is Phase.DONE:
            return row.updated_at + KEPT <= self.clock()
        return row.dropped or self._names(session, row) is None

    def go_on(self, request_id: int) -> None:
        """The next thing for a request that is due."""
        with reading() as session:
            row = session.get_one(CertificateRequest, request_id)
        if row.phase is Phase.WAITING:
            self._wait(row)
        elif row.phase is Phase.ATTACHING:
            self._attach(request_id)

    def _wait(self, row: CertificateRequest) -> None:
        with reading() as session:
            names = self._names(session, row) or ()
            lost = next((name for name in names if not holds(row.names, name)), None)
            http = row.challenge is Challenge.HTTP and row.renews is None
            problem = challenges.unready(session, row.names) if http else None
        if lost is not None:
            self._write(row.id, lambda row: row.turn_down(_other_name(lost), self.clock()))
            return
        if problem is None and http:
            problem = next((said for name in row.names if (said := self.visible(name))), None)
        at = self.clock()
        if problem is None:
            self._write(row.id, lambda row: row.go_on(Phase.REQUESTING, at))
        else:
            self._write(row.id, lambda row: row.put_off(problem, at + pause(at - row.created_at), at))

    def _attach(self, request_id: int) -> None:
        """Have the hosts switched to it, unless they have other names by now."""
        with transaction() as session:
            row, at = session.get_one(CertificateRequest, request_id, with_for_update=True), self.clock()
            names, keeper = self._names(session, row), self.keepers.get(row.holder)
            if names is None:
                return
            if keeper is None:
                row.finish(at)
            elif lost := next((name for name in names if not holds(row.names, name)), None):
                row.turn_down(_other_name(lost), at)
            elif row.before is None and self._is_astray(session, row, keeper):
                row.put_off(ASTRAY, at + LOOK_EVERY, at)
            elif row.before is None:
                row.before = keeper.encryption(session, row.holder_id or 0)
                new = {"certificate_id": row.certificate_id, **row.options}
                keeper.encrypt(session, row.holder_id or 0, row.before | new, at)
                row.put_off(None, at + ATTACH_EVERY, at)
            else:
                self._judge(session, row, keeper, row.before, at)

    def _is_astray(self, session: Session, row: CertificateRequest, keeper: Keeper) -> bool:
        return any(host.is_astray for host in keeper.hosts(session, row.holder_id or 0))

    def _judge(
        self, session: Session, row: CertificateRequest, keeper: Keeper, before: dict[str, Any], at: datetime
    ) -> None:
        """What became of the switch; what nginx refuses is taken back."""
        said = verdict(keeper.hosts(session, row.holder_id or 0))
        if said is None:
            row.put_off(None, at + ATTACH_EVERY, at)
        elif not said:
            row.finish(at)
        else:
            keeper.encrypt(session, row.holder_id or 0, before, at)
            message = "nginx refuses the host with the new certificate, so the old state is back."
            row.refuse(message, said, None, at)

    def _names(self, session: Session, row: CertificateRequest) -> tuple[str, ...] | None:
        """The names of what it is for; None when that is gone, none when it is for nothing in particular."""
        keeper = self.keepers.get(row.holder)
        if keeper is None:
            return ()
        names = keeper.names(session, row.holder_id or 0)
        return None if names is None else tuple(names)

    def _write(self, request_id: int, change: Callable[[CertificateRequest], object]) -> None:
        with transaction() as session:
            row = session.get(CertificateRequest, request_id)
            if row is not None and not row.dropped:
                change(row)


def _other_name(name: str) -> str:
    return f"The name is {name} by now, for which this certificate does not hold. Ask for another one."


def holds(certified: list[str], name: str) -> bool:
    """Whether a certificate for these names is good for the name (RFC 6125: a star is one label)."""
    return name in certified or any(is_covered(name, one[2:]) for one in certified if one.startswith("*."))


def pause(age: timedelta) -> timedelta:
    """How long to wait for a record between two looks: ever longer."""
    return next((every for until, every in PATIENCE if age < until), LATE)
