"""What many tests need: a configuration, and a browser that is signed in and knows its CSRF token."""

from contextvars import Context
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Engine, select
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from webapp.auth import passwords, sessions
from webapp.auth.clients import Client
from webapp.auth.models import User
from webapp.config import Config, sqlite_url
from webapp.db import db, now, transaction

NAME = "ada"
PASSWORD = "blue-lantern-42-harbour"
SECRET_KEY = "a fixed key for tests only, long enough for everybody"


def make_config(data_dir: Path, **changes: Any) -> Config:
    """A configuration for tests: SQLite in the directory, a fixed key, cheap hashing."""
    values: dict[str, Any] = {
        "data_dir": data_dir,
        "secret_key": SECRET_KEY,
        "database_url": sqlite_url(data_dir),
        "testing": True,
        "name_servers": ("127.0.0.1:9",),  # nobody is there, which shows at once
        "public_side": ("127.0.0.1", 9),
        "address_sources": ("http://127.0.0.1:9/", "http://127.0.0.1:7/"),
    }
    return Config(**(values | changes))


def make_user(app: Flask, name: str = NAME, password: str = PASSWORD) -> None:
    """Add an account, unless there is one of that name."""
    with app.app_context():
        if db.session.scalar(select(User.id).where(User.name == name)) is None:
            stored = _hashed(password)
            with transaction() as session:
                first = session.scalar(select(User.id)) is None
                session.add(
                    User(name=name, password_hash=stored, created_at=now(), founder=True if first else None)
                )


@cache
def _hashed(password: str) -> str:
    return passwords.current().hash(password)


def remember_rules() -> None:
    """Compile each URL rule once per run instead of once per app, which is most of the cost of an app."""
    compiled: dict[tuple[str, str], dict[str, Any]] = {}
    compile_rule, known = Rule.compile, ("_parts", "_trace", "_converters")

    def remembered(rule: Rule) -> None:
        key = (rule.rule, repr(rule.defaults))
        if key in compiled and not rule.subdomain:
            for name, value in compiled[key].items():
                setattr(rule, name, value if name in known else value.__get__(rule, None))
            return
        compile_rule(rule)
        values = {name: getattr(rule, name) for name in known}
        compiled[key] = values | {name: getattr(rule, name).__func__ for name in ("_build", "_build_unknown")}

    Rule.compile = remembered


class CompiledTemplates(BytecodeCache):
    """Compiles each template once per run instead of once per app, which is most of the cost of a first page."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


COMPILED_TEMPLATES = CompiledTemplates()


class Browser:
    """A test client with the manners of a browser: cookies, CSRF tokens, and htmx headers when asked.

    Requests run outside any application context that the test holds open, as they do in the real server.
    """

    def __init__(self, app: Flask, base_url: str = "http://localhost", address: str = "127.0.0.1") -> None:
        self.app = app
        self.base_url = base_url
        self.address = address
        self.client = app.test_client()

    def get(self, path: str, *, htmx: bool = False, **kwargs: Any) -> TestResponse:
        """GET; with htmx=True as htmx asks for a fragment."""
        return self.open("GET", path, htmx=htmx, **kwargs)

    def post(self, path: str, data: Any = None, *, htmx: bool = False, **kwargs: Any) -> TestResponse:
        """POST a form with the CSRF token added."""
        return self.open("POST", path, htmx=htmx, data={**(data or {}), "csrf_token": self.token()}, **kwargs)

    def open(self, method: str, path: str, *, htmx: bool = False, **kwargs: Any) -> TestResponse:
        """Any request, exactly as given."""
        headers = dict(kwargs.pop("headers", None) or {})
        if htmx:
            headers = {"HX-Request": "true", "HX-Request-Type": "partial"} | headers
        kwargs.setdefault("base_url", self.base_url)
        kwargs.setdefault("environ_base", {"REMOTE_ADDR": self.address})
        return Context().run(self.client.open, path, method=method, headers=headers, **kwargs)

    def token(self) -> str:
        """A CSRF token that belongs to this browser's session."""
        raw: str = Context().run(self._session_value, "csrf_token", "0123456789abcdef" * 2)
        return str(URLSafeTimedSerializer(self.app.secret_key or "", salt="wtf-csrf-token").dumps(raw))

    def sign_in(self, name: str = NAME) -> "Browser":
        """Open a session for the account without asking for the password."""
        Context().run(self._sign_in, name)
        return self

    def anonymous(self) -> "Browser":
        """Another browser, signed in as nobody."""
        return Browser(self.app, self.base_url, self.address)

    def _session_value(self, key: str, default: str) -> Any:
        with self.client.session_transaction(base_url=self.base_url) as session:
            return session.setdefault(key, default)

    def _sign_in(self, name: str) -> None:
        with self.app.app_context():
            user = db.session.scalars(select(User).where(User.name == name)).one()
            token = sessions.start(user, Client(self.address, "Test browser"), now()).token
        with self.client.session_transaction(base_url=self.base_url) as session:
            session["_user_id"] = token
            session["_fresh"] = True


def remember_statements(engine: Engine) -> None:
    """Compile SQL statements once per run instead of once per app: all engines for SQLite speak alike."""
    if isinstance(engine.dialect, SQLiteDialect_pysqlite):
        engine._compiled_cache = STATEMENTS


STATEMENTS: Any = LRUCache(3000)
SQLiteDialect_pysqlite.__hash__ = lambda _dialect: 1
SQLiteDialect_pysqlite.__eq__ = lambda _dialect, other: isinstance(other, SQLiteDialect_pysqlite)
