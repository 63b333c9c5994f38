"""The headers that every answer carries."""

from flask import Flask, Response, request

YEAR = 365 * 24 * 3600
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def init(app: Flask) -> None:
    """Install them; error pages get them too."""
    app.after_request(_protect)


def _protect(response: Response) -> Response:
    response.headers.update(ALWAYS)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = f"max-age={YEAR}"
    response.headers["Cache-Control"] = _caching(response)
    return response


def _caching(response: Response) -> str:
    """Nothing is kept but static files, and those for good only under an address that names their content."""
    if request.endpoint != "static" or response.status_code >= 400:
        return "no-store"
    return f"public, max-age={YEAR}, immutable" if request.args.get("v") else "no-cache"
