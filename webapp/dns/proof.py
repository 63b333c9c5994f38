"""Proves that a name leads here where its answers in DNS cannot: by a text that only this installation knows to say.

Path and text are a keyed hash of the name. They are public by nature, and tell nothing about the key.
"""

from dataclasses import dataclass

from webapp import vault

FOLDER = "/.well-known/tiny-forge/"


@dataclass(frozen=True)
class Proof:
    """Who asks `host` for `path` over HTTP is to get `text`."""

    host: str
    path: str
    text: str


def proof_for(name: str) -> Proof:
    """The proof of a name. A wildcard is proven by a name that nobody else uses."""
    path, text = vault.fingerprint("proof path", name), vault.fingerprint("proof text", name)
    host = f"forge-{path[:12]}{name[1:]}" if name.startswith("*.") else name
    return Proof(host, FOLDER + path[:24], f"tiny-forge {text[:48]}")
