"""API tokens of the Cloudflare stand-in: what the Authorization header says, and what it allows."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from webapp.sandbox.cloudflare_answers import Refused, success
from webapp.sandbox.cloudflare_content import ascii_name
from webapp.sandbox.server import Reply, Request

ZONE_READ, DNS_READ, DNS_EDIT = "zone:read", "dns:read", "dns:edit"
ALL_PERMISSIONS = (ZONE_READ, DNS_READ, DNS_EDIT)

# Tokens of all ages have 40 characters or more; a shorter one is refused as malformed, not as unknown.
_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{40,}")


@dataclass(frozen=True)
class Token:
    """One token. `zones` is None when it is good for every zone; `kind` is "user" or "account"."""

    value: str
    id: str
    zones: frozenset[str] | None
    permissions: frozenset[str]
    status: str
    kind: str

    def allows(self, zone: str, permission: str) -> bool:
        """Whether the token may do this in the zone."""
        return permission in self.permissions and self.sees(zone)

    def sees(self, zone: str) -> bool:
        """Whether the zone is in the token's scope."""
        return self.zones is None or zone in self.zones

    def listed_permissions(self) -> list[str]:
        """As a zone object names them."""
        return sorted(f"#{p.replace('dns:', 'dns_records:')}" for p in self.permissions)


class Tokens:
    """Every token the stand-in knows. Tokens are kept by value, so adding one again replaces it."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id
        self._tokens: dict[str, Token] = {}

    def add(
        self, value: str, zones: Iterable[str] | None, permissions: Iterable[str], status: str, kind: str
    ) -> Token:
        """Make a token known; editing includes reading."""
        granted = set(permissions)
        if unknown := granted - set(ALL_PERMISSIONS):
            raise ValueError(f"no such permissions: {sorted(unknown)}")
        if DNS_EDIT in granted:
            granted.add(DNS_READ)
        scope = None if zones is None else frozenset(ascii_name(zone) for zone in zones)
        token = Token(value, uuid.uuid4().hex, scope, frozenset(granted), status, kind)
        self._tokens[value] = token
        return token

    def works(self, value: str) -> bool:
        """Whether a token of this value is active."""
        return value in self._tokens and self._tokens[value].status == "active"

    def authorised(self, request: Request) -> Token:
        """The active token the request carries. Raises Refused."""
        token = self._carried(request)
        if token is None or token.status != "active":
            raise Refused(9109, message="Invalid access token")
        return token

    def verify(self, request: Request) -> Reply:
        """The answer of /user/tokens/verify, which knows nothing of the tokens an account owns."""
        token = self._carried(request)
        if token is None or token.kind != "user":
            raise Refused(1000)
        return _verified(token)

    def verify_owned(self, request: Request, account_id: str) -> Reply:
        """The answer of /accounts/{id}/tokens/verify."""
        token = self._carried(request)
        if token is None or token.kind != "account" or account_id != self._account_id:
            raise Refused(10000, status=401)
        return _verified(token)

    def _carried(self, request: Request) -> Token | None:
        header = request.headers.get("authorization")
        if header is None:
            raise _without_authorization(request)
        scheme, _, value = header.partition(" ")
        if scheme.lower() != "bearer":
            raise Refused(6003, cause=6111)
        if value not in self._tokens and not _WELL_FORMED.fullmatch(value):
            raise Refused(6003, cause=6111)
        return self._tokens.get(value)


def _without_authorization(request: Request) -> Refused:
    """The stand-in has no global keys, so those are unknown at best."""
    email, key = request.headers.get("x-auth-email"), request.headers.get("x-auth-key")
    if email is None or key is None:
        return Refused(9106)
    if "@" not in email:
        return Refused(6003, cause=6102)
    if not re.fullmatch(r"[0-9a-f]{37}|cfk_\w+", key):
        return Refused(6003, cause=6103)
    return Refused(9103)


def _verified(token: Token) -> Reply:
    text = {"code": 10000, "message": "This API Token is valid and active", "type": None}
    return success({"id": token.id, "status": token.status}, [text] if token.status == "active" else [])
