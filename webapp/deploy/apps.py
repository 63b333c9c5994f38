"""Apps and their instances, as people want them: added and changed. Deploys are in `service`."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp import vault
from webapp.db import transaction
from webapp.deploy import rows
from webapp.deploy.engine import Mount, MountKind
from webapp.deploy.health import Check
from webapp.deploy.models import App, Instance
from webapp.deploy.recipe import Recipe
from webapp.dns import claims, ledger
from webapp.dns.desired import Mode
from webapp.dns.names import Fqdn
from webapp.errors import Busy, InvalidInput, Stale
from webapp.proxy import instances
from webapp.proxy.models import OPTIONS, HostOptions

FIRST_INSTANCE = "prod"
Then = Callable[[App], None]
"""What else belongs to a change."""


@dataclass(frozen=True)
class Secret:
    """A value that is sealed; None keeps the one that is saved."""

    key: str
    value: str | None = field(repr=False)


@dataclass(frozen=True)
class AppWish:
    """An app as somebody wants it, validated.

    `recipe` has the plain part of the environment, `secrets` the rest. `registry_password` None keeps the saved
    one; it goes with a blank `registry_user`. `options` are those of the proxy hosts, by name.
    """

    slug: str
    subdomain: str
    recipe: Recipe
    secrets: tuple[Secret, ...]
    versions_kept: int
    registry_user: str
    registry_password: str | None = field(repr=False)
    options: dict[str, Any]


def add_app(wish: AppWish, name: Fqdn, *, then: Then = lambda _app: None, at: datetime) -> App:
    """A new app with its first instance, which has this name. Raises Busy for a slug or name in use."""
    with transaction() as session:
        if session.scalar(select(App.id).where(App.slug == wish.slug)) is not None:
            raise InvalidInput(f"There is an app called {wish.slug} already. Choose another name.", "slug")
        app = App(created_at=at, updated_at=at, version=0)
        _write(app, wish, at)
        session.add(app)
        session.flush()
        _add_instance(session, app, FIRST_INSTANCE, "", name, at)
        then(app)
        return app


def change_app(
    app_id: int, wish: AppWish, *, version: int | None = None, then: Then = lambda _app: None, at: datetime
) -> App:
    """Change an app. Options of its hosts take effect at once, the rest with the next deploy.

    Raises NotFound, and Stale for a page that is out of date. The slug stays as it is.
    """
    with transaction() as session:
        app = rows.app(session, app_id)
        if version is not None and app.version != version:
            raise Stale("This app was changed in the meantime. Reload the page and enter your changes again.")
        before = {name: getattr(app, name) for name in OPTIONS}
        _write(app, replace(wish, slug=app.slug), at)
        changed = [name for name in OPTIONS if before[name] != getattr(app, name)]
        hosts = instances.hosts_of(session, [one.id for one in app.instances])
        for host in hosts.values():
            instances.apply_options(host, app, changed, at=at)
        then(app)
        return app


def _write(app: App, wish: AppWish, at: datetime) -> None:
    recipe = wish.recipe
    saved = {entry["key"]: entry["value"] for entry in app.env or [] if entry["secret"]}
    plain = [{"key": key, "value": value, "secret": False} for key, value in recipe.env.items()]
    app.env = plain + [_sealed(secret, saved) for secret in wish.secrets]
    app.slug, app.subdomain, app.image, app.tag = wish.slug, wish.subdomain, recipe.image, recipe.tag
    app.mounts = [
        {"kind": str(m.kind), "source": m.source, "target": m.target, "read_only": m.read_only}
        for m in recipe.mounts
    ]
    app.labels, app.command = dict(recipe.labels), list(recipe.command)
    for name in _SAME:
        setattr(app, name, getattr(recipe, name))
    for name in ("kind", "path", "status", "interval", "timeout", "start_period"):
        setattr(app, f"check_{name}", getattr(recipe.check, name))
    for name, value in wish.options.items():
        setattr(app, name, value)
    app.versions_kept, app.registry_user = wish.versions_kept, wish.registry_user
    if not wish.registry_user:
        app.registry_password_sealed = None
    elif wish.registry_password is not None:
        app.registry_password_sealed = vault.seal(wish.registry_password)
    app.updated_at, app.version = at, app.version + 1


_SAME = (
    "port", "memory", "cpus", "pids", "drop_all", "restart", "reach", "network", "publish_on", "host_port",
    "scheme", "strategy", "drain", "stop_seconds",
)  # fmt: skip
"""What app and recipe both have, under the same name."""


def _sealed(secret: Secret, saved: dict[str, str]) -> dict[str, Any]:
    value = vault.seal(secret.value) if secret.value is not None else saved.get(secret.key)
    if value is None:
        raise InvalidInput(f"Enter a value for {secret.key}.", "secrets")
    return {"key": secret.key, "value": value, "secret": True}


def recipe_of(app: App, tag: str, instance: str = FIRST_INSTANCE) -> Recipe:
    """How an instance of the app would run now, secrets unsealed. Raises KeyLost.

    Volumes are an instance's own: others than the first have its name in theirs, so that no two write to one.
    """
    env = {e["key"]: vault.unseal(e["value"]) if e["secret"] else e["value"] for e in app.env}
    return Recipe(
        image=app.image,
        tag=tag,
        env=env,
        secrets=tuple(e["key"] for e in app.env if e["secret"]),
        command=tuple(app.command),
        mounts=mounts_of(app, instance),
        labels=app.labels,
        check=Check(
            app.check_kind, app.check_path, app.check_status, app.check_interval, app.check_timeout,
            app.check_start_period,
        ),
        **{name: getattr(app, name) for name in _SAME},
    )  # fmt: skip


def mounts_of(app: App, instance: str) -> tuple[Mount, ...]:
    """The mounts of one instance."""
    mounts = (Mount(**mount | {"kind": MountKind(mount["kind"])}) for mount in app.mounts)
    if instance == FIRST_INSTANCE:
        return tuple(mounts)
    return tuple(
        replace(mount, source=f"{mount.source}-{instance}") if mount.kind is MountKind.VOLUME else mount
        for mount in mounts
    )


def add_instance(app_id: int, name: str, tag: str, fqdn: Fqdn, *, at: datetime) -> Instance:
    """Another instance of an app. Raises Busy for a name in use, InvalidInput for one outside the zone."""
    with transaction() as session:
        app = rows.app(session, app_id)
        if app.removing:
            raise Busy(f"{app.slug} is being removed.")
        return _add_instance(session, app, name, tag, fqdn, at)


def _add_instance(session: Session, app: App, name: str, tag: str, fqdn: Fqdn, at: datetime) -> Instance:
    if any(other.name == name for other in app.instances):
        raise InvalidInput(f"{app.slug} has an instance called {name} already. Choose another name.", "name")
    instance = Instance(app=app, name=name, tag=tag, fqdn=fqdn, created_at=at)
    session.add(instance)
    session.flush()
    _hold(session, instance, app, fqdn, at)
    return instance


def change_instance(instance_id: int, tag: str, fqdn: Fqdn, *, at: datetime) -> Instance:
    """Another tag for later deploys, or another name, which moves at once. Raises as `add_instance`."""
    with transaction() as session:
        instance = usable(session, instance_id)
        instance.tag, instance.fqdn = tag, fqdn
        _hold(session, instance, instance.app, fqdn, at)
        return instance


def _hold(session: Session, instance: Instance, options: HostOptions, fqdn: Fqdn, at: datetime) -> None:
    """Keep the name: here, and against what the zone can hold."""
    claims.check_free(session, instance.consumer, {fqdn})
    settings = ledger.settings(session)
    if settings.mode is Mode.MANAGED and options.use_dns:
        claims.check_zone(settings, ledger.active_connection(session), {fqdn})
    instances.reserve(instance.id, fqdn, options, at=at)


def usable(session: Session, instance_id: int) -> Instance:
    """The instance. Raises NotFound, and Busy for one that is being removed."""
    instance = rows.instance(session, instance_id)
    if instance.removing:
        raise Busy(f"{instance.title} is being removed.")
    return instance
