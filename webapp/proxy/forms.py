"""The proxy form: the one place where a proxy is validated, for the page and for the command line."""

from collections.abc import Iterable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, IntegerField, SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired, Optional, ValidationError

from webapp.db import now, reading
from webapp.dns import challenge, ledger
from webapp.dns.names import Fqdn, parse_name
from webapp.dns.records import AUTO_TTL, MAX_TTL, MIN_TTL
from webapp.errors import InvalidInput
from webapp.proxy import service
from webapp.proxy.certificates import choice
from webapp.proxy.certificates.choice import Chosen
from webapp.proxy.certificates.holders import FLAGS
from webapp.proxy.certificates.models import Holder
from webapp.proxy.models import OPTIONS, HostOptions, ProxyHost
from webapp.proxy.service import ProxyWish
from webapp.proxy.upstream import parse_host

AS_DEFAULT = "default"


class OptionsForm(FlaskForm):  # type: ignore[misc]
    """What can be chosen for a proxy host: encryption, and what differs in DNS."""

    certificate_id = SelectField("Certificate", coerce=choice.coerce, default=0, validate_choice=False)
    ssl_forced = BooleanField("Force SSL", description="Sends http visitors to https.")
    http2_support = BooleanField("HTTP/2")
    hsts_enabled = BooleanField("HSTS", description="Browsers will insist on https for a long time.")
    hsts_subdomains = BooleanField("HSTS for subdomains")
    allow_websocket_upgrade = BooleanField("Websockets", default=True)
    block_exploits = BooleanField("Block common exploits", default=True)
    use_dns = BooleanField(
        "Keep a DNS record", default=True, description="Turn it off for a name that is not in public DNS."
    )
    dns_proxied = SelectField(
        "Proxied by Cloudflare",
        choices=[
            SelectChoice(AS_DEFAULT, "As in the settings"),
            SelectChoice("yes", "Yes"),
            SelectChoice("no", "No"),
        ],
        default=AS_DEFAULT,
    )
    dns_ttl = IntegerField(
        "TTL (seconds)", validators=[Optional()], description="Blank: as in the settings. 1 means automatic."
    )

    def __init__(
        self, *args: Any, base: str, certificates: Iterable[dict[str, Any]], zone: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.base = base
        offered: dict[int | str, str] = {0: "None (plain http)"}
        offered |= {c["id"]: f"{c['name']} ({', '.join(c['domains'])})" for c in certificates}
        saved = self.certificate_id.object_data
        offered.setdefault(saved, f"Certificate {saved} (not in the list)")
        offered |= {way: label for way, label in choice.LABELS.items() if zone or way == "new-http"}
        self.certificate_id.choices = [SelectChoice(*item) for item in offered.items()]
        self.fqdn = Fqdn("")

    def validate_certificate_id(self, field: Field) -> None:
        """One of the list, none, or the one that is saved: a list may be old, or not be read at all."""
        if field.data not in {choice.value for choice in field.choices}:
            raise ValidationError("Choose a certificate from the list.")

    def validate_ssl_forced(self, field: Field) -> None:
        """SSL needs a certificate."""
        if field.data and not self.certificate_id.data:
            raise ValidationError("Force SSL needs a certificate.")

    def validate_http2_support(self, field: Field) -> None:
        """HTTP/2 needs SSL."""
        if field.data and not self.certificate_id.data:
            raise ValidationError("HTTP/2 needs a certificate.")

    def validate_hsts_enabled(self, field: Field) -> None:
        """HSTS over plain http would be ignored."""
        if field.data and not self.ssl_forced.data:
            raise ValidationError("HSTS needs Force SSL.")

    def validate_hsts_subdomains(self, field: Field) -> None:
        """A part of HSTS."""
        if field.data and not self.hsts_enabled.data:
            raise ValidationError("This needs HSTS.")

    def validate_dns_ttl(self, field: Field) -> None:
        """1, or the range every plan allows."""
        if field.data is not None and field.data != AUTO_TTL and not MIN_TTL <= field.data <= MAX_TTL:
            raise ValidationError(f"Enter 1 for automatic, or {MIN_TTL} to {MAX_TTL} seconds.")

    def options(self) -> dict[str, Any]:
        """The chosen options by name, see `models.OPTIONS`; while a new certificate is got, all of it stays."""
        same = {name: self[name].data for name in OPTIONS}
        if isinstance(same["certificate_id"], str):
            same |= {name: self[name].object_data or False for name in FLAGS}
            same["certificate_id"] = self.certificate_id.object_data
        return same | {"dns_proxied": {"yes": True, "no": False}.get(self.dns_proxied.data)}

    def chosen(self) -> Chosen:
        """What is to be done about the certificate."""
        flags = {name: bool(self[name].data) for name in FLAGS}
        return Chosen(self.certificate_id.data, self.certificate_id.object_data, flags)


class ProxyForm(OptionsForm):
    """A standalone proxy: name, where it goes, and its options."""

    version = IntegerField(validators=[Optional()])
    name = StringField("Name", validators=[InputRequired("Enter a name, for example app.example.com.")])
    forward_scheme = SelectField(
        "Scheme", choices=[SelectChoice("http"), SelectChoice("https")], default="http"
    )
    forward_host = StringField(
        "Forward to host", validators=[InputRequired("Enter the host that answers, such as 192.168.1.20.")]
    )
    forward_port = IntegerField("Port", validators=[InputRequired("Enter a port from 1 to 65535.")])
    enabled = BooleanField("Enabled", default=True)

    def validate_name(self, field: Field) -> None:
        """A name DNS can hold, completed with the base domain."""
        self.fqdn = parsed(lambda: parse_name(field.data, self.base))

    def validate_forward_host(self, field: Field) -> None:
        """Nothing that nginx could take for syntax."""
        field.data = parsed(lambda: parse_host(field.data))

    def validate_forward_port(self, field: Field) -> None:
        """A TCP port."""
        if field.data is not None and not 1 <= field.data <= 65535:
            raise ValidationError("A port is a number from 1 to 65535.")

    def wish(self) -> ProxyWish:
        """The validated values as a command."""
        return ProxyWish(
            fqdn=self.fqdn,
            forward_scheme=self.forward_scheme.data,
            forward_host=self.forward_host.data,
            forward_port=self.forward_port.data,
            enabled=self.enabled.data,
            **self.options(),
        )


def encrypted(form: ProxyForm) -> service.Then:
    """What is to be done about the certificate once the proxy is written."""
    chosen, at = form.chosen(), now()
    return lambda host: chosen.apply(Holder.PROXY, host.id, [host.fqdn], at)


def parsed(parse: Any) -> Any:
    """What `parse` returns; its InvalidInput becomes the field's message."""
    try:
        return parse()
    except InvalidInput as error:
        raise ValidationError(error.message) from error


def as_fields(host: ProxyHost) -> dict[str, Any]:
    """The form's values for a proxy that exists."""
    same = ("version", "forward_scheme", "forward_host", "forward_port", "enabled")
    return {"name": host.fqdn} | option_fields(host) | {name: getattr(host, name) for name in same}


def option_fields(chosen: HostOptions) -> dict[str, Any]:
    """The form's values for the options of a host or an app."""
    proxied = {None: AS_DEFAULT, True: "yes", False: "no"}[chosen.dns_proxied]
    return {name: getattr(chosen, name) for name in OPTIONS} | {"dns_proxied": proxied}


def surroundings() -> dict[str, Any]:
    """What a form over host options needs besides its data: base domain, certificates, zone for DNS challenges."""
    with reading() as session:
        dns, npm = ledger.settings_or_none(session), service.npm_settings_or_none(session)
        return {
            "base": dns.base_domain if dns else "",
            "certificates": [c for c in npm.certificates if c.get("made", True)] if npm else [],
            "zone": challenge.zone_name(session),
        }


def make_form(data: Any, start: dict[str, Any] | None = None, *, csrf: bool = True) -> ProxyForm:
    """The form over posted data or what is saved, `start`, whose certificate may be kept in any case."""
    return ProxyForm(data, data=start, **surroundings(), meta={} if csrf else {"csrf": False})
