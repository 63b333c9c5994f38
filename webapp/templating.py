"""What every template may use: icons live in the templates, dates and asset addresses here."""

import secrets
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from flask import Flask, url_for

from webapp.db import now
from webapp.dns.names import readable

# Endpoint, label, icon, and the blueprints whose pages belong to it; what is not there is left out.
NAVIGATION = (
    ("overview.overview", "Overview", "dashboard", {"overview"}),
    ("deploy.index", "Apps", "box", {"deploy", "instance", "action"}),
    ("proxy.index", "Proxies", "route", {"proxy"}),
    ("certificates.index", "Certificates", "lock", {"certificates"}),
    ("dns.index", "DNS", "world", {"dns", "history"}),
    ("settings.index", "Settings", "settings", {"settings"}),
)
STEPS = ((60, "second", 1), (3600, "minute", 60), (86400, "hour", 3600), (86400 * 60, "day", 86400))


def install(app: Flask) -> None:
    """Add the filters and globals."""
    fingerprints: dict[str, str] = {}

    def asset(name: str) -> str:
        """Address of a static file, with its fingerprint so that browsers may keep it for good."""
        if name not in fingerprints:
            content = (Path(app.static_folder or "") / name).read_bytes()
            fingerprints[name] = sha256(content).hexdigest()[:12]
        return url_for("static", filename=name, v=fingerprints[name])

    @app.context_processor
    def navigation() -> dict[str, object]:
        return {"navigation": [entry for entry in NAVIGATION if entry[0] in app.view_functions]}

    app.jinja_env.globals.update(
        asset=asset, sandbox=app.config["FORGE"].sandbox, now=now, fresh_key=fresh_key
    )
    app.jinja_env.filters.update(ago=ago, exact=exact, readable=readable)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def fresh_key() -> str:
    """A value that belongs to one form on one page: what is sent twice with it is one wish."""
    return secrets.token_urlsafe(16)


def ago(moment: datetime | None) -> str:
    """«3 minutes ago», «in 10 seconds», «just now»; empty for no moment."""
    if moment is None:
        return ""
    seconds = (now() - moment).total_seconds()
    size = abs(seconds)
    if size < 5:
        return "just now"
    _limit, unit, length = next((s for s in STEPS if size < s[0]), (0, "month", 86400 * 30))
    count = int(size // length)
    text = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{text} ago" if seconds > 0 else f"in {text}"


def exact(moment: datetime | None) -> str:
    """ISO time in UTC, for title and datetime attributes."""
    return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
