"""The secrets of the filled-in form, and what is looked at after it was sent."""

import re
from html import unescape
from pathlib import Path

from webapp.db import now, reading
from webapp.dns import ledger
from webapp.dns.names import Fqdn
from webapp.proxy import service as proxies
from webapp.proxy.service import ProxyWish
from webapp.settings import service

EMAIL, NPM_PASSWORD = "forge@example.com", "npm-s3cret-harbour"
TOKEN = "cf-t0ken-that-nobody-may-see-0123456789-abcdef"


def saved(app):
    """The settings as they are stored."""
    with app.app_context():
        return service.current()


def stored_secrets(app):
    """The sealed secrets, as they are stored."""
    with app.app_context(), reading() as session:
        token = ledger.active_connection(session)
        return token and token.credentials_sealed, proxies.npm_settings(session).password_sealed


def beside(page, name):
    """The message beside a field."""
    found = re.search(rf'id="{name}-errors">(.*?)</div>', page.text, re.DOTALL)
    return unescape(found[1]) if found else None


def value_of(page, name):
    """What is in a text field."""
    tag = re.search(rf'<input[^>]* id="{name}"[^>]*>|<input[^>]* name="{name}"[^>]*>', page.text)
    value = re.search(r' value="([^"]*)"', tag[0])
    return unescape(value[1]) if value else ""


def everything_written(directory: Path) -> bytes:
    """Every byte that the panel keeps."""
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def add_proxy(app, name="app.example.com"):
    """A standalone proxy, as the form makes it."""
    with app.app_context():
        proxies.create(ProxyWish(Fqdn(name), "http", "10.0.0.5", 80), at=now())


def draft_in(page):
    """The id of the preview that a page asks to confirm."""
    return value_of(page, "draft")
