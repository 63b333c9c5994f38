"""The routes of the Cloudflare stand-in below /client/v4, and who may use them."""

import re
from collections.abc import Callable
from http import HTTPMethod
from typing import Any

from webapp.sandbox.cloudflare_answers import Refused, page_of, success
from webapp.sandbox.cloudflare_listing import listed
from webapp.sandbox.cloudflare_records import BATCH_ORDER, Record
from webapp.sandbox.cloudflare_tokens import DNS_EDIT, DNS_READ, ZONE_READ, Tokens
from webapp.sandbox.cloudflare_zones import Zone, zones_page
from webapp.sandbox.server import Reply, Request

BASE = "/client/v4"
RECORDS_A_PAGE = 100

_IDENTIFIER = re.compile(r"[0-9a-f]{32}")
_CLOSED_ENDINGS = (".cf", ".ga", ".gq", ".ml", ".tk")

Handler = Callable[..., Reply]


class Api:
    """Finds the handler for a request and counts the changing requests that were accepted."""

    def __init__(self, account_id: str) -> None:
        self.tokens = Tokens(account_id)
        self.zones: dict[str, Zone] = {}
        self.writes = 0
        self.page_cap = 5000
        record = {"GET": self._get, "PATCH": self._patch, "PUT": self._put, "DELETE": self._delete}
        records = r"/zones/([^/]*)/dns_records"
        self._routes: list[tuple[re.Pattern[str], dict[str, Handler]]] = [
            (re.compile(pattern), handlers)
            for pattern, handlers in (
                (r"/user/tokens/verify", {"GET": self.tokens.verify}),
                (r"/accounts/([^/]*)/tokens/verify", {"GET": self.tokens.verify_owned}),
                (r"/zones", {"GET": self._zones}),
                (r"/zones/([^/]*)", {"GET": self._zone}),
                (records, {"GET": self._list, "POST": self._post}),
                (records + "/batch", {"POST": self._batch}),
                (records + "/usage", {"GET": self._usage}),
                (records + "/([^/]*)", record),
            )
        ]

    def answer(self, request: Request) -> Reply:
        """Answer one request, errors included."""
        try:
            reply = self._routed(request)
        except Refused as refused:
            return refused.reply()
        if request.method != HTTPMethod.GET:
            self.writes += 1
        return reply

    def _routed(self, request: Request) -> Reply:
        path = request.path.removeprefix(BASE)
        for pattern, handlers in self._routes:
            if match := pattern.fullmatch(path):
                if request.method not in handlers:
                    raise Refused(7001, method=request.method)
                return handlers[request.method](request, *match.groups())
        raise Refused(7000)

    def _zones(self, request: Request) -> Reply:
        token = self.tokens.authorised(request)
        if ZONE_READ not in token.permissions:
            raise Refused(9109)
        return zones_page(self.zones.values(), token, request)

    def _zone(self, request: Request, zone_id: str) -> Reply:
        token = self.tokens.authorised(request)
        _check_identifier(request, zone_id)
        zone = self.zones.get(zone_id)
        if zone is None or not token.allows(zone.name, ZONE_READ):
            raise Refused(9109)
        return success(zone.shown(token))

    def _opened(self, request: Request, zone_id: str, record_id: str | None = None) -> Zone:
        """The zone whose records the request is about. Cloudflare does not say why it refuses one."""
        token = self.tokens.authorised(request)
        _check_identifier(request, zone_id)
        if record_id is not None:
            _check_identifier(request, record_id)
        zone = self.zones.get(zone_id)
        need = DNS_READ if request.method == HTTPMethod.GET else DNS_EDIT
        if zone is None or not token.allows(zone.name, need):
            raise Refused(10000)
        if need == DNS_EDIT and zone.name.endswith(_CLOSED_ENDINGS):
            raise Refused(1038)
        return zone

    def _list(self, request: Request, zone_id: str) -> Reply:
        records = self._opened(request, zone_id).records
        return page_of(listed(records, request), request, RECORDS_A_PAGE, self.page_cap, least_pages=1)

    def _post(self, request: Request, zone_id: str) -> Reply:
        zone = self._opened(request, zone_id)
        return success(zone.records.create(_body(request)))

    def _get(self, request: Request, zone_id: str, record_id: str) -> Reply:
        return success(self._opened(request, zone_id, record_id).records.get(record_id))

    def _patch(self, request: Request, zone_id: str, record_id: str) -> Reply:
        zone = self._opened(request, zone_id, record_id)
        return success(zone.records.patch(record_id, _body(request)))

    def _put(self, request: Request, zone_id: str, record_id: str) -> Reply:
        zone = self._opened(request, zone_id, record_id)
        return success(zone.records.replace(record_id, _body(request)))

    def _delete(self, request: Request, zone_id: str, record_id: str) -> Reply:
        self._opened(request, zone_id, record_id).records.delete(record_id)
        return success({"id": record_id})

    def _batch(self, request: Request, zone_id: str) -> Reply:
        zone = self._opened(request, zone_id)
        operations = _operations(_body(request))
        if sum(map(len, operations.values())) > zone.plan.operations:
            # The real code for this is unknown.
            raise Refused(9207)
        done = zone.records.batch(operations)
        return success({key: done.get(key) for key in BATCH_ORDER})

    def _usage(self, request: Request, zone_id: str) -> Reply:
        records = self._opened(request, zone_id).records
        return success({"record_quota": records.quota, "record_usage": len(records)})


def _check_identifier(request: Request, text: str) -> None:
    if not _IDENTIFIER.fullmatch(text):
        raise Refused(7003, path=request.path)


def _body(request: Request) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(9207, message="Content-type must be application/json.")
    try:
        body = request.json()
    except ValueError as error:
        raise Refused(9207, message="Failed to parse request body.") from error
    if not isinstance(body, dict):
        raise Refused(9207)
    return body


def _operations(body: dict[str, Any]) -> dict[str, list[Record]]:
    """The lists of a batch that were sent."""
    operations = {key: body[key] for key in BATCH_ORDER if body.get(key) is not None}
    for items in operations.values():
        if not isinstance(items, list) or not all(map(_is_operation, items)):
            raise Refused(9207)
    return operations


def _is_operation(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("id", ""), str)
