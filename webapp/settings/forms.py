"""The settings form: the one place where settings are validated, for the page and for the command line."""

import re
from collections.abc import Callable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    Field,
    IntegerField,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
)
from wtforms.validators import InputRequired, Length, Optional, Regexp, ValidationError

from webapp.dns import providers
from webapp.dns.desired import Mode, Policy
from webapp.dns.records import AUTO_TTL, MAX_TTL, MIN_TTL, Target, Zone
from webapp.dns.switch import Wanted
from webapp.errors import InvalidInput
from webapp.settings.fields import base_url, by, ipv4, ipv6, is_private, one_word, plain_name, strip
from webapp.settings.service import Current, NpmWish, SettingsWish, current

ZONE = re.compile(r"([A-Za-z0-9_.-]{1,64})/([a-z0-9.-]{1,253})/([a-z_]{0,32})")


class SettingsForm(FlaskForm):  # type: ignore[misc]
    """General, Nginx Proxy Manager and DNS. Secrets left blank keep what is saved."""

    version = IntegerField(validators=[InputRequired()])
    base_domain = StringField(
        "Base domain", filters=[strip], validators=[Optional(), Length(max=253), by(plain_name)],
        description="New names are completed with it: «app» becomes app.example.com.",
    )  # fmt: skip
    ipv4 = StringField("Server IPv4 address", filters=[strip], validators=[Optional(), by(ipv4)])
    ipv6 = StringField(
        "Server IPv6 address (optional)", filters=[strip], validators=[Optional(), by(ipv6)],
        description="When it is set, every name gets an AAAA record too.",
    )  # fmt: skip
    cname = StringField(
        "Or: target name", filters=[strip], validators=[Optional(), Length(max=253), by(plain_name)],
        description="Instead of addresses: every name becomes a CNAME record of this one, for example a DynDNS name.",
    )  # fmt: skip
    watch_address = BooleanField(
        "Follow the public address",
        description="Two services on the internet are asked every few minutes. When both see this server at a new "
        "address, that is saved here, and every record follows.",
    )
    npm_url = StringField(
        "Address", filters=[strip], validators=[Optional(), Length(max=255), by(base_url)],
        description="Where Nginx Proxy Manager's own pages are, usually port 81: http://192.168.1.5:81",
    )  # fmt: skip
    npm_email = StringField("E-mail", filters=[strip], validators=[Optional(), Length(max=255)])
    npm_password = PasswordField("Password", validators=[Optional(), Length(max=255)])
    npm_verify_tls = BooleanField(
        "Verify the TLS certificate", description="Only matters for https. Turn it off for a self-signed one."
    )
    wildcard = BooleanField(
        "A wildcard record exists",
        description="*.your-domain already points at this server, so no record is ever created or changed.",
    )
    provider = SelectField("Provider")
    token = PasswordField(
        "API token", filters=[strip], validators=[Optional(), Length(max=500), by(one_word)],
        description="At Cloudflare: My profile, API tokens, with the permissions Zone: Read and DNS: Edit.",
    )  # fmt: skip
    zone = SelectField("Zone", validate_choice=False, validators=[Optional()])
    zone_id = StringField(
        "Zone ID", filters=[strip],
        validators=[Optional(), Regexp(r"[0-9a-f]{32}$", message="A zone ID has 32 digits.")],
        description="For a token that may not list zones. The zone's overview page at Cloudflare shows it.",
    )  # fmt: skip
    zone_name = StringField("Zone name", filters=[strip], validators=[Optional(), by(plain_name)])
    ttl = IntegerField(
        "TTL (seconds)", validators=[InputRequired("Enter a number of seconds, or 1 for automatic.")],
        description="How long resolvers may remember a record. 1 means automatic, else 60 to 86400.",
    )  # fmt: skip
    proxied = BooleanField(
        "Proxied by Cloudflare",
        description="Traffic goes through Cloudflare, and the server's address stays hidden.",
    )
    policy = RadioField(
        "When a name is no longer used",
        choices=[
            SelectChoice(Policy.FULL, "Delete its record"),
            SelectChoice(Policy.KEEP, "Never delete a record"),
        ],
    )

    def __init__(self, *args: Any, current: Current, kinds: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.current = current
        self.provider.choices = [SelectChoice(name, providers.KINDS[name].label) for name in kinds]
        self.offer_zones([])

    @classmethod
    def over(cls, data: object, *, practice: bool, csrf: bool = True) -> "SettingsForm":
        """The form over posted data, or over what is saved; `practice` offers the in-memory provider too."""
        now = current()
        start = {
            "version": now.version,
            "base_domain": now.base_domain,
            "ipv4": now.target.ipv4,
            "ipv6": now.target.ipv6,
            "cname": now.target.cname,
            "watch_address": now.watch.enabled,
            "npm_url": now.npm_url,
            "npm_email": now.npm_email,
            "npm_verify_tls": now.npm_verify_tls,
            "wildcard": now.mode is Mode.WILDCARD,
            "provider": now.provider,
            "zone": zone_value(now.zone) if now.zone else "",
            "ttl": now.ttl,
            "proxied": now.proxied,
            "policy": now.policy,
        }
        kinds = providers.offered(practice=practice)
        return cls(data, data=start, current=now, kinds=kinds, meta={} if csrf else {"csrf": False})

    def offer_zones(self, zones: list[Zone]) -> None:
        """Fill the selector: what the account has, and what is chosen or saved already."""
        values = {zone_value(zone): zone.name for zone in zones}
        for zone in (self.chosen_zone(), self.current.zone):
            if zone is not None and zone.name not in values.values():
                values[zone_value(zone)] = zone.name
        offered = sorted(values.items(), key=lambda item: item[1])
        self.zone.choices = [SelectChoice(*item) for item in (("", "Choose a zone"), *offered)]

    def chosen_zone(self) -> Zone | None:
        """The zone in the field; None for nothing usable."""
        if self.zone_id.data and self.zone_name.data and not self.zone_id.errors:
            return Zone(self.zone_id.data, self.zone_name.data)
        match = ZONE.fullmatch(self.zone.data or "")
        return Zone(match[1], match[2], plan=match[3]) if match else None

    def validate_ttl(self, field: Field) -> None:
        """1, or the range every plan allows."""
        if field.data is not None and field.data != AUTO_TTL and not MIN_TTL <= field.data <= MAX_TTL:
            raise ValidationError(f"Enter 1 for automatic, or {MIN_TTL} to {MAX_TTL} seconds.")

    def validate_cname(self, field: Field) -> None:
        """Addresses or a name, not both."""
        if field.data and (self.ipv4.data or self.ipv6.data):
            raise ValidationError("Enter addresses or a target name, not both.")

    def validate(self, extra_validators: Any = None) -> bool:
        """The fields one by one, then what they must be together."""
        fine = super().validate(extra_validators)
        return bool(self._npm_is_complete() & self._dns_is_complete() & fine)

    def require_npm(self) -> None:
        """Raise InvalidInput unless the fields about Nginx Proxy Manager, and only they, are in order."""
        self._require(self._npm_is_complete, self.npm_url, self.npm_email, self.npm_password)
        if not self.npm_url.data:
            raise InvalidInput("Enter the address first.", "npm_url")

    def require_token(self) -> None:
        """Raise InvalidInput unless provider, token and a zone entered by hand are in order."""
        self._require(self._token_is_there, self.provider, self.token, self.zone_id, self.zone_name)

    def _require(self, complete: Callable[[], bool], *fields: Field) -> None:
        for field in fields:
            field.validate(self)
        complete()
        for field in fields:
            if field.errors:
                raise InvalidInput(str(field.errors[0]), field.name)

    def _npm_is_complete(self) -> bool:
        url, saved = self.npm_url.data, self.current.npm_url
        if not url or self.npm_url.errors:
            return True
        if not self.npm_email.data:
            return self._complain(self.npm_email, "Enter the e-mail address of an account there.")
        if self.npm_password.data:
            return True
        if not self.current.npm_password_saved:
            return self._complain(self.npm_password, "Enter the password of that account.")
        if url != saved:
            return self._complain(self.npm_password, "The address changed: enter the password again.")
        return True

    def _dns_is_complete(self) -> bool:
        fine = self._token_is_there()
        if self.wildcard.data:
            return fine
        if not (self.ipv4.data or self.ipv6.data or self.cname.data):
            fine = self._complain(
                self.ipv4, "Enter the server's address: records need something to point at."
            )
        if self.chosen_zone() is None:
            fine = self._complain(self.zone, "Choose the zone that the records belong in.")
        if self.proxied.data and any(is_private(a.data) for a in (self.ipv4, self.ipv6) if not a.errors):
            fine = self._complain(self.proxied, "Cloudflare cannot proxy a private address.")
        return fine

    def _token_is_there(self) -> bool:
        """A saved token is never sent to another provider than the one it was entered for."""
        if self.token.data or self.token.errors:
            return True
        if self.current.token_saved and self.provider.data != self.current.provider:
            return self._complain(self.token, "The provider changed: enter its API token.")
        if not self.wildcard.data and not self.current.token_saved:
            return self._complain(self.token, "Enter the API token.")
        return True

    def _complain(self, field: Field, message: str) -> bool:
        field.errors = [*field.errors, message]
        return False

    def wish(self) -> SettingsWish:
        """The validated values as a command."""
        target = Target(self.ipv4.data or None, self.ipv6.data or None, self.cname.data or None)
        return SettingsWish(
            dns=Wanted(
                mode=Mode.WILDCARD if self.wildcard.data else Mode.MANAGED,
                policy=Policy(self.policy.data),
                base_domain=self.base_domain.data or "",
                target=target,
                ttl=self.ttl.data,
                proxied=bool(self.proxied.data),
                provider=self.provider.data,
                zone=None if self.wildcard.data else self.chosen_zone(),
                credentials={"token": self.token.data} if self.token.data else None,
            ),
            npm=NpmWish(
                self.npm_url.data or "", self.npm_email.data or "", self.npm_password.data or None,
                bool(self.npm_verify_tls.data),
            ),
            watch_address=bool(self.watch_address.data),
        )  # fmt: skip


def zone_value(zone: Zone) -> str:
    """The zone as the selector's value: saving needs no look-up."""
    return f"{zone.id}/{zone.name}/{zone.plan}"
