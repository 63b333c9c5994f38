"""The zones of the Cloudflare stand-in, and how they are listed and shown to a token."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from webapp.sandbox.cloudflare_answers import Refused, page_of, stamp
from webapp.sandbox.cloudflare_content import PLANS, Plan, ascii_name, unicode_name
from webapp.sandbox.cloudflare_records import Records
from webapp.sandbox.cloudflare_tokens import Token
from webapp.sandbox.server import Reply, Request

Quota = int | Literal["account"] | None
ZONES_A_PAGE, MOST_ZONES_A_PAGE = 20, 50
NAME_SERVERS = ("dina.ns.cloudflare.com", "rob.ns.cloudflare.com")

_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "equal": str.__eq__,
    "not_equal": str.__ne__,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": str.__contains__,
}


@dataclass
class Zone:
    """One zone; `name` is in Punycode, though Cloudflare shows the Unicode form."""

    name: str
    plan_id: str
    status: str
    account_id: str
    records: Records
    created_on: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def plan(self) -> Plan:
        """The limits of the zone's plan."""
        return PLANS[self.plan_id]

    def shown(self, token: Token) -> dict[str, Any]:
        """The zone object, with the token's permissions."""
        return {
            "id": self.id,
            "name": unicode_name(self.name),
            "status": self.status,
            "paused": False,
            "type": "full",
            "development_mode": 0,
            "name_servers": list(NAME_SERVERS),
            "original_name_servers": None,
            "original_registrar": None,
            "original_dnshost": None,
            "modified_on": self.created_on,
            "created_on": self.created_on,
            "activated_on": self.created_on if self.status == "active" else None,
            "meta": {
                "step": 2,
                "custom_certificate_quota": 0,
                "page_rule_quota": 3,
                "phishing_detected": False,
            },
            "owner": {"id": None, "type": "user", "email": None},
            "account": {"id": self.account_id, "name": "Example account"},
            "permissions": token.listed_permissions(),
            "plan": {"id": "0" * 32, "name": self.plan.title, "legacy_id": self.plan_id},
        }


def new_zone(
    name: str, plan: str, status: str, quota: Quota, account_id: str, now: Callable[[], datetime]
) -> Zone:
    """An empty zone. A quota of None is the plan's; "account" means that the account counts, not the zone."""
    limit = PLANS[plan].records if quota is None else quota
    records = Records(ascii_name(name), PLANS[plan], None if limit == "account" else limit, now)
    return Zone(ascii_name(name), plan, status, account_id, records, stamp(now()))


def zones_page(zones: Iterable[Zone], token: Token, request: Request) -> Reply:
    """The answer of GET /zones: what the token sees, filtered, sorted, in pages."""
    shown = [zone.shown(token) for zone in zones if token.sees(zone.name)]
    tests = list(_tests(request))
    every = any if request.first("match", "all") == "any" else all
    if tests:
        shown = [zone for zone in shown if every(test(zone) for test in tests)]
    order = request.first("order", "name")
    if order not in ("name", "status"):
        raise Refused(1004)
    shown.sort(key=lambda zone: str(zone[order]), reverse=request.first("direction") == "desc")
    return page_of(shown, request, ZONES_A_PAGE, MOST_ZONES_A_PAGE, least_pages=0)


def _tests(request: Request) -> Iterable[Callable[[dict[str, Any]], bool]]:
    if name := request.first("name"):
        yield _name_test(name.lower())
    if status := request.first("status"):
        yield lambda zone: bool(zone["status"] == status)
    if account := request.first("account.id"):
        yield lambda zone: bool(zone["account"]["id"] == account)


def _name_test(wanted: str) -> Callable[[dict[str, Any]], bool]:
    """The name as it is shown is compared, so that the Punycode of a Unicode zone finds nothing."""
    operator, colon, rest = wanted.partition(":")
    compare = _OPERATORS.get(operator) if colon else _OPERATORS["equal"]
    if compare is None:
        raise Refused(1004)
    text = rest if colon else wanted
    return lambda zone: compare(zone["name"], text)
