"""The app and instance forms: the one place where they are validated, for the pages and for the command line."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import current_app
from flask_wtf import FlaskForm
from wtforms import Field, StringField
from wtforms.validators import DataRequired, Length, ValidationError

from webapp.deploy import lines
from webapp.deploy.apps import AppWish, Secret
from webapp.deploy.engine import Mount, Restart
from webapp.deploy.fields import AppFields
from webapp.deploy.health import Check, CheckKind
from webapp.deploy.models import App
from webapp.deploy.power import parse_address, parse_image, parse_network, parse_tag, registry
from webapp.deploy.recipe import Reach, Recipe, Strategy
from webapp.dns.names import Fqdn, parse_name
from webapp.proxy.forms import option_fields, parsed, surroundings

SLUG = re.compile(r"[a-z][a-z0-9-]{0,26}[a-z0-9]|[a-z]")
INSTANCE = re.compile(r"[a-z][a-z0-9-]{0,14}[a-z0-9]|[a-z]")
PATH = re.compile(r"/[A-Za-z0-9/._~%?&=+,;:@!$'()*-]{0,254}")


class AppForm(AppFields):
    """An app, validated."""

    def __init__(
        self, *args: Any, app: App | None = None, binds_dir: Path | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.app, self.binds_dir = app, binds_dir

    def validate_slug(self, field: Field) -> None:
        """Fits into container names and addresses."""
        if not SLUG.fullmatch(field.data):
            raise ValidationError(
                "Use up to 28 lower-case letters, digits and hyphens, starting with a letter."
            )

    def validate_image(self, field: Field) -> None:
        """A repository; a tag behind it goes where tags belong."""
        text = field.data.strip()
        field.data, tag = parsed(lambda: parse_image(text))
        if text != field.data:
            self.tag.data = tag

    def validate_tag(self, field: Field) -> None:
        """A tag, or the usual one."""
        field.data = parsed(lambda: parse_tag((field.data or "latest").strip()))

    def validate_subdomain(self, field: Field) -> None:
        """A name DNS can hold, completed with the base domain; blank means the app's name."""
        field.data = (field.data or self.slug.data or "").strip()
        if self.slug.data:
            self.fqdn = parsed(lambda: parse_name(field.data, self.base))

    def validate_network(self, field: Field) -> None:
        """Needed where containers are reached by name."""
        field.data = (field.data or "").strip()
        if self.reach.data == Reach.NETWORK and not field.data:
            raise ValidationError("Enter the network that the container and Nginx Proxy Manager share.")
        if field.data:
            parsed(lambda: parse_network(field.data))

    def validate_publish_on(self, field: Field) -> None:
        """One address of this machine: never all of them."""
        field.data = (field.data or "127.0.0.1").strip()
        field.data = parsed(lambda: parse_address(field.data))

    def validate_strategy(self, field: Field) -> None:
        """Two copies side by side, unless something forbids them."""
        if field.data != Strategy.BLUE_GREEN:
            return
        if self.reach.data == Reach.PORT and self.host_port.data:
            raise ValidationError("Only one copy can have a fixed port: leave the port blank, or stop first.")
        if any(not mount.read_only for mount in parsed(lambda: self._mounts(self.mounts.data or ""))):
            raise ValidationError("Two copies must not write to one volume: stop the old version first.")

    def validate_check_path(self, field: Field) -> None:
        """A path."""
        field.data = field.data or "/"
        if not PATH.fullmatch(field.data):
            raise ValidationError("Enter a path that starts with a slash, for example /healthz.")

    def validate_env(self, field: Field) -> None:
        """KEY=VALUE lines."""
        self._read(field, lines.read_env)

    def validate_secrets(self, field: Field) -> None:
        """KEY=VALUE lines; a blank value needs a saved one, and no key is in both lists."""
        found = parsed(lambda: lines.read_env(field.data or ""))
        saved = {e["key"] for e in self.app.env if e["secret"]} if self.app else set()
        for key, value in found.items():
            if not value and key not in saved:
                raise ValidationError(f"Enter a value for {key}: none is saved.")
        both = set(found) & set(parsed(lambda: lines.read_env(self.env.data or "")))
        if both:
            raise ValidationError(f"{min(both)} is in the environment already.")

    def validate_mounts(self, field: Field) -> None:
        """SOURCE:TARGET lines."""
        self._read(field, self._mounts)

    def validate_labels(self, field: Field) -> None:
        """KEY=VALUE lines."""
        self._read(field, lines.read_labels)

    def validate_command(self, field: Field) -> None:
        """Words."""
        self._read(field, lines.read_command)

    def validate_registry_password(self, field: Field) -> None:
        """An account needs a password, unless the same account's is saved."""
        saved = self.app and self.app.registry_password_sealed and self.app.registry_user
        user = self.registry_user.data
        if user and not field.data and user != saved:
            raise ValidationError("Enter the password of this account.")

    def validate_registry_user(self, field: Field) -> None:
        """A saved password is never sent to another registry than the one it was entered for."""
        field.data = (field.data or "").strip()
        if not (self.app and self.app.registry_password_sealed and field.data):
            return
        if not self.registry_password.data and registry(self.image.data or "") != registry(self.app.image):
            raise ValidationError("The registry changed: enter the password again.")

    def _mounts(self, text: str) -> tuple[Mount, ...]:
        return lines.read_mounts(text, self.binds_dir)

    def _read(self, field: Field, read: Callable[[str], Any]) -> None:
        parsed(lambda: read(field.data or ""))

    def wish(self) -> AppWish:
        """The validated values as a command."""
        secrets = lines.read_env(self.secrets.data or "")
        return AppWish(
            slug=self.slug.data,
            subdomain=self.subdomain.data,
            recipe=self._recipe(),
            secrets=tuple(Secret(key, value or None) for key, value in secrets.items()),
            versions_kept=self.versions_kept.data,
            registry_user=self.registry_user.data or "",
            registry_password=self.registry_password.data or None,
            options=self.options(),
        )

    def _recipe(self) -> Recipe:
        return Recipe(
            image=self.image.data,
            tag=self.tag.data,
            port=self.port.data,
            env=lines.read_env(self.env.data or ""),
            command=lines.read_command(self.command.data or ""),
            mounts=self._mounts(self.mounts.data or ""),
            labels=lines.read_labels(self.labels.data or ""),
            memory=self.memory.data,
            cpus=self.cpus.data or 0.0,
            pids=self.pids.data,
            drop_all=self.drop_all.data,
            restart=Restart(self.restart.data),
            reach=Reach(self.reach.data),
            network=self.network.data,
            publish_on=self.publish_on.data,
            host_port=self.host_port.data,
            scheme=self.scheme.data,
            check=Check(
                CheckKind(self.check_kind.data), self.check_path.data, self.check_status.data or 200,
                self.check_interval.data, self.check_timeout.data, self.check_start_period.data,
            ),
            strategy=Strategy(self.strategy.data),
            drain=self.drain.data,
            stop_seconds=self.stop_seconds.data,
        )  # fmt: skip


class InstanceForm(FlaskForm):  # type: ignore[misc]
    """An instance: what it is called, its name, and its tag."""

    name = StringField(
        "Instance", validators=[DataRequired("Enter a short name, for example staging.")],
        description="Such as staging, or the name of a branch.",
    )  # fmt: skip
    fqdn = StringField("Name", validators=[Length(max=253)])
    tag = StringField("Tag", description="Blank: the app's tag.")

    def __init__(self, *args: Any, app: App, base: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app, self.base = app, base
        self.full_name = Fqdn("")

    def validate_name(self, field: Field) -> None:
        """Fits into container names and addresses."""
        if not INSTANCE.fullmatch(field.data):
            raise ValidationError(
                "Use up to 16 lower-case letters, digits and hyphens, starting with a letter."
            )

    def validate_fqdn(self, field: Field) -> None:
        """A name DNS can hold; blank: the instance's and the app's together."""
        first, dot, rest = self.app.subdomain.partition(".")
        text = (field.data or "").strip() or f"{self.name.data}-{first}{dot}{rest}"
        self.full_name = parsed(lambda: parse_name(text, self.base))

    def validate_tag(self, field: Field) -> None:
        """A tag, or none."""
        field.data = (field.data or "").strip()
        if field.data:
            parsed(lambda: parse_tag(field.data))


def make_app_form(data: Any, app: App | None = None, *, csrf: bool = True) -> AppForm:
    """The form over posted data, or over an app."""
    around = surroundings() | {"binds_dir": current_app.config["FORGE"].binds_dir}
    meta = {} if csrf else {"csrf": False}
    return AppForm(data, data=app_fields(app) if app else None, app=app, meta=meta, **around)


def make_instance_form(
    data: Any, app: App, start: dict[str, Any] | None = None, *, csrf: bool = True
) -> InstanceForm:
    """The form over posted data, or over an instance's values."""
    meta = {} if csrf else {"csrf": False}
    return InstanceForm(data, data=start, app=app, base=surroundings()["base"], meta=meta)


_SAME = (
    "version", "slug", "image", "tag", "port", "subdomain", "memory", "cpus", "pids", "drop_all", "restart",
    "reach", "network", "publish_on", "host_port", "scheme", "check_kind", "check_path", "check_status",
    "check_interval", "check_timeout", "check_start_period", "strategy", "drain", "stop_seconds",
    "versions_kept", "registry_user",
)  # fmt: skip


def app_fields(app: App) -> dict[str, Any]:
    """The form's values for an app; secrets are shown as saved, by their keys alone."""
    plain = {e["key"]: e["value"] for e in app.env if not e["secret"]}
    return {name: getattr(app, name) for name in _SAME} | option_fields(app) | {
        "env": lines.write_pairs(plain),
        "secrets": "\n".join(f"{e['key']}=" for e in app.env if e["secret"]),
        "command": lines.write_command(app.command),
        "mounts": lines.write_mounts(app.mounts),
        "labels": lines.write_pairs(app.labels),
    }  # fmt: skip
