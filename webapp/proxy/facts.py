"""What is kept of a host that was seen: as plain data, compared with what a row wishes for, in words. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from webapp.dns.names import Fqdn, parse_name
from webapp.errors import InvalidInput
from webapp.proxy.npm_certificate import Certificate
from webapp.proxy.npm_wire import Host, HostSpec, checked
from webapp.proxy.upstream import parse_host

Facts = dict[str, Any]

SAME = tuple(field.name for field in fields(HostSpec) if field.name not in ("domain", "proof"))
"""What a host and its spec call by the same name."""

WORDS = {
    "ssl_forced": "Force SSL",
    "http2_support": "HTTP/2",
    "hsts_enabled": "HSTS",
    "hsts_subdomains": "HSTS for subdomains",
    "allow_websocket_upgrade": "Websockets",
    "block_exploits": "Block common exploits",
    "enabled": "Enabled",
}
NAME, FORWARD, CERTIFICATE, MARK = "Name", "Forwards to", "Certificate", "Mark of Tiny Forge"
DECIDED_HERE = (NAME, FORWARD, WORDS["enabled"])
"""What the deploys of an instance decide, and nothing else."""


def brief(host: Host) -> Facts:
    """What the pages need to know of any host: whose it is, and where it goes."""
    return {
        "id": host.id,
        "domains": list(host.domains),
        "forward": forward(host),
        "install": host.mark.install if host.mark else None,
    }


def host_facts(host: Host) -> Facts:
    """The same, and all that a row can take over."""
    return brief(host) | {
        "online": host.online,
        "values": {name: getattr(host, name) for name in SAME},
        "extras": list(host.extras),
    }


def certificate_facts(certificate: Certificate) -> Facts:
    """What the form needs to know of a certificate."""
    expires = certificate.expires_on.isoformat() if certificate.expires_on else None
    return {
        "id": certificate.id,
        "name": certificate.name,
        "domains": list(certificate.domains),
        "expires_on": expires,
        "provider": certificate.provider,
        "dns": certificate.by_dns,
        "made": certificate.is_made,
    }


def forward(host: Host | HostSpec) -> str:
    """Where it leads, as an address."""
    return f"{host.forward_scheme}://{host.forward_host}:{host.forward_port}"


def content(facts: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of the facts somebody can edit over there."""
    return tuple(facts.get(key) for key in ("id", "domains", "values", "extras"))


def differences(spec: HostSpec, host: Host, certificates: Mapping[int, str]) -> list[list[str]]:
    """Label, ours and theirs of everything in which the host is not as wanted; empty when it is."""
    wanted = checked(spec)
    pairs = [
        (NAME, spec.domain.lower(), ", ".join(host.domains)),
        (FORWARD, forward(wanted), forward(host)),
        (CERTIFICATE, *(named(one.certificate_id, certificates) for one in (wanted, host))),
        *((label, *(_on(getattr(one, name)) for one in (wanted, host))) for name, label in WORDS.items()),
        *((name, *(str(getattr(one, name)) for one in (wanted, host))) for name in SAME if name not in TOLD),
    ]
    return [list(pair) for pair in pairs if pair[1] != pair[2]]


TOLD = {*WORDS, "forward_scheme", "forward_host", "forward_port", "certificate_id"}
"""What `differences` has words of its own for; anything else is called by its field's name."""


def named(number: int, certificates: Mapping[int, str]) -> str:
    """A certificate in words."""
    return f"{number} ({certificates.get(number, 'not in the list')})" if number else "none"


def held(facts: Mapping[str, Any], name: str) -> str:
    """Who has the name at Nginx Proxy Manager, in one sentence."""
    return (
        f"{name} is in use by host {facts['id']} in Nginx Proxy Manager, which was not made here "
        f"(it forwards to {facts['forward']}). Choose another name, adopt that host, or delete it there."
    )


def settings_of(facts: Facts, certificates: Mapping[int, str]) -> list[tuple[str, str]]:
    """The facts in words: label and value."""
    values = facts["values"]
    first = [(NAME, ", ".join(facts["domains"])), (FORWARD, facts["forward"])]
    certificate = (CERTIFICATE, named(values["certificate_id"], certificates))
    return [*first, certificate, *((label, _on(values[name])) for name, label in WORDS.items())]


def as_wish(facts: Facts) -> dict[str, Any]:
    """The facts as columns of a row, validated as the form does it. Raises InvalidInput with the first reason
    why the panel cannot keep such a host."""
    values = facts["values"]
    name = _name(facts["domains"])
    try:
        upstream = parse_host(values["forward_host"])
    except InvalidInput as error:
        raise InvalidInput(f"The host to forward to cannot be kept here: {error.message}") from error
    if upstream != values["forward_host"]:
        raise InvalidInput(
            f"The host to forward to is written {values['forward_host']} there; here it would be {upstream}. "
            "Change it there first."
        )
    spec = checked(HostSpec(domain=name, **values))
    return {"fqdn": name} | {key: getattr(spec, key) for key in SAME}


def _name(domains: Sequence[str]) -> Fqdn:
    if len(domains) != 1:
        raise InvalidInput(
            f"It has {len(domains)} names ({', '.join(domains)}), and a proxy here has one. "
            "Split it in Nginx Proxy Manager into a host for each name first."
        )
    try:
        name = parse_name(domains[0])
    except InvalidInput as error:
        raise InvalidInput(f"The name {domains[0]} cannot be kept here: {error.message}") from error
    if name != domains[0]:
        raise InvalidInput(f"The name is written {domains[0]} there; here it would be {name}.")
    return name


def _on(value: bool) -> str:
    return "on" if value else "off"
