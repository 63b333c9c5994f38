"""The accounts of the Nginx Proxy Manager stand-in: logins, tokens and who may do what."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from webapp.sandbox.npm_dialect import Dialect, Refusal, Row

SUBJECTS = ["proxy_hosts", "redirection_hosts", "dead_hosts", "streams", "access_lists", "certificates"]
_UNITS = {
    "y": 31_536_000,
    "Q": 7_776_000,
    "M": 2_592_000,
    "w": 604_800,
    "d": 86_400,
    "h": 3600,
    "m": 60,
    "s": 1,
}
_UNITS["ms"] = 0


@dataclass
class User:
    """An account; `permissions` has `visibility` (all, user) and manage, view or hidden per subject."""

    id: int
    email: str
    password: str
    created: datetime
    admin: bool
    permissions: dict[str, str]
    two_factor: bool = False
    disabled: bool = False
    deleted: bool = False

    def may(self, subject: str, *, change: bool) -> bool:
        """Whether the account may read (or `change`) a kind of object."""
        granted = "manage" if self.admin else self.permissions[subject]
        return granted == "manage" or (granted == "view" and not change)

    @property
    def sees_all(self) -> bool:
        """False for an account that sees only what it owns."""
        return self.permissions["visibility"] == "all"


@dataclass
class Token:
    """A bearer token; a challenge token only proves the first of two factors."""

    user: User
    expires: datetime
    challenge: bool = False


@dataclass
class Accounts:
    """Users and their tokens; `clock` tells the time."""

    dialect: Dialect
    clock: Callable[[], datetime]
    users: list[User] = field(default_factory=list)
    tokens: dict[str, Token] = field(default_factory=dict)

    def add(self, email: str, password: str, two_factor: bool, permissions: dict[str, str]) -> User:
        """A new account: an administrator unless permissions are named; those left out are generous."""
        granted = {"visibility": "all", **dict.fromkeys(SUBJECTS, "manage"), **permissions}
        number = len(self.users) + 1
        user = User(number, email, password, self.clock(), not permissions, granted, two_factor)
        self.users.append(user)
        return user

    def login(self, body: Row) -> Row:
        """A token, or the request for the second factor."""
        email = body["identity"].strip().lower()
        user = next((u for u in self.users if u.email == email and not u.disabled and not u.deleted), None)
        if user is None or user.password != body["secret"]:
            raise self.dialect.bad_login(known=user is not None)
        if user.two_factor:
            return {"requires_2fa": True, "challenge_token": self._new(user, timedelta(minutes=5), True)[0]}
        return self.issue(user, body.get("expiry") or "1d")

    def issue(self, user: User, lifetime: str) -> Row:
        """A new token that lasts for a time such as `1d` or `30s`."""
        match = re.fullmatch(r"(\d+)(ms|[yQMwdhms])", lifetime)
        if match is None:
            raise Refusal(400, f"Invalid expiry time: {lifetime}")
        token, expires = self._new(user, timedelta(seconds=int(match[1]) * _UNITS[match[2]]), False)
        return {"token": token, "expires": expires.strftime("%Y-%m-%dT%H:%M:%S.") + f"{expires:%f}"[:3] + "Z"}

    def expire_tokens(self) -> None:
        """Make every token a day too old."""
        for token in self.tokens.values():
            token.expires = self.clock() - timedelta(days=1)

    def bearer(self, header: str) -> Token | None:
        """The token of an Authorization header, None without one. Raises Refusal when it is no good."""
        if not header.startswith("Bearer "):
            return None
        token = self.tokens.get(header.removeprefix("Bearer "))
        if token is None:
            raise Refusal(500)
        if token.expires <= self.clock():
            raise self.dialect.expired(token.expires)
        return token

    def profile(self, user: User) -> Row:
        """The account as the API shows it to itself."""
        name = user.email.partition("@")[0]
        return self.dialect.row(
            {
                "id": user.id,
                "created_on": user.created,
                "modified_on": user.created,
                "is_disabled": user.disabled,
                "email": user.email,
                "name": name,
                "nickname": name,
                "avatar": "",
                "roles": ["admin"] if user.admin else [],
            }
        )

    def permissions(self, user: User) -> Row:
        """What the account may do; older releases show the whole database row."""
        if self.dialect.disguised:
            return dict(user.permissions)
        row = {"id": user.id, "created_on": user.created, "modified_on": user.created, "user_id": user.id}
        return self.dialect.row({**row, **user.permissions})

    def owner(self, number: int) -> Row:
        """The account as an object it owns shows it."""
        extra = {"is_deleted": 0} if self.dialect.ancient else {}
        return {**self.profile(self.users[number - 1]), **extra}

    def _new(self, user: User, lifetime: timedelta, challenge: bool) -> tuple[str, datetime]:
        text = f"standin.{secrets.token_hex(12)}.{secrets.token_hex(12)}"
        self.tokens[text] = Token(user, self.clock() + lifetime, challenge)
        return text, self.tokens[text].expires
