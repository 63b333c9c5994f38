"""Saves settings: previews what would happen to records and hosts, then commits everything at once."""

import json
import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from webapp import vault
from webapp.db import reading, transaction, wake_worker_on_commit
from webapp.dns import ledger, switch
from webapp.dns.address_row import Watched, address_watch
from webapp.dns.connections import Connection
from webapp.dns.desired import Mode, Policy
from webapp.dns.records import Target, Zone
from webapp.dns.switch import Preview, Wanted
from webapp.errors import Busy, Stale
from webapp.proxy import service as proxies
from webapp.settings.models import SettingsDraft

DRAFT_LASTS = timedelta(minutes=30)


@dataclass(frozen=True)
class NpmWish:
    """Access to Nginx Proxy Manager as somebody wants it; `password` is None to keep the saved one."""

    url: str
    email: str
    password: str | None = field(repr=False)
    verify_tls: bool


@dataclass(frozen=True)
class SettingsWish:
    """Everything on the settings page, validated."""

    dns: Wanted
    npm: NpmWish
    watch_address: bool = False


@dataclass(frozen=True)
class Current:
    """The settings as they are, without secrets: what the form starts from."""

    version: int
    base_domain: str
    target: Target
    npm_url: str
    npm_email: str
    npm_password_saved: bool
    npm_verify_tls: bool
    mode: Mode
    provider: str
    token_saved: bool
    zone: Zone | None
    ttl: int
    proxied: bool
    policy: Policy
    watch: Watched


def current() -> Current:
    """Read the settings. After a change to the wildcard the last zone is still offered."""
    with transaction() as session:
        dns, npm = ledger.settings(session), proxies.npm_settings(session)
        latest = select(Connection).order_by(Connection.active.desc(), Connection.id.desc())
        connection = session.scalar(latest)
        return Current(
            version=dns.version,
            base_domain=dns.base_domain,
            target=dns.target,
            npm_url=npm.url,
            npm_email=npm.email,
            npm_password_saved=npm.password_sealed is not None,
            npm_verify_tls=npm.verify_tls,
            mode=dns.mode,
            provider=connection.provider if connection else "cloudflare",
            token_saved=connection is not None,
            zone=connection.zone if connection else None,
            ttl=dns.ttl,
            proxied=dns.proxied,
            policy=dns.policy,
            watch=address_watch(session).told,
        )


def preview(wish: SettingsWish) -> Preview:
    """What saving would do to records."""
    return switch.preview(wish.dns)


def save(wish: SettingsWish, *, version: int, at: datetime) -> None:
    """Save everything in one transaction. Raises Busy when the settings changed since `version`."""
    with transaction() as session:
        before = ledger.settings(session)
        proven = (before.mode, before.proxied)
        switch.commit(wish.dns, version=version, at=at)
        address_watch(session).switch(on=wish.watch_address)
        npm = proxies.npm_settings(session)
        if proven != (wish.dns.mode, wish.dns.proxied):  # hosts of proxied names carry a proof
            npm.read_at = npm.read_at and proxies.LONG_AGO
        moved = npm.url != wish.npm.url
        changed = moved or (npm.email, npm.verify_tls) != (wish.npm.email, wish.npm.verify_tls)
        npm.url, npm.email, npm.verify_tls = wish.npm.url, wish.npm.email, wish.npm.verify_tls
        if wish.npm.password is not None:
            npm.password_sealed = vault.seal(wish.npm.password)
        if not npm.url:
            npm.password_sealed = None
        if changed or wish.npm.password is not None:
            npm.error, npm.next_try_at, npm.read_at, npm.attempts = None, None, None, 0
            proxies.publish_again(session, moved=moved, at=at)
        session.execute(delete(SettingsDraft))
        wake_worker_on_commit()


def keep_draft(wish: SettingsWish, *, version: int, at: datetime) -> str:
    """Keep a wish, sealed, until its preview is confirmed. Returns the draft's id.

    Raises Stale when the settings changed since `version`.
    """
    draft = SettingsDraft(
        id=secrets.token_urlsafe(24),
        sealed=vault.seal(json.dumps(asdict(wish))),
        version=version,
        created_at=at,
    )
    with transaction() as session:
        if ledger.settings(session).version != version:
            raise Stale(
                "The settings were changed in the meantime. Reload the page and enter your changes again."
            )
        session.execute(delete(SettingsDraft).where(SettingsDraft.created_at < at - DRAFT_LASTS))
        session.add(draft)
        return draft.id


def confirm(draft_id: str, *, at: datetime) -> None:
    """Save the wish of a confirmed preview. Raises Busy when it is too old or something else was saved since."""
    with reading() as session:
        draft = session.get(SettingsDraft, draft_id)
        if draft is None or draft.created_at < at - DRAFT_LASTS:
            raise Busy("This preview is no longer current. Open the settings and save again.")
        sealed, version = draft.sealed, draft.version
    save(_wish(json.loads(vault.unseal(sealed))), version=version, at=at)


def _wish(raw: dict[str, Any]) -> SettingsWish:
    dns = raw["dns"]
    zone = Zone(**dns["zone"]) if dns["zone"] else None
    choices = {"mode": Mode(dns["mode"]), "policy": Policy(dns["policy"])}
    wanted = Wanted(**{**dns, **choices, "target": Target(**dns["target"]), "zone": zone})
    return SettingsWish(wanted, NpmWish(**raw["npm"]), raw.get("watch_address", False))
