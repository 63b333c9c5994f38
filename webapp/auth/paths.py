"""Addresses inside the panel, for sending people on after they signed in."""

from urllib.parse import urlsplit

LONGEST = 2000
PORTS = {"http": 80, "https": 443}


def local_path(text: str | None) -> str | None:
    """The text, if it is a path of this panel; None for all that a browser might take for another site."""
    if not text or len(text) > LONGEST or not text.startswith("/") or text.startswith("//"):
        return None
    if "\\" in text or not text.isprintable() or " " in text:
        return None
    return text


def path_within(url: str | None, base: str) -> str | None:
    """Path and query of the address, if it has the same origin as `base`."""
    if not url or origin_of(url) is None or origin_of(url) != origin_of(base):
        return None
    parts = urlsplit(url)
    return local_path((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def origin_of(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None for what is no http address."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in PORTS or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or PORTS[parts.scheme]
