"""Answers of Cloudflare's API as they come over the wire, for tests of what is made of them."""

from collections.abc import Callable
from typing import Any

import pytest
from requests_mock import Mocker

from tests.dns.provider_world import OWNER, TOKEN, ZONE
from webapp.dns.providers.cloudflare import Cloudflare
from webapp.dns.records import LiveRecord, Zone
from webapp.errors import ProviderError

API = "https://cloudflare.test/client/v4"
ZONE_ID = "e" * 32
HERE = Zone(ZONE_ID, ZONE, plan="free")
ZONES = f"{API}/zones"
RECORDS = f"{ZONES}/{ZONE_ID}/dns_records"


def client(token: str = TOKEN) -> Cloudflare:
    """The provider under test."""
    return Cloudflare(credentials={"token": token}, owner=OWNER, api_url=API)


def success(result: Any = None, **more: Any) -> dict[str, Any]:
    """The envelope of a good answer."""
    return {"result": result, "success": True, "errors": [], "messages": [], **more}


def page(items: list[Any], total: int | None = None, **info: Any) -> dict[str, Any]:
    """The envelope of one page of a listing."""
    return success(items, result_info={"total_count": len(items) if total is None else total, **info})


def failure(*codes: Any, chain: tuple[Any, ...] = (), text: str = "What went wrong.") -> dict[str, Any]:
    """The envelope of a refusal."""
    errors: list[dict[str, Any]] = [{"code": code, "message": text} for code in codes]
    if chain:
        errors[-1]["error_chain"] = [{"code": code, "message": text} for code in chain]
    return {"result": None, "success": False, "errors": errors, "messages": []}


def raw(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A record as the API answers it."""
    return {
        "id": f"{number:032x}",
        "name": f"app{number}.{ZONE}",
        "type": "A",
        "content": "192.0.2.1",
        "proxiable": True,
        "proxied": False,
        "ttl": 1,
        "settings": {},
        "meta": {},
        "comment": f"tiny-forge:{OWNER}",
        "tags": [],
        "created_on": "2025-08-27T20:36:32.16653Z",
        "modified_on": "2025-08-27T20:36:24.9667Z",
        **fields,
    }


def live(number: int = 1, **fields: Any) -> LiveRecord:
    """The same record in our words."""
    known = {"name": f"app{number}.{ZONE}", "type": "A", "content": "192.0.2.1", "mark": OWNER}
    return LiveRecord(f"{number:032x}", **{**known, **fields})


def raw_zone(name: str = ZONE, id: str = ZONE_ID, **fields: Any) -> dict[str, Any]:
    """A zone as the API answers it."""
    permissions = ["#dns_records:edit", "#dns_records:read", "#zone:read"]
    plan = {"id": "0" * 32, "legacy_id": "free"}
    return {
        "id": id, "name": name, "status": "active", "plan": plan, "permissions": permissions, **fields
    }  # fmt: skip


def answers(requests_mock: Mocker, **answer: Any) -> None:
    """Answer every call about the zone's records, and about the first of them, in this way."""
    for method, url in (("GET", RECORDS), ("POST", RECORDS), ("POST", f"{RECORDS}/batch")):
        requests_mock.register_uri(method, url, **answer)
    for method in ("PATCH", "DELETE"):
        requests_mock.register_uri(method, f"{RECORDS}/{live().id}", **answer)


def error_of(call: Callable[[], Any]) -> ProviderError:
    """The error that the call raises."""
    with pytest.raises(ProviderError) as caught:
        call()
    return caught.value
