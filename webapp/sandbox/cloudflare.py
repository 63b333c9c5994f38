"""A stand-in for Cloudflare's API v4 on loopback: tokens, zones, DNS records, and a dashboard to act by hand."""

import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from webapp.sandbox.cloudflare_api import BASE, Api
from webapp.sandbox.cloudflare_content import ascii_name
from webapp.sandbox.cloudflare_records import Record
from webapp.sandbox.cloudflare_throttle import Throttle
from webapp.sandbox.cloudflare_tokens import ALL_PERMISSIONS
from webapp.sandbox.cloudflare_zones import Quota, Zone, new_zone
from webapp.sandbox.server import Reply, Request, StandIn


class CloudflareStandIn(StandIn):
    """Behaves like the real API, as far as a DNS sync can see.

    `public_ip` is what /cdn-cgi/trace says. `clock_offset` moves its clock. The verbs that end in `_by_hand`
    are somebody at the dashboard: they follow the same rules (they raise `Refused`) and count as no write.
    Records they return are copies.
    """

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.public_ip = "203.0.113.10"
        self.clock_offset = timedelta()
        self.account_id = uuid.uuid4().hex
        self._api = Api(self.account_id)
        self._throttle = Throttle(self.now)

    @property
    def url(self) -> str:
        """The base of every API address."""
        return self.address + BASE

    @property
    def writes(self) -> int:
        """How many changing requests were accepted; a batch is one."""
        return self._api.writes

    @property
    def page_cap(self) -> int:
        """The most records a page holds, whatever `per_page` asks for."""
        return self._api.page_cap

    @page_cap.setter
    def page_cap(self, value: int) -> None:
        self._api.page_cap = value

    def now(self) -> datetime:
        """The stand-in's time."""
        return datetime.now(UTC) + self.clock_offset

    def add_token(
        self,
        value: str,
        zones: Iterable[str] | None = None,
        permissions: Iterable[str] = ALL_PERMISSIONS,
        status: str = "active",
        kind: str = "user",
    ) -> str:
        """Make a token known, or replace it; returns its id.

        `zones` are the names it is good for (None: all). `permissions` are of "zone:read", "dns:read" and
        "dns:edit". `status` is "active", "disabled" or "expired"; `kind` is "user" or "account".
        """
        with self.lock:
            return self._api.tokens.add(value, zones, permissions, status, kind).id

    def knows(self, token: str) -> bool:
        """Whether this is a token that works."""
        with self.lock:
            return self._api.tokens.works(token)

    def add_zone(self, name: str, plan: str = "free", status: str = "active", quota: Quota = None) -> str:
        """A new zone; returns its id. `quota` replaces the plan's number of records ("account": none here)."""
        with self.lock:
            zone = new_zone(name, plan, status, quota, self.account_id, self.now)
            self._api.zones[zone.id] = zone
            return zone.id

    def set_zone_status(self, zone_id: str, status: str) -> None:
        """Move a zone to "initializing", "pending", "active" or "moved"."""
        with self.lock:
            self._api.zones[zone_id].status = status

    def limit_requests(self, count: int, window_seconds: float, *, retry_after: bool = True) -> None:
        """Answer 429 to a token after that many requests, with or without Retry-After, for a whole window."""
        with self.lock:
            self._throttle.limit(count, window_seconds, retry_after)

    def records(self, zone_name: str) -> list[Record]:
        """Every record of the zone, in the order of the API."""
        with self.lock:
            records = self._named_zone(ascii_name(zone_name)).records
            return [dict(record) for record in records.in_order(list(records))]

    def find(self, name: str, type: str | None = None) -> list[Record]:
        """The records of a complete name."""
        with self.lock:
            found = [r for zone in self._api.zones.values() for r in zone.records.named(ascii_name(name))]
            return [dict(record) for record in found if type in (None, record["type"])]

    def zone_of(self, name: str) -> str | None:
        """The zone that a name belongs to: the longest that fits."""
        with self.lock:
            fitting = (z.name for z in self._api.zones.values() if f".{name}".endswith(f".{z.name}"))
            return max(fitting, key=len, default=None)

    def put_by_hand(self, name: str, type: str, content: str, **fields: Any) -> Record:
        """Somebody makes a record; `meta` can be given, too."""
        with self.lock:
            meta = fields.pop("meta", None)
            records = self._zone_of(ascii_name(name)).records
            return dict(records.create({"name": name, "type": type, "content": content, **fields}, meta))

    def edit_by_hand(self, record_id: str, **fields: Any) -> Record:
        """Somebody changes a record; what is not named stays."""
        with self.lock:
            return dict(self._holder(record_id).records.patch(record_id, fields))

    def delete_by_hand(self, record_id: str) -> None:
        """Somebody deletes a record."""
        with self.lock:
            self._holder(record_id).records.delete(record_id)

    def wipe_comments(self, zone_name: str) -> None:
        """Another tool writes every record of the zone anew and drops the comments."""
        with self.lock:
            records = self._named_zone(ascii_name(zone_name)).records
            for record in records:
                records.patch(record["id"], {"comment": ""})

    def answer(self, request: Request) -> tuple[Reply | None, bool]:
        """As the base does it; whatever is answered carries a CF-Ray."""
        reply, cut = super().answer(request)
        if reply is not None:
            reply = replace(reply, headers={"CF-Ray": uuid.uuid4().hex[:16] + "-FRA", **reply.headers})
        return reply, cut

    def handle(self, request: Request) -> Reply:
        """Answer one request as Cloudflare does."""
        if request.path == "/cdn-cgi/trace":
            return self._trace(request)
        if not request.path.startswith(BASE + "/"):
            return Reply(404, "<html><head><title>404 Not Found</title></head></html>")
        headers, refusal = self._throttle.take(request.headers.get("authorization", ""))
        reply = refusal or self._api.answer(request)
        return replace(reply, headers={**headers, **reply.headers})

    def _trace(self, request: Request) -> Reply:
        lines = {
            "fl": "1f1",
            "h": request.headers.get("host", ""),
            "ip": self.public_ip,
            "ts": f"{self.now().timestamp():.3f}",
            "visit_scheme": "http",
            "uag": request.headers.get("user-agent", ""),
            "colo": "FRA",
            "http": "http/1.1",
            "loc": "DE",
            "tls": "off",
            "warp": "off",
        }
        text = "".join(f"{key}={value}\n" for key, value in lines.items())
        return Reply(200, text.encode(), {"Content-Type": "text/plain"})

    def _named_zone(self, name: str) -> Zone:
        """The zone of this name, the active one where there are several."""
        zones = [zone for zone in self._api.zones.values() if zone.name == name]
        if not zones:
            raise KeyError(name)
        return min(zones, key=lambda zone: zone.status != "active")

    def _zone_of(self, name: str) -> Zone:
        """The zone a record name belongs to: the longest that fits."""
        return self._named_zone(self.zone_of(name) or name)

    def _holder(self, record_id: str) -> Zone:
        for zone in self._api.zones.values():
            if record_id in zone.records:
                return zone
        raise KeyError(record_id)
