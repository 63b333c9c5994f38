"""How single settings are read from people: addresses, URLs and keys, each with its sentence when it is wrong."""

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from flask_wtf import FlaskForm
from wtforms import Field
from wtforms.validators import ValidationError

from webapp.errors import InvalidInput

PRINTABLE = re.compile(r"[\x21-\x7e]+")


def strip(value: str | None) -> str:
    """Without white space around it: what is pasted often brings some along."""
    return (value or "").strip()


def by(parse: Callable[[str], str]) -> Callable[[FlaskForm, Field], None]:
    """A validator that normalises the field's value, or puts the sentence beside the field."""

    def validate(_form: FlaskForm, field: Field) -> None:
        if field.data:
            try:
                field.data = parse(field.data)
            except InvalidInput as error:
                raise ValidationError(error.message) from error

    return validate


def ipv4(text: str) -> str:
    """An IPv4 address in normal form. Raises InvalidInput."""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError as error:
        raise InvalidInput("Enter an IPv4 address such as 203.0.113.10.") from error
    return _usable(address)


def ipv6(text: str) -> str:
    """An IPv6 address in normal form, brackets allowed. Raises InvalidInput."""
    try:
        address = ipaddress.IPv6Address(text.removeprefix("[").removesuffix("]"))
    except ValueError as error:
        raise InvalidInput("Enter an IPv6 address such as 2001:db8::10.") from error
    return _usable(address)


def _usable(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    if address.is_unspecified or address.is_multicast or address.is_loopback or address.is_link_local:
        raise InvalidInput("Nobody could reach the server at this address.")
    return str(address)


def base_url(text: str) -> str:
    """An http(s) address without path, as the client wants it. Raises InvalidInput."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InvalidInput("This address cannot be read. Enter one such as http://192.168.1.5:81.") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidInput(
            "Enter an address that starts with http:// or https://, such as http://192.168.1.5:81."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidInput("Enter only scheme, host and port; the account has its own fields.")
    if parts.path.rstrip("/") not in {"", "/api"}:
        raise InvalidInput("Enter the address without a path.")
    if not re.fullmatch(r"[A-Za-z0-9._:-]+", parts.hostname):
        raise InvalidInput("The host in this address has a forbidden character.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def one_word(text: str) -> str:
    """A token or key: printable, one line. Raises InvalidInput."""
    if not PRINTABLE.fullmatch(text):
        raise InvalidInput("This must be one line without spaces. Copy it again.")
    return text


def is_private(text: str | None) -> bool:
    """Whether the address is one that the internet cannot reach."""
    return bool(text) and not ipaddress.ip_address(text or "").is_global
