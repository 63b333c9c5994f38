"""Second wall against forged requests: a page of another origin may not change anything here."""

import logging

from flask import request
from werkzeug.exceptions import Forbidden

from webapp.auth.paths import origin_of

log = logging.getLogger("webapp.auth")

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OWN = frozenset({"same-origin", "none"})


class ForeignOrigin(Forbidden):
    """The browser says that another site sent this."""

    plain = True
    description = (
        "Another site sent this request, so nothing was changed. If you sent it from this panel and it is "
        "behind a reverse proxy, set TINY_FORGE_TRUSTED_PROXIES."
    )


def refuse_foreign() -> None:
    """Stop an unsafe request that its own headers show to come from elsewhere.

    Browsers send Sec-Fetch-Site over https and to localhost, Origin with every POST; the Referer is the last
    resort. What sends none of them is no browser, and still needs the token.
    """
    if request.method in SAFE:
        return
    if _is_foreign():
        log.warning("refused: %s %s from another origin", request.method, request.endpoint)
        raise ForeignOrigin


def _is_foreign() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in OWN
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    return bool(origin) and origin_of(origin or "") != origin_of(request.host_url)
