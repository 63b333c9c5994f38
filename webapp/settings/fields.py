"""How single settings are read from people: addresses, URLs and keys, each with its sentence when it is wrong."""

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from flask_wtf import FlaskForm
from wtforms import Field
from wtforms.validators import ValidationError

from webapp.dns.names import parse_name
from webapp.errors import InvalidInput
from webapp.proxy.upstream import parse_host

# Carrier-grade NAT counts too (RFC 6598). Documentation addresses do not: what people try out uses those.
PRIVATE = [
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
]
PRINTABLE = re.compile(r"[\x21-\x7e]+")


def strip(value: str | None) -> str:
    """Without white space around it: what is pasted often brings some along."""
    return (value or "").strip()


def by(parse: Callable[[str], str]) -> Callable[[FlaskForm, Field], None]:
    """A validator that normalises the field's value, or puts the sentence beside it; after Optional."""

    def validate(_form: FlaskForm, field: Field) -> None:
        try:
            field.data = parse(field.data)
        except InvalidInput as error:
            raise ValidationError(error.message) from error

    return validate


def plain_name(text: str) -> str:
    """A complete name that is no wildcard. Raises InvalidInput."""
    name = parse_name(text)
    if name.startswith("*."):
        raise InvalidInput("Enter the name without a star.")
    return name


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
    if address.scope_id:
        raise InvalidInput("Enter the IPv6 address without the part from the percent sign on.")
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
    if port == 0:
        raise InvalidInput("A port is a number from 1 to 65535.")
    return f"{parts.scheme}://{parse_host(parts.hostname)}" + (f":{port}" if port else "")


def one_word(text: str) -> str:
    """A token or key: printable, one line. Raises InvalidInput."""
    if not PRINTABLE.fullmatch(text):
        raise InvalidInput("This must be one line without spaces. Copy it again.")
    return text


def is_private(text: str | None) -> bool:
    """Whether the address is one of a private network, which the internet cannot reach."""
    return bool(text) and any(ipaddress.ip_address(text or "") in network for network in PRIVATE)
