"""Certificates, as people want them: asked for, tried again, forgotten, renewed. Writes wishes; `certifier` acts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.db import transaction, wake_worker_on_commit
from webapp.dns import challenge as challenges
from webapp.dns.names import readable
from webapp.errors import Busy, InvalidInput, NotFound
from webapp.proxy.certificates.models import (
    TRIES,
    CertificateRequest,
    Challenge,
    Holder,
    Phase,
    failed_lately,
)
from webapp.proxy.service import MOST_ID, npm_settings, npm_settings_or_none

FRESH = timedelta(days=30)
"""A certificate that lasts longer needs no second one; NPM renews from then on, too."""

MOST_NAMES = 100


@dataclass(frozen=True)
class CertificateWish:
    """A certificate as somebody wants it, validated; `options` are the flags its holder gets with it."""

    names: tuple[str, ...]
    challenge: Challenge
    holder: Holder = Holder.NOBODY
    holder_id: int | None = None
    options: Mapping[str, bool] = field(default_factory=dict)


def ask(wish: CertificateWish, *, at: datetime) -> CertificateRequest:
    """Wish for a certificate. A good one that is there for exactly these names is put to use instead.

    A holder has one open request at most: a new one takes its place. Raises InvalidInput for names that the
    challenge cannot prove, and for nobody in particular Busy where it is there, or being asked for.
    """
    names = sorted(set(wish.names))
    with transaction() as session:
        _check(session, names, wish.challenge)
        there = existing(npm_settings(session).certificates, names, at)
        if there and wish.holder is Holder.NOBODY:
            raise Busy(f"Nginx Proxy Manager has a certificate for {said(names)} already. Renew it instead.")
        if wish.holder is not Holder.NOBODY:
            give_up(session, wish.holder, [wish.holder_id or 0])
        elif any(row.names == names and not row.dropped for row in open_requests(session)):
            raise Busy(f"A certificate for {said(names)} is being asked for already.")
        row = CertificateRequest(
            names=names, challenge=wish.challenge, holder=wish.holder, holder_id=wish.holder_id,
            options=dict(wish.options), created_at=at,
        )  # fmt: skip
        row.go_on(Phase.WAITING, at) if there is None else row.got(there["id"], at)
        session.add(row)
        wake_worker_on_commit()
        return row


def renew(certificate_id: int, *, at: datetime) -> CertificateRequest:
    """Wish for a new certificate in place of one of Let's Encrypt. Raises NotFound, InvalidInput, Busy."""
    with transaction() as session:
        facts = next((c for c in npm_settings(session).certificates if c["id"] == certificate_id), None)
        if facts is None:
            raise NotFound("Nginx Proxy Manager has no such certificate, as last read.")
        if facts.get("provider") != "letsencrypt":
            raise InvalidInput("Only certificates of Let's Encrypt can be renewed. Upload a new one there.")
        if any(row.renews == certificate_id for row in open_requests(session)):
            raise Busy("This certificate is being renewed already.")
        way = Challenge.DNS if facts.get("dns") else Challenge.HTTP
        row = CertificateRequest(
            names=sorted(facts["domains"]), challenge=way, renews=certificate_id, certificate_id=certificate_id,
            created_at=at, holder=Holder.NOBODY, options={},
        )  # fmt: skip
        row.go_on(Phase.REQUESTING, at)
        session.add(row)
        wake_worker_on_commit()
        return row


def retry(request_id: int, *, at: datetime) -> CertificateRequest:
    """Try again now, from the first try on. Raises NotFound, and Busy where Let's Encrypt would only refuse."""
    with transaction() as session:
        row = get(session, request_id)
        if row.phase is Phase.DONE:
            raise Busy("This certificate is there already.")
        failed = failed_lately(row.failures or [], at)
        if len(failed) >= TRIES:
            until = (failed[0] + timedelta(hours=1)).strftime("%H:%M UTC")
            raise Busy(
                f"Let's Encrypt takes five failed tries for a name in an hour. Try again after {until}."
            )
        row.attempts = 0
        row.go_on(Phase.WAITING if row.phase is Phase.FAILED else row.phase, at)
        npm_settings(session).next_try_at = None
        wake_worker_on_commit()
        return row


def forget(request_id: int) -> CertificateRequest:
    """Cancel or forget a request; a certificate that is there stays. Raises NotFound.

    One that NPM may be at is dropped: the row goes when it is known that nothing is left behind.
    """
    with transaction() as session:
        row = get(session, request_id)
        _drop(session, row)
        return row


def give_up(session: Session, holder: Holder, ids: Iterable[int]) -> None:
    """Forget the open requests of these holders: they chose something else."""
    for row in of_holders(session, holder, ids).values():
        _drop(session, row)


def _drop(session: Session, row: CertificateRequest) -> None:
    """Delete it, or mark it where NPM may be at it: which of the two has to be true when it is written."""
    session.refresh(row, with_for_update=True)
    if not row.in_flight:
        session.delete(row)
        return
    row.dropped = True
    wake_worker_on_commit()


def _check(session: Session, names: Sequence[str], challenge: Challenge) -> None:
    if not 0 < len(names) <= MOST_NAMES:
        raise InvalidInput(f"A certificate holds 1 to {MOST_NAMES} names.", "names")
    if challenge is Challenge.DNS:
        challenges.connected(session, names)
    elif any(name.startswith("*.") for name in names):
        raise InvalidInput(
            "Let's Encrypt gives out wildcard certificates for the DNS challenge only.", "challenge"
        )


def existing(
    certificates: Iterable[dict[str, Any]], names: Sequence[str], at: datetime
) -> dict[str, Any] | None:
    """A certificate of Let's Encrypt for exactly these names that lasts, as last read."""
    for facts in certificates:
        expires = datetime.fromisoformat(facts["expires_on"]) if facts["expires_on"] else at
        automatic = facts.get("provider") == "letsencrypt" and facts.get("made", True)
        if automatic and sorted(facts["domains"]) == list(names) and expires - at > FRESH:
            return facts
    return None


def get(session: Session, request_id: int) -> CertificateRequest:
    """The request with that id. Raises NotFound."""
    row = session.get(CertificateRequest, request_id) if request_id <= MOST_ID else None
    if row is None or row.dropped:
        raise NotFound("There is no such request. It may have been forgotten.")
    return row


def requests(session: Session) -> Sequence[CertificateRequest]:
    """All requests, the latest first."""
    query = select(CertificateRequest).where(~CertificateRequest.dropped)
    return session.scalars(query.order_by(CertificateRequest.id.desc())).all()


def open_requests(session: Session) -> list[CertificateRequest]:
    """What is not over yet, the oldest first; dropped ones included."""
    query = select(CertificateRequest).order_by(CertificateRequest.id)
    return [row for row in session.scalars(query) if row.is_open or row.in_flight]


def of_holders(session: Session, holder: Holder, ids: Iterable[int]) -> dict[int, CertificateRequest]:
    """The requests of these holders that are not done, by holder, in one query."""
    query = select(CertificateRequest).where(
        CertificateRequest.holder == holder,
        CertificateRequest.holder_id.in_(list(ids)),
        CertificateRequest.phase != Phase.DONE,
        ~CertificateRequest.dropped,
    )
    return {row.holder_id or 0: row for row in session.scalars(query.order_by(CertificateRequest.id))}


def certificates(session: Session) -> list[dict[str, Any]]:
    """What NPM has, as last read."""
    settings = npm_settings_or_none(session)
    return list(settings.certificates) if settings else []


def said(names: Sequence[str]) -> str:
    """Names for a sentence."""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{readable(names[0])}{more}"
