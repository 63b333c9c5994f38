"""What a DNS record at Cloudflare may hold, and the form it is stored in. Pure."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import idna

from webapp.sandbox.cloudflare_answers import Refused


@dataclass(frozen=True)
class Plan:
    """The limits of a plan (Cloudflare's documentation, 2026): per zone, per batch, per record."""

    title: str
    records: int
    operations: int
    comment: int
    tags: int
    least_ttl: int


PLANS = {
    "free": Plan("Free Website", 200, 200, 100, 0, 60),
    "pro": Plan("Pro Website", 3500, 3500, 500, 20, 60),
    "business": Plan("Business Website", 3500, 3500, 500, 20, 60),
    "enterprise": Plan("Enterprise Website", 3500, 3500, 500, 20, 30),
}
# fmt: off
TYPES = frozenset({
    "A", "AAAA", "CAA", "CERT", "CNAME", "DNSKEY", "DS", "HTTPS", "LOC", "MX", "NAPTR", "NS", "OPENPGPKEY",
    "PTR", "SMIMEA", "SRV", "SSHFP", "SVCB", "TLSA", "TXT", "URI",
})
# fmt: on
PROXIABLE = frozenset({"A", "AAAA", "CNAME"})
HOST_CONTENT = frozenset({"CNAME", "NS", "PTR", "MX"})
WITH_PRIORITY = frozenset({"MX", "URI"})
SHAPES: Mapping[str, type] = {
    "type": str,
    "name": str,
    "content": str,
    "priority": int,
    "ttl": int,
    "proxied": bool,
    "data": dict,
    "settings": dict,
    "comment": str,
    "tags": list,
}
MAX_WIRE = 4096

# fmt: off
_UNPROXIABLE_NETWORKS = [ipaddress.ip_network(network) for network in (
    "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.168.0.0/16", "1.0.0.1/32", "1.1.1.1/32", "::/128", "::1/128", "fc00::/7", "fe80::/10",
)]
# fmt: on
_UNPROXIABLE_TARGETS = (".acm-validations.aws", ".amazonses.com")
_HOST_LABEL = re.compile(r"[A-Za-z0-9_*-]{1,63}")


def ascii_name(text: str) -> str:
    """A name in lower case and Punycode, without the final dot."""
    return ".".join(_a_label(label) for label in text.lower().removesuffix(".").split("."))


def _a_label(label: str) -> str:
    if label.isascii():
        return label
    try:
        return idna.encode(label, uts46=True).decode()
    except idna.IDNAError:
        # Cloudflare also takes what IDNA 2008 does not allow, such as emoji.
        return "xn--" + label.encode("punycode").decode()


def unicode_name(name: str) -> str:
    """A name with its Punycode labels decoded, the way zone names are answered."""
    return ".".join(_u_label(label) for label in name.split("."))


def _u_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return idna.decode(label)
    except idna.IDNAError:
        return label.removeprefix("xn--").encode().decode("punycode")


def name_in(zone: str, text: str) -> str:
    """The complete record name: `@` is the apex, and a name outside the zone gets the zone appended."""
    name = zone if text == "@" else ascii_name(text)
    if name != zone and not name.endswith("." + zone):
        name = f"{name}.{zone}"
    labels_fit = all(1 <= len(label) <= 63 for label in name.split("."))
    if not labels_fit or len(name) > 253 or any(c.isspace() for c in name):
        raise Refused(9000)
    return name


def accepted(body: Mapping[str, Any], zone: str, plan: Plan) -> dict[str, Any]:
    """The record a body asks for, as far as the sender decides, in stored form. Raises Refused.

    A key that is null counts as not sent (recorded for `data`), as do keys Cloudflare does not know.
    """
    fields = {key: body[key] for key in SHAPES if body.get(key) is not None}
    if any(type(value) is not SHAPES[key] for key, value in fields.items()):
        raise Refused(9207)
    kind = fields.get("type", "")
    if kind not in TYPES:
        raise Refused(9020)
    name = name_in(zone, fields.get("name", ""))
    content = _content(kind, fields)
    if kind == "CNAME" and content.lower() == name:
        raise Refused(9039)
    proxied = fields.get("proxied", False)
    record = {"name": name, "type": kind, "content": content}
    if kind in WITH_PRIORITY:
        record["priority"] = _priority(fields)
    record |= {"proxiable": _proxiable(kind, content, proxied), "proxied": proxied}
    record["ttl"] = _ttl(fields.get("ttl", 1), proxied, plan)
    record["settings"] = {
        **({"flatten_cname": False} if kind == "CNAME" else {}),
        **fields.get("settings", {}),
    }
    if "data" in fields:
        record["data"] = fields["data"]
    return {**record, **_attributes(fields, plan)}


def _content(kind: str, fields: Mapping[str, Any]) -> str:
    text: str = fields.get("content", "")
    if "data" in fields:
        return " ".join(str(value) for value in fields["data"].values())
    if kind in ("A", "AAAA"):
        return _address(kind, text)
    if kind in HOST_CONTENT:
        return _host(kind, text)
    if not text:
        raise Refused(9007, kind=kind)
    octets = len(text.encode())
    if octets + -(-octets // 255) > MAX_WIRE:
        raise Refused(9015)
    return text


def _address(kind: str, text: str) -> str:
    try:
        if kind == "A":
            return str(ipaddress.IPv4Address(text))
        if "%" in text:
            raise Refused(9006)
        return str(ipaddress.IPv6Address(text))
    except ipaddress.AddressValueError as error:
        raise Refused(9005 if kind == "A" else 9006) from error


def _host(kind: str, text: str) -> str:
    """A target: in the case it was sent in, without the final dot; an address is none."""
    host = text.removesuffix(".")
    host = host if host.isascii() else ascii_name(host)
    labels = host.split(".")
    if len(host) > 253 or labels[-1].isdecimal() or not all(_HOST_LABEL.fullmatch(lab) for lab in labels):
        raise Refused(9009 if kind == "MX" else 9007, kind=kind)
    return host


def _priority(fields: Mapping[str, Any]) -> int:
    if "priority" not in fields:
        raise Refused(9101)
    return int(fields["priority"])


def _proxiable(kind: str, content: str, proxied: bool) -> bool:
    """Whether the record could be proxied. Raises Refused when it cannot and was to be."""
    if kind not in PROXIABLE:
        if proxied:
            raise Refused(9004)
        return False
    if kind == "CNAME":
        reserved = content.lower().endswith(_UNPROXIABLE_TARGETS)
    else:
        address = ipaddress.ip_address(content)
        reserved = any(address in network for network in _UNPROXIABLE_NETWORKS)
    if reserved and proxied:
        raise Refused(9003, content=content)
    return not reserved


def _ttl(ttl: int, proxied: bool, plan: Plan) -> int:
    if ttl != 1 and not plan.least_ttl <= ttl <= 86400:
        raise Refused(9021, least=plan.least_ttl)
    return 1 if proxied else ttl


def _attributes(fields: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """Comment and tags; an empty comment is none."""
    comment: str = fields.get("comment", "")
    tags: list[str] = fields.get("tags", [])
    if len(comment) > plan.comment:
        raise Refused(9313, limit=plan.comment)
    if any(c in comment for c in "\r\n"):
        raise Refused(1004)
    if len(tags) > plan.tags:
        raise Refused(9300, count=len(tags), quota=plan.tags)
    if any(type(tag) is not str for tag in tags):
        raise Refused(9207)
    return {"comment": comment or None, "tags": tags}
