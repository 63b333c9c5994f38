"""What the tests of the client share: releases, a stand-in with an account, a client for it, a wish."""

from dataclasses import replace

from webapp.proxy.npm import HostSpec, Mark, NpmClient
from webapp.sandbox.npm import NpmStandIn

VERSIONS = ["2.9.22", "2.11.3", "2.12.6", "2.13.7", "2.15.1"]
EMAIL, PASSWORD = "forge@example.com", "s3cret-Passw0rd"
OURS = Mark("install-1", "standalone", 7)
SPEC = HostSpec("app.example.com", "http", "10.0.0.5", 8080, allow_websocket_upgrade=True)


def stand_in(version, **permissions):
    """A stand-in with the account the client uses; permissions make it a plain one."""
    npm = NpmStandIn(version)
    npm.add_user("admin@example.com", "somebody else's")
    npm.add_user(EMAIL, PASSWORD, **permissions)
    return npm


def client(npm, **options):
    """A client with short timeouts."""
    defaults = {"read_timeout": (2, 2), "write_timeout": (2, 2)}
    return NpmClient(npm.url, EMAIL, PASSWORD, OURS.install, **{**defaults, **options})


def spec(**fields):
    return replace(SPEC, **fields)
