"""DNS names: how they are read from people, and which zone or wildcard they belong to. Pure."""

from collections.abc import Iterable
from typing import NewType

import idna

from webapp.errors import InvalidInput

Fqdn = NewType("Fqdn", str)
"""A complete host name: lower case, A-labels, no final dot; the first label may be ``*``."""

MAX_NAME = 253
MAX_LABEL = 63
LABEL_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
PREFIX = "xn--"
DOTS = str.maketrans("。．｡", "...")
"""Full stops of other scripts separate labels, too (UTS 46 section 2.3)."""


def parse_name(text: str, base: str = "") -> Fqdn:
    """The name a person meant; a single label is completed with the base domain, if there is one.

    Raises InvalidInput with a sentence that says what is wrong. Sources: RFC 1123 section 2.1 (letters, digits
    and hyphens), RFC 5891 (A-labels), RFC 4592 (the wildcard is the first label).
    """
    name = text.strip().translate(DOTS).rstrip(".").lower()
    if not name:
        raise InvalidInput("Enter a name, for example app.example.com.")
    if "://" in name or "/" in name or ":" in name:
        raise InvalidInput("Enter only the name, without http://, port or path.")
    if any(c.isspace() for c in name):
        raise InvalidInput("A name cannot contain spaces.")
    if len(name) > MAX_NAME:
        raise InvalidInput(f"This name is too long: {len(name)} characters, and DNS allows {MAX_NAME}.")
    if "." not in name and base:
        name = f"{name}.{base}"
    wildcard = name.startswith("*.")
    ascii_name = ".".join(_label(label) for label in name.removeprefix("*.").split("."))
    return _checked(f"*.{ascii_name}" if wildcard else ascii_name)


def _checked(name: str) -> Fqdn:
    if len(name) > MAX_NAME:
        raise InvalidInput(f"This name is too long: {len(name)} characters, and DNS allows {MAX_NAME}.")
    if "." not in name.removeprefix("*."):
        raise InvalidInput("Enter the complete name, for example app.example.com.")
    if name.rsplit(".", 1)[-1].isdigit():
        raise InvalidInput("This looks like an address. Enter a name, for example app.example.com.")
    return Fqdn(name)


def _label(label: str) -> str:
    """One label as an A-label."""
    if not label:
        raise InvalidInput("A name cannot have two dots in a row or start with a dot.")
    if "*" in label:
        raise InvalidInput("A star can only be the whole first part of a name, as in *.example.com.")
    if "_" in label:
        raise InvalidInput("A web address cannot contain an underscore. Use a hyphen instead.")
    if not label.isascii() or label.startswith(PREFIX):
        label = _to_ascii(label)
    if len(label) > MAX_LABEL:
        raise _too_long(label)
    if strange := sorted(set(label) - LABEL_CHARACTERS):
        shown = strange[0] if strange[0].isprintable() else f"U+{ord(strange[0]):04X}"
        raise InvalidInput(f"A name cannot contain «{shown}».")
    if label.startswith("-") or label.endswith("-"):
        raise InvalidInput(f"The part «{label}» cannot start or end with a hyphen.")
    return label


def _to_ascii(label: str) -> str:
    try:
        return idna.encode(label, uts46=True, std3_rules=True).decode("ascii")
    except idna.IDNAError as error:
        if not label.isascii() and len(PREFIX + label.encode("punycode").decode("ascii")) > MAX_LABEL:
            raise _too_long(label) from error
        raise InvalidInput(
            f"The part «{label}» cannot be used in a name: it has a forbidden character."
        ) from error


def _too_long(label: str) -> InvalidInput:
    return InvalidInput(f"The part «{label[:20]}…» is too long: DNS allows {MAX_LABEL} characters.")


def ascii_name(text: str) -> str:
    """A name from an outside source in our form, as well as it can be done (zone names may come in Unicode)."""
    if text.isascii():  # by far most are, and a round reads thousands
        return text.strip().rstrip(".").lower()
    name = text.strip().translate(DOTS).rstrip(".").lower()
    return ".".join(_a_label(label) for label in name.split("."))


def _a_label(label: str) -> str:
    if label.isascii():
        return label
    try:
        return idna.encode(label, uts46=True).decode("ascii")
    except idna.IDNAError:
        # Providers also take what IDNA 2008 does not allow, such as emoji.
        return PREFIX + label.encode("punycode").decode("ascii")


def readable(name: str) -> str:
    """The name as people write it: U-labels where the A-labels can be decoded."""
    return ".".join(_u_label(label) for label in name.split("."))


def _u_label(label: str) -> str:
    if not label.startswith(PREFIX):
        return label
    try:
        return idna.decode(label)
    except idna.IDNAError:
        return label


def is_within(name: str, zone: str) -> bool:
    """Whether the name is the zone's apex or below it."""
    return name == zone or name.endswith(f".{zone}")


def zone_for(name: str, zones: Iterable[str]) -> str | None:
    """The longest of the zones that holds the name (DESIGN: never «the last two labels»)."""
    return max((zone for zone in zones if is_within(name, zone)), key=len, default=None)


def is_covered(name: str, base: str) -> bool:
    """Whether ``*.base`` covers the name: exactly one label below the base, as its certificate does (RFC 6125)."""
    return bool(base) and name.endswith(f".{base}") and "." not in name.removesuffix(f".{base}")
