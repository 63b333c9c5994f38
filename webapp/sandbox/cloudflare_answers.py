"""How Cloudflare's API answers: the envelope, its errors by number, and the pages of a list."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from webapp.sandbox.server import Reply, Request

_MORE = (
    " For more details, refer to "
    "<https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/>."
)

# 1004, 9020, 9101 and the statuses of 1000 and 9106 are not confirmed by a recorded answer.
ERRORS: Mapping[int, tuple[int, str]] = {
    1000: (401, "Invalid API Token"),
    1004: (400, "DNS Validation Error"),
    1038: (
        403,
        "You cannot use this API for domains with a .cf, .ga, .gq, .ml, or .tk TLD (top-level domain). "
        "To configure the DNS settings for this domain, use the Cloudflare Dashboard.",
    ),
    6003: (400, "Invalid request headers"),
    7000: (404, "No route for that URI"),
    7001: (405, "Method {method} not available for that URI"),
    7003: (404, "Could not route to {path}, perhaps your object identifier is invalid?"),
    9000: (400, "DNS name is invalid."),
    9003: (400, "Target {content} is not allowed for a proxied record."),
    9004: (400, "This record type cannot be proxied."),
    9005: (400, "Content for A record must be a valid IPv4 address."),
    9006: (400, "Content for AAAA record must be a valid IPv6 address."),
    9007: (400, "Content for {kind} record is invalid."),
    9009: (400, "Content for MX record must be a hostname."),
    9015: (400, "Record content exceeds the allowed length of 4096 wire format bytes."),
    9020: (400, "Invalid DNS record type."),
    9021: (400, "TTL must be between {least} and 86400 seconds, or 1 for Automatic."),
    9039: (400, "CNAME content cannot reference itself."),
    9101: (400, "priority is a required field."),
    9103: (403, "Unknown X-Auth-Key or X-Auth-Email"),
    9106: (400, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"),
    9109: (403, "Unauthorized to access requested resource"),
    9207: (400, "Request body is invalid."),
    9300: (400, "DNS record has {count} tags, exceeding the quota of {quota}."),
    9313: (400, "DNS record comment exceeds the maximum length of {limit} characters."),
    10000: (403, "Authentication error"),
    10100: (
        429,
        "More than {quota} requests per {window} seconds reached. "
        "Please wait and consider throttling your request speed",
    ),
    81044: (404, "Record does not exist."),
    81045: (400, "Record quota exceeded."),
    81053: (400, "An A, AAAA, or CNAME record with that host already exists." + _MORE),
    81054: (400, "A CNAME record with that host already exists." + _MORE),
    81056: (400, "NS records with that host already exist." + _MORE),
    81058: (400, "An identical record already exists."),
    83011: (400, "Combined content length of records with this name and type exceeds the limit."),
}


class Refused(Exception):
    """The request fails with this error; `message` and `status` replace what the table has for the code."""

    def __init__(self, code: int, *, message: str = "", status: int = 0, cause: int = 0, **details: object):
        usual_status, usual_message = ERRORS[code]
        self.code = code
        self.status = status or usual_status
        self.message = message or usual_message.format(**details)
        self.cause = cause
        super().__init__(f"{code}: {self.message}")

    def reply(self, **headers: str) -> Reply:
        """The error as it is answered; `cause` is the code of its error_chain (a bad request header)."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.cause:
            error["error_chain"] = [{"code": self.cause, "message": _HEADER_FORMAT[self.cause]}]
        return Reply(
            self.status, {"result": None, "success": False, "errors": [error], "messages": []}, headers
        )


_HEADER_FORMAT = {
    6102: "Invalid format for X-Auth-Email header",
    6103: "Invalid format for X-Auth-Key header",
    6111: "Invalid format for Authorization header",
}


def success(result: object, messages: Sequence[object] = (), **extra: object) -> Reply:
    """What a request that worked gets."""
    return Reply(200, {"result": result, "success": True, "errors": [], "messages": list(messages), **extra})


def page_of(items: Sequence[object], request: Request, usual: int, cap: int, least_pages: int) -> Reply:
    """One page of the items as the query asks, at most `cap` long; the size in force is in the answer."""
    page = _number(request, "page", 1)
    size = min(_number(request, "per_page", usual), cap)
    shown = items[(page - 1) * size : page * size]
    info = {
        "page": page,
        "per_page": size,
        "count": len(shown),
        "total_count": len(items),
        "total_pages": max(least_pages, -(-len(items) // size)),
    }
    return success(shown, result_info=info)


def _number(request: Request, name: str, default: int) -> int:
    """A query parameter that counts from 1. The real code for a bad one is unknown."""
    text = request.first(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise Refused(1004)
    return int(text)


def stamp(moment: datetime) -> str:
    """A time as Cloudflare writes it: as many decimals as are needed."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".") + "Z"
