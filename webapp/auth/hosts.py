"""Which host names the panel answers to, and which proxies may say who is behind them.

A name is refused unless it is configured: otherwise a foreign page could point its own name at this machine
(DNS rebinding) and read the panel with its visitor's browser. Rebinding needs a name, so addresses are fine.
"""

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp.config import Config
from webapp.errors import InvalidInput

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REFUSAL = (
    "The panel does not know the host name that it was asked for.\n"
    "If the name is right, add it to TINY_FORGE_ALLOWED_HOSTS and restart the panel.\n"
)


def init(app: Flask, config: Config) -> None:
    """Install the host check and, if proxies are trusted, the reading of what they forward."""
    allowed = frozenset(_bare(name) for name in (*config.allowed_hosts, "localhost"))

    @app.before_request
    def refuse_unknown_host() -> Response | None:
        name = _bare(request.host)
        if name in allowed or _is_address(name):
            return None
        # Plain text: a page would need the session, and set a cookie for a name that is not ours.
        return Response(REFUSAL, 400, mimetype="text/plain")

    if config.trusted_proxies:
        app.wsgi_app = TrustedProxies(  # type: ignore[method-assign]
            app.wsgi_app, config.trusted_proxies, config.proxy_count
        )


class TrustedProxies:
    """Believes X-Forwarded-* headers only when the connection comes from one of the given networks."""

    def __init__(self, app: "WSGIApplication", networks: Iterable[str], count: int) -> None:
        self._direct = app
        self._forwarded = ProxyFix(app, x_for=count, x_proto=count, x_host=count, x_port=count)
        self._networks = [_network(text) for text in networks]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        app = self._forwarded if self._trusts(environ.get("REMOTE_ADDR", "")) else self._direct
        return app(environ, start_response)

    def _trusts(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._networks)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise InvalidInput(
            f"TINY_FORGE_TRUSTED_PROXIES: {text!r} is neither an address nor a network."
        ) from error


def _bare(host: str) -> str:
    """The name or address alone: no port, no brackets, no final dot, lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].removesuffix(".").lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
