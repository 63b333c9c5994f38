"""The JSON of Nginx Proxy Manager, in every release's form, as plain values and back."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from webapp.errors import ProxyError
from webapp.proxy import npm_extras, npm_proof
from webapp.proxy.npm_mark import Mark, body_of, mark_of, meta_of

Row = dict[str, Any]

_FLAGS = (
    "ssl_forced",
    "http2_support",
    "hsts_enabled",
    "hsts_subdomains",
    "allow_websocket_upgrade",
    "block_exploits",
)
# NPM pastes both into nginx's configuration as they are: only what cannot mean anything there is let through.
_DOMAIN = re.compile(r"[A-Za-z0-9.*_-]{1,255}")
_UPSTREAM = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")


@dataclass(frozen=True)
class HostSpec:
    """A proxy host as it should be. `certificate_id` 0 means plain HTTP, and then no SSL flag holds.

    `proof` is our piece of its advanced configuration, see `npm_proof`.
    """

    domain: str
    forward_scheme: str
    forward_host: str
    forward_port: int
    certificate_id: int = 0
    ssl_forced: bool = False
    http2_support: bool = False
    hsts_enabled: bool = False
    hsts_subdomains: bool = False
    allow_websocket_upgrade: bool = False
    block_exploits: bool = False
    enabled: bool = True
    proof: str = ""


@dataclass(frozen=True)
class Host:
    """A proxy host as NPM reports it.

    `online` is what nginx said when the host was last written: False with `nginx_error` means that it is
    not served; None that nginx was never asked. It is history, and stays True while the host is disabled.
    `extras` tells in words what it has that a `HostSpec` cannot say; `named_upstreams` are the host names in its
    custom locations, which nginx looks up at every test of its configuration.
    """

    id: int
    domains: tuple[str, ...]
    forward_scheme: str
    forward_host: str
    forward_port: int
    certificate_id: int
    ssl_forced: bool
    http2_support: bool
    hsts_enabled: bool
    hsts_subdomains: bool
    allow_websocket_upgrade: bool
    block_exploits: bool
    enabled: bool
    online: bool | None
    nginx_error: str | None
    mark: Mark | None
    created_on: datetime | None
    proof: str = ""
    extras: tuple[str, ...] = ()
    named_upstreams: tuple[str, ...] = ()

    def is_of(self, install: str) -> bool:
        """Whether that installation made it."""
        return self.mark is not None and self.mark.install == install

    @property
    def blamed_host(self) -> int | None:
        """The id of the other host whose file nginx's complaint is about, None when it is this one's."""
        found = re.search(r"/proxy_host/(\d+)\.conf", self.nginx_error or "")
        return int(found[1]) if found and int(found[1]) != self.id else None


@dataclass(frozen=True)
class Account:
    """What the connection test found out: the release, and what the account may do."""

    version: tuple[int, int, int]
    email: str
    may_edit_hosts: bool
    may_see_all: bool
    may_edit_certificates: bool = False


def checked(spec: HostSpec) -> HostSpec:
    """The spec without flags that have no effect. Raises ProxyError for what could reach nginx as syntax.

    Names are validated where they are entered; this is the last line of defence.
    """
    if not _DOMAIN.fullmatch(spec.domain):
        raise ProxyError("The name of the proxy host contains characters that a host name cannot have.")
    if not _UPSTREAM.fullmatch(spec.forward_host):
        raise ProxyError("The address to forward to contains characters that an address cannot have.")
    if spec.forward_scheme not in ("http", "https") or not 1 <= spec.forward_port <= 65535:
        raise ProxyError("A proxy host forwards to http or https, on a port from 1 to 65535.")
    if not npm_proof.is_harmless(spec.proof):
        raise ProxyError("The proof of the proxy host contains characters that a proof cannot have.")
    forced = spec.ssl_forced and spec.certificate_id > 0
    hsts = spec.hsts_enabled and forced
    return replace(
        spec,
        ssl_forced=forced,
        http2_support=spec.http2_support and spec.certificate_id > 0,
        hsts_enabled=hsts,
        hsts_subdomains=spec.hsts_subdomains and hsts,
    )


def new_host(spec: HostSpec, mark: Mark) -> Row:
    """The body that creates a host: no certificate, no SSL flag and no `enabled` unless they are wanted."""
    body = _fields(spec)
    if not spec.certificate_id:
        body = {key: value for key, value in body.items() if key not in ("certificate_id", *_FLAGS[:4])}
    if not spec.enabled:
        body["enabled"] = False
    if spec.proof:
        body["advanced_config"] = npm_proof.weave("", spec.proof)
    return {**body, "meta": body_of(mark)}


def changes(row: Row, spec: HostSpec, mark: Mark) -> Row:
    """The keys of a host that differ from the spec, with what they should be; `enabled` is no part of it.

    With any of them goes `meta`, see `untested`.
    """
    wanted = _fields(spec) | {"advanced_config": npm_proof.weave(npm_proof.config_of(row), spec.proof)}
    body = {key: value for key, value in wanted.items() if _current(row, key) != value}
    return body | untested(row, mark) if body or mark_of(row) != mark else {}


def untested(row: Row, mark: Mark) -> Row:
    """The change that marks a host and forgets what nginx said about it.

    NPM replaces `meta` as a whole and adds nginx's verdict when it has one. Where it fails before that, the
    missing verdict shows later that the file was never written, though the row was changed.
    """
    kept = {k: v for k, v in meta_of(row).items() if k not in ("nginx_online", "nginx_err")}
    return {"meta": {**kept, **body_of(mark)}}


def host(row: Row) -> Host:
    """A host from its row. Raises ProxyError when it cannot be read."""
    online = meta_of(row).get("nginx_online")
    error = meta_of(row).get("nginx_err")
    try:
        return Host(
            id=int(row["id"]),
            domains=tuple(str(name).lower() for name in row["domain_names"]),
            forward_scheme=str(row["forward_scheme"]),
            forward_host=str(row["forward_host"]),
            forward_port=int(row["forward_port"]),
            certificate_id=int(row.get("certificate_id") or 0),
            **{flag: bool(row.get(flag)) for flag in _FLAGS},
            enabled=bool(row.get("enabled", True)),
            online=None if online is None else bool(online),
            nginx_error=str(error).strip() if error else None,
            mark=mark_of(row),
            created_on=moment(row.get("created_on")),
            proof=npm_proof.piece_in(npm_proof.config_of(row)),
            extras=npm_extras.extras(row),
            named_upstreams=npm_extras.named_upstreams(row),
        )
    except (KeyError, TypeError, ValueError) as error_:
        raise ProxyError("Nginx Proxy Manager sent a proxy host that cannot be read.") from error_


def moment(text: object) -> datetime | None:
    """A time stamp in either form; one without a zone, which is the server's local time, is taken as UTC."""
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _fields(spec: HostSpec) -> Row:
    fields: Row = {
        "domain_names": [spec.domain.lower()],
        "forward_scheme": spec.forward_scheme,
        "forward_host": spec.forward_host,
        "forward_port": spec.forward_port,
        "certificate_id": spec.certificate_id,
    }
    return fields | {flag: getattr(spec, flag) for flag in _FLAGS}


def _current(row: Row, key: str) -> Any:
    value = row.get(key)
    if key == "domain_names":
        return [str(name).lower() for name in value or []]
    if key == "certificate_id":
        return int(value or 0)
    if key == "advanced_config":
        return npm_proof.config_of(row)
    return bool(value) if key in _FLAGS else value
