"""The routes of the Nginx Proxy Manager stand-in: who may call what, with which body."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from webapp.sandbox import npm_schema
from webapp.sandbox.npm_auth import Accounts, Token, User
from webapp.sandbox.npm_certificates import Certificates
from webapp.sandbox.npm_dialect import Dialect, Refusal, Row
from webapp.sandbox.npm_hosts import ProxyHosts
from webapp.sandbox.server import Reply, Request

_BODY_LIMIT = 100 * 1024


@dataclass(frozen=True)
class Call:
    """A request under way: its path without /api, its decoded body, the id in the path, its token."""

    request: Request
    path: str
    body: Any
    number: str = ""
    token: Token | None = None

    @property
    def query(self) -> str:
        """The text searched for."""
        return self.request.first("query")

    @property
    def expand(self) -> list[str]:
        """The related objects asked for."""
        text = self.request.first("expand")
        return re.split(r",(?![^\[]*\])", text) if text else []


@dataclass
class Api:
    """Answers what is below /api."""

    dialect: Dialect
    accounts: Accounts
    certificates: Certificates
    proxy_hosts: ProxyHosts
    writes: int = 0

    def answer(self, request: Request) -> Reply:
        """Answer a request, with an error envelope when it is refused."""
        path = request.path.removeprefix("/api").rstrip("/") or "/"
        try:
            return Reply(*self._routed(request, path))
        except Refusal as refusal:
            return self.dialect.reply(refusal, path)

    def _routed(self, request: Request, path: str) -> tuple[int, Any]:
        body = _decoded(request)
        for method, pattern, status, action in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == request.method:
                number = match.groupdict().get("id") or ""
                header = (
                    "" if path == "/tokens" and method == "POST" else request.headers.get("authorization", "")
                )
                call = Call(request, path, body, number, self.accounts.bearer(header))
                return status, action(self, call)
        raise self.dialect.not_found(path)

    def permitted(self, call: Call, subject: str, *, change: bool = False) -> User:
        """Who calls. Raises Refusal when nobody known does, or somebody who may not."""
        user = call.token.user if call.token else None
        if user is None or (call.token and call.token.challenge) or user.disabled or user.deleted:
            raise self.dialect.denied(call.request.method, call.path)
        if subject and not user.may(subject, change=change):
            raise self.dialect.denied(call.request.method, call.path)
        return user

    def checked(self, call: Call, schema: Row) -> Row:
        """The body. Raises Refusal (400) when there is none or it breaks the schema."""
        if call.body is None:
            raise Refusal(400, "Payload is undefined")
        return npm_schema.checked(call.body, schema, self.dialect)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Count a change: one that failed with 500 altered the row all the same."""
        try:
            yield
        except Refusal as refusal:
            self.writes += refusal.status == 500
            raise
        self.writes += 1


def _health(api: Api, _call: Call) -> Row:
    major, minor, revision = api.dialect.version
    setup = {"setup": bool(api.accounts.users)} if api.dialect.disguised else {}
    return {"status": "OK", **setup, "version": {"major": major, "minor": minor, "revision": revision}}


def _login(api: Api, call: Call) -> Row:
    return api.accounts.login(api.checked(call, npm_schema.login(api.dialect)))


def _refresh(api: Api, call: Call) -> Row:
    return api.accounts.issue(_self(api, call), call.request.first("expiry", "1d"))


def _me(api: Api, call: Call) -> Row:
    user = _self(api, call)
    extra = {"permissions": api.accounts.permissions(user)} if "permissions" in call.expand else {}
    return {**api.accounts.profile(user), **extra}


def _self(api: Api, call: Call) -> User:
    if call.token is None:
        raise Refusal(500)
    return api.permitted(call, "")


def _list_hosts(api: Api, call: Call) -> list[Row]:
    return api.proxy_hosts.listing(api.permitted(call, "proxy_hosts"), call.query, call.expand)


def _get_host(api: Api, call: Call) -> Row:
    return api.proxy_hosts.get(api.permitted(call, "proxy_hosts"), _number(call), call.expand)


def _create_host(api: Api, call: Call) -> Row:
    body = api.checked(call, npm_schema.proxy_host(api.dialect, creating=True))
    user = api.permitted(call, "proxy_hosts", change=True)
    with api.changing():
        return api.proxy_hosts.create(user, body)


def _update_host(api: Api, call: Call) -> Row:
    body = api.checked(call, npm_schema.proxy_host(api.dialect, creating=False))
    user = api.permitted(call, "proxy_hosts", change=True)
    with api.changing():
        return api.proxy_hosts.update(user, call.number, body)


def _delete_host(api: Api, call: Call) -> bool:
    user = api.permitted(call, "proxy_hosts", change=True)
    with api.changing():
        api.proxy_hosts.delete(user, call.number)
    return True


def _switch_host(api: Api, call: Call) -> bool:
    user = api.permitted(call, "proxy_hosts", change=True)
    with api.changing():
        api.proxy_hosts.switch(user, call.number, call.path.endswith("/enable"))
    return True


def _list_others(api: Api, call: Call) -> list[Row]:
    kind = call.path.rpartition("/")[2]
    api.permitted(call, kind.replace("-", "_"))
    return [api.dialect.row(row) for row in api.proxy_hosts.others[kind]]


def _list_certificates(api: Api, call: Call) -> list[Row]:
    return api.certificates.listing(api.permitted(call, "certificates"), call.query, call.expand)


def _get_certificate(api: Api, call: Call) -> Row:
    return api.certificates.get(api.permitted(call, "certificates"), _number(call), call.expand)


def _create_certificate(api: Api, call: Call) -> Row:
    body = api.checked(call, npm_schema.certificate(api.dialect))
    user = api.permitted(call, "certificates", change=True)
    with api.changing():
        return api.certificates.create(user, body)


def _renew_certificate(api: Api, call: Call) -> Row:
    user = api.permitted(call, "certificates", change=True)
    with api.changing():
        return api.certificates.renew(user, call.number)


def _delete_certificate(api: Api, call: Call) -> bool:
    user = api.permitted(call, "certificates", change=True)
    with api.changing():
        api.certificates.delete(user, call.number)
    return True


def _number(call: Call) -> str:
    """The id in the path of a read, which is checked more strictly than that of a write."""
    if not call.number.isdigit() or int(call.number) < 1:
        raise Refusal(400)
    return call.number


def _decoded(request: Request) -> Any:
    """The body, None without one. Raises Refusal when it is too long or malformed."""
    if len(request.body) > _BODY_LIMIT:
        raise Refusal(413)
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(request.body.decode()))
    if not kind.startswith("application/json") or not request.body:
        return None
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise Refusal(400) from error


_HOST = r"/nginx/proxy-hosts/(?P<id>[^/]+)"
_CERTIFICATE = r"/nginx/certificates/(?P<id>[^/]+)"
_ROUTES: list[tuple[str, str, int, Callable[[Api, Call], Any]]] = [
    ("GET", "/", 200, _health),
    ("POST", "/tokens", 200, _login),
    ("GET", "/tokens", 200, _refresh),
    ("GET", "/users/me", 200, _me),
    ("GET", "/nginx/proxy-hosts", 200, _list_hosts),
    ("POST", "/nginx/proxy-hosts", 201, _create_host),
    ("GET", _HOST, 200, _get_host),
    ("PUT", _HOST, 200, _update_host),
    ("DELETE", _HOST, 200, _delete_host),
    ("POST", f"{_HOST}/(?:enable|disable)", 200, _switch_host),
    ("GET", "/nginx/(?:redirection|dead)-hosts", 200, _list_others),
    ("GET", "/nginx/certificates", 200, _list_certificates),
    ("POST", "/nginx/certificates", 201, _create_certificate),
    ("GET", _CERTIFICATE, 200, _get_certificate),
    ("DELETE", _CERTIFICATE, 200, _delete_certificate),
    ("POST", f"{_CERTIFICATE}/renew", 200, _renew_certificate),
]
