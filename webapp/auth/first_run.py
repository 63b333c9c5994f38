"""The first account: by the set-up page with a one-time code, or from the environment.

Until there is an account, whoever reaches the panel could make one; so the page asks for a code that only
somebody with access to the machine can see.
"""

import contextlib
import hmac
import logging
import os
import secrets
from datetime import datetime
from pathlib import Path

from flask import Flask

from webapp.auth import service, sessions, throttle
from webapp.auth.clients import Client
from webapp.auth.sessions import SignedIn
from webapp.config import Config
from webapp.db import now as present
from webapp.errors import InvalidInput, NotFound

log = logging.getLogger("webapp.auth")

SETUP = "set-up"
FILE = "setup-code"
# No letters or digits that are taken for one another; 20 of 31 signs are 99 bits.
SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP = 4, 5


def setup_code(data_dir: Path) -> str:
    """The one-time code, made at the first call and kept in the data directory for the owner only."""
    path = data_dir / FILE
    code = "-".join("".join(secrets.choice(SIGNS) for _ in range(GROUP)) for _ in range(GROUPS))
    draft = data_dir / f".{FILE}-{secrets.token_hex(4)}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(code + "\n")
    # Linking fails if the file is there, and never shows it half-written to another process.
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
    return path.read_text().strip()


def code_matches(entered: str, data_dir: Path) -> bool:
    """Whether it is the code, however it is spaced; takes the same time for all wrong ones."""
    try:
        code = (data_dir / FILE).read_text()
    except (
        FileNotFoundError
    ):  # used up a moment ago, or never made: it is not made here, for nobody could know it
        return False
    return hmac.compare_digest(_signs(entered), _signs(code))


def forget_code(data_dir: Path) -> None:
    """The code has done its work."""
    (data_dir / FILE).unlink(missing_ok=True)


def set_up(name: str, password: str, code: str, data_dir: Path, client: Client, now: datetime) -> SignedIn:
    """Create the first account and sign it in.

    Raises NotFound once there is an account, InvalidInput for a wrong code, name or password, TooManyAttempts.
    """
    if service.account_exists():
        raise NotFound("The panel has been set up already. Sign in instead.")
    throttle.take(SETUP, "", client, now)
    if not code_matches(code, data_dir):
        log.warning("set-up refused: wrong code from %s", client.address)
        raise InvalidInput("That is not the code. It was printed when the panel started.", field="code")
    throttle.clear(SETUP, "", client)
    user = service.create_account(name, password, now, only_as_first=True)
    forget_code(data_dir)
    log.info("set-up done: %s from %s", user.name, client.address)
    return sessions.start(user, client, now)


def announce_setup(app: Flask) -> str | None:
    """What to print at the start, while there is no account yet. Needs a database with tables."""
    config: Config = app.config["FORGE"]
    with app.app_context():
        if service.account_exists():
            forget_code(config.data_dir)
            return None
    return f"There is no account yet. Open /setup in a browser and enter this code: {setup_code(config.data_dir)}"


def ensure_admin_from_env(app: Flask) -> bool:
    """Create the configured first account if there is none; whether it did. Raises InvalidInput."""
    config: Config = app.config["FORGE"]
    if bool(config.admin_user) != bool(config.admin_password):
        raise InvalidInput("Set both TINY_FORGE_ADMIN_USER and TINY_FORGE_ADMIN_PASSWORD, or neither.")
    if not config.admin_user or not config.admin_password:
        return False
    with app.app_context():
        if service.account_exists():
            return False
        service.create_account(config.admin_user, config.admin_password, present(), only_as_first=True)
        forget_code(config.data_dir)
    return True


def _signs(text: str) -> bytes:
    return "".join(text.split()).replace("-", "").lower().encode()
