"""Encrypts secrets at rest with a key that is not in the database."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask, current_app

from webapp.errors import KeyLost


class Vault:
    """Seals and unseals text (Fernet: AES-128-CBC with HMAC-SHA256) under a key derived from the secret key."""

    def __init__(self, secret_key: str) -> None:
        derived = HKDF(hashes.SHA256(), length=32, salt=None, info=b"tiny-forge vault 1").derive(
            secret_key.encode()
        )
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))
        self._key = HKDF(hashes.SHA256(), length=32, salt=None, info=b"tiny-forge fingerprint 1").derive(
            secret_key.encode()
        )

    def fingerprint(self, purpose: str, text: str) -> str:
        """A keyed hash of the text (HMAC-SHA256, hex): nobody can make it without the key, or learn the key."""
        return hmac.new(self._key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()

    def seal(self, text: str) -> str:
        """Encrypted, printable form of the text."""
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """The text again. Raises KeyLost when the key is another one."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise KeyLost from error


def init(app: Flask, secret_key: str) -> None:
    """Give the app its vault."""
    app.extensions["vault"] = Vault(secret_key)


def seal(text: str) -> str:
    """Encrypt with the running app's vault."""
    vault: Vault = current_app.extensions["vault"]
    return vault.seal(text)


def unseal(sealed: str) -> str:
    """Decrypt with the running app's vault. Raises KeyLost."""
    vault: Vault = current_app.extensions["vault"]
    return vault.unseal(sealed)


def fingerprint(purpose: str, text: str) -> str:
    """A keyed hash with the running app's vault: public by nature, and of this installation only."""
    vault: Vault = current_app.extensions["vault"]
    return vault.fingerprint(purpose, text)
