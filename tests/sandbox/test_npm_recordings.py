"""The stand-in answers as the recorded releases of Nginx Proxy Manager did: status and body, exchange by exchange.

The recordings are not part of the repository. They are looked for beside it, or where TINY_FORGE_REFERENCE says.
"""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from tests.sandbox.npm_replay import Replay

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = Path(os.environ.get("TINY_FORGE_REFERENCE") or ROOT.parent / "shared" / "reference")

# A recorded exchange whose name starts with one of these is not replayed.
EXCLUDED = {
    "users.create": "the stand-in's accounts are made by its verb add_user",
    "users.list": "the stand-in's accounts are made by its verb add_user",
    "users.permissions": "the stand-in's accounts are made by its verb add_user",
    "users.disable": "the stand-in's accounts are made by its verb add_user",
    "users.password": "the stand-in's accounts are made by its verb add_user",
    "users.login-as": "the stand-in's accounts are made by its verb add_user",
    "users.delete": "the stand-in's accounts are made by its verb add_user",
    "2fa.": "two-factor set-up is not modelled, only the answer to a login",
    "login.2fa.wrong-code": "the second login step is not modelled",
    "login.2fa.short-code": "the second login step is not modelled",
    "login.2fa.bad-challenge": "the second login step is not modelled",
    "login.2fa.full-token-as-challenge": "the second login step is not modelled",
    "login.2fa.ok": "the second login step is not modelled",
    "login.2fa.backup-code": "the second login step is not modelled",
    "token-after-password-change": "passwords cannot be changed over the API",
    "cert.dns-providers": "the list of DNS plugins is not modelled",
    "cert.download": "certificates have no files",
    "cert.validate": "certificates have no files",
    "cert.custom.": "certificates have no files, so nothing can be uploaded",
    "cert.concurrent": "the stand-in handles one request at a time",
    "cert.put-not-allowed": "refers to an uploaded certificate",
    "cert.test-http": "asks a service on the internet",
    "acl.": "access lists are not modelled",
    "proxy.get.expand-access_list": "access lists are not modelled",
    "proxy.acl.": "access lists are not modelled",
    "proxy.tls.use-wildcard-cert": "access lists are not modelled",
    "proxy.delete.cert-survives": "refers to a certificate whose issue was not recorded",
    "redir.": "redirection hosts can only be listed",
    "limited.redir-create-hidden": "redirection hosts can only be listed",
    "dead.": "404 hosts can only be listed",
    "stream.": "streams are not modelled",
    "reports.": "not used by the panel",
    "settings.": "not used by the panel",
    "limited.settings": "not used by the panel",
    "limited.users-list": "not used by the panel",
    "limited.audit-log": "not used by the panel",
    "schema": "not used by the panel",
    "version.": "not used by the panel",
    "audit.": "not used by the panel",
    "viewonly.proxy-list": "the rows were not recorded",
    "direct-backend.": "bypasses the nginx in front",
}
REPLAYED = {
    ("2.9.22", "sqlite"): 42,
    ("2.10.4", "sqlite"): 42,
    ("2.11.3", "sqlite"): 42,
    ("2.12.6", "sqlite"): 42,
    ("2.13.7", "sqlite"): 42,
    ("2.14.0", "sqlite"): 42,
    ("2.15.1", "mariadb"): 42,
    ("2.15.1", "sqlite"): 296,
}


def recorded(version, database):
    file = "npm-exchanges" if (version, database) == ("2.15.1", "sqlite") else "npm-exchanges-versions"
    path = REFERENCE / f"{file}.json"
    if not path.exists():
        pytest.skip(f"the recordings of Nginx Proxy Manager are not here: {path.name}")
    exchanges = json.loads(path.read_text())
    return [e for e in exchanges if (e["npm_version"], e["db"]) == (version, database)]


def excluded(exchange):
    return any(exchange["name"].startswith(prefix) for prefix in EXCLUDED)


@pytest.mark.parametrize(("version", "database"), REPLAYED)
def test_the_stand_in_answers_as_the_recorded_release(version, database):
    exchanges = [e for e in recorded(version, database) if not excluded(e)]
    with Replay(version, database) as replay:
        differences = {e["name"]: d for e in exchanges if (d := replay.difference(e))}
    assert differences == {}
    assert len(exchanges) == REPLAYED[version, database]


def test_every_exclusion_names_a_recorded_exchange():
    names = {e["name"] for key in REPLAYED for e in recorded(*key)}
    used = Counter(prefix for prefix in EXCLUDED for name in names if name.startswith(prefix))
    assert set(EXCLUDED) == set(used)
