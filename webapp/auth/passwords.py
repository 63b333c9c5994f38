"""Passwords: what is acceptable, and how they are stored."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Flask, current_app
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from webapp.errors import InvalidInput

SHORTEST = 12
LONGEST = 128
# zxcvbn takes time for long texts; what is not weak by then does not become so.
LOOKED_AT = 72
WEAK_SCORE = 1


class Passwords:
    """argon2id with 19 MiB, two passes and one lane (the OWASP minimum), or next to nothing for tests."""

    def __init__(self, *, cheap: bool = False) -> None:
        self._hasher, self._decoy = _tools(cheap)

    def hash(self, password: str) -> str:
        """What is stored instead of the password."""
        return self._hasher.hash(password)

    def matches(self, password: str, stored: str | None) -> bool:
        """Whether it is the password. Takes as long for an account that does not exist (None)."""
        try:
            return self._hasher.verify(stored or self._decoy, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, stored: str) -> bool:
        """Whether it was hashed with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)


@cache
def _tools(cheap: bool) -> tuple[PasswordHasher, str]:
    """The hasher, and a hash that fits no password."""
    times, memory = (1, 8) if cheap else (2, 19 * 1024)
    hasher = PasswordHasher(time_cost=times, memory_cost=memory, parallelism=1)
    return hasher, hasher.hash("nobody has this password")


def init(app: Flask, *, cheap: bool) -> None:
    """Give the app its hasher."""
    app.extensions["passwords"] = Passwords(cheap=cheap)


def current() -> Passwords:
    """The running app's hasher."""
    passwords: Passwords = current_app.extensions["passwords"]
    return passwords


def check(password: str, name: str, field: str = "password") -> None:
    """Raise InvalidInput for a password that is too short, too long or among the first to be tried."""
    if len(password) < SHORTEST:
        raise InvalidInput(f"Use at least {SHORTEST} characters; a few unrelated words are good.", field)
    if len(password) > LONGEST:
        raise InvalidInput(f"Use at most {LONGEST} characters.", field)
    if name.casefold() in password.casefold():
        raise InvalidInput("The password must not contain the user name.", field)
    if password.casefold() in _common() or zxcvbn(password[:LOOKED_AT], [name])["score"] <= WEAK_SCORE:
        raise InvalidInput(
            "This password is among the first that are tried. Use a few unrelated words.", field
        )


@cache
def _common() -> frozenset[str]:
    return frozenset(word for words in FREQUENCY_LISTS.values() for word in words if len(word) >= SHORTEST)
