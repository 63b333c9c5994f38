"""Repeats recorded requests against the stand-in and compares the answers, masking what differs in every run."""

import json
import re
from datetime import timedelta

import requests

from webapp.sandbox.npm import NpmStandIn
from webapp.sandbox.npm_certbot import CHALLENGE_FAILED

PASSWORD = "correct horse"
MASKED = ["id", "owner_user_id", "user_id", "name", "nickname", "avatar", "dates", "issuer", "debug"]
CERTBOT_FAILS = [
    "challenge-fails",
    "bad-token",
    "unknown-zone",
    "-credentials",
    ".create.fails",
    ".put.fails",
]
REFUSED = {"this is not nginx", "} location / {", "nonsense"}
LIMITED = {
    "visibility": "user",
    "proxy_hosts": "manage",
    "redirection_hosts": "hidden",
    "dead_hosts": "hidden",
    "streams": "hidden",
    "access_lists": "view",
    "certificates": "view",
}
# Hosts that were there when the recording used them, though nobody recorded how they were made.
UNRECORDED = {
    "nginxfail.global-broken.create": (47, "h47.example.com"),
    "proxy.new-cert.put": (2162, "put.forge.test"),
    "proxy.new-cert.put.fails": (2163, "bad.forge.test"),
    "limited.proxy-get-foreign": (2171, "adminowned.example.com"),
}


class Replay:
    """A world in which one recording is repeated; it knows what happened between the recorded requests."""

    def __init__(self, version, database):
        self.npm = NpmStandIn(version, iso_times=database == "mariadb")
        self.npm.nginx.refused |= REFUSED
        self.admin = self.limited = None
        self.challenge = ""
        self.ids = {}

    def __enter__(self):
        self.npm.start()
        return self

    def __exit__(self, *exc):
        self.npm.stop()

    def difference(self, exchange):
        """What the stand-in answered and what was recorded; None when they agree."""
        self.prepare(exchange)
        response = requests.request(
            exchange["method"],
            self.npm.url + re.sub(r"(?<=/)\d+", lambda m: str(self.mapped(m[0])), exchange["path"]),
            data=self.body(exchange),
            headers=self.headers(exchange),
            allow_redirects=False,
            timeout=10,
        )
        answer = decoded(response)
        self.learn(exchange["response_body"], answer)
        seen = (response.status_code, stable(answer))
        wanted = (exchange["status"], stable(self.renumbered(exchange["response_body"])))
        return None if seen == wanted else {"stand-in": seen, "recorded": wanted}

    def prepare(self, exchange):
        """Bring the world into the state in which the request was recorded."""
        name, npm = exchange["name"], self.npm
        if "before-setup" not in name and name != "health.no-trailing-slash":
            self.people(name)
        npm.starting = name.startswith("backend-down")
        npm.certbot.says = CHALLENGE_FAILED if any(part in name for part in CERTBOT_FAILS) else ""
        if name.endswith("-style"):
            npm.certbot.says = CHALLENGE_FAILED if exchange["status"] == 500 else ""
        npm.nginx.unresolvable.clear()
        if "vanished" in name or "locations-unresolvable" in name:
            npm.nginx.unresolvable.update({"container-a", "no-such-host.invalid"})
        npm.nginx_broken = False
        self.unrecorded(name)
        if exchange["method"] == "POST" and exchange["status"] == 201 and "proxy-hosts" in exchange["path"]:
            self.clear_the_way(exchange["request_body"]["domain_names"])
        npm.nginx_broken = "global-broken" in name

    def people(self, name):
        """The accounts as they were at that point of the recording."""
        npm = self.npm
        self.admin = self.admin or npm.add_user("admin@example.com", PASSWORD)
        self.limited = self.limited or npm.add_user("forge@example.com", PASSWORD, **LIMITED)
        if name.startswith("viewonly."):
            self.limited.permissions |= {"visibility": "all", "proxy_hosts": "view"}
        self.limited.disabled = "disabled-user" in name
        self.limited.deleted = name.startswith("deleted-user")
        self.limited.two_factor = name.startswith("login.2fa")

    def unrecorded(self, name):
        """Hosts and certificates that appeared without a recorded request."""
        if name in UNRECORDED:
            number, domain = UNRECORDED[name]
            self.clear_the_way([domain])
            fields = {"forward_host": "127.0.0.1", "forward_port": 19099}
            self.ids[number] = self.npm.host_by_hand(domain, **fields)["id"]
        if name == "proxy.tls.cert-not-covering":
            expires = self.npm.now() + timedelta(days=90)
            self.ids[17] = self.npm.add_certificate("*.forge.test", ["*.forge.test"], expires)
        if name == "proxy.create.duplicate-with-redirection":
            self.npm.occupy_by_hand("old.example.com")

    def clear_the_way(self, domains):
        """The recording removed hosts without recording it: a name that was accepted was free."""
        for row in self.npm.hosts():
            if {d.lower() for d in row["domain_names"]} & {d.lower() for d in domains}:
                self.npm.delete_by_hand(row["id"])

    def headers(self, exchange):
        """The recorded headers that matter, with a token of this world."""
        name = exchange["name"]
        recorded = exchange.get("request_headers")
        if recorded is None:
            anonymous = name.startswith(("health", "login.", "auth.none"))
            recorded = {} if anonymous else {"Authorization": "Bearer <JWT>"}
            if exchange["request_body"] is not None:
                recorded["Content-Type"] = "application/json"
        kept = {k: v for k, v in recorded.items() if k in ("Content-Type", "Authorization")}
        if kept.get("Authorization") == "Bearer <JWT>":
            kept["Authorization"] = self.authorization(name)
        return kept

    def authorization(self, name):
        """The bearer token that the exchange of this name was made with."""
        if "garbage" in name or "bad-signature" in name:
            return "Bearer a.b.c"
        if "challenge-token" in name:
            return f"Bearer {self.challenge}"
        limited = name.startswith(("limited.", "viewonly.", "disabled-user", "deleted-user"))
        user = self.limited if limited else self.admin
        token = self.npm.accounts.issue(user, "0s" if name.startswith("auth.expired") else "1d")["token"]
        return f"{'bearer' if 'lowercase' in name else 'Bearer'} {token}"

    def body(self, exchange):
        """The recorded body; a password is right where the login was answered with a token."""
        body = exchange["request_body"]
        if body is None or isinstance(body, str):
            return body
        text = json.dumps(self.renumbered(body))
        text = text.replace("<SECRET>", PASSWORD if exchange["status"] == 200 else "wrong")
        return text.replace("<110000 x chars>", "x" * 110_000)

    def learn(self, recorded, answer):
        """Remember which of our ids stands for a recorded one."""
        if isinstance(recorded, list) and isinstance(answer, list) and len(recorded) == len(answer) == 1:
            recorded, answer = recorded[0], answer[0]
        if isinstance(recorded, dict) and isinstance(answer, dict) and "id" in recorded and "id" in answer:
            self.ids[recorded["id"]] = answer["id"]
        if isinstance(answer, dict) and "challenge_token" in answer:
            self.challenge = answer["challenge_token"]

    def mapped(self, number):
        return self.ids.get(int(number), int(number))

    def renumbered(self, value):
        """A recorded value with the ids of this world."""
        if isinstance(value, list):
            return [self.renumbered(item) for item in value]
        if not isinstance(value, dict):
            return value
        result = {key: self.renumbered(item) for key, item in value.items()}
        if isinstance(result.get("certificate_id"), int):
            result["certificate_id"] = self.mapped(result["certificate_id"])
        if "Not Found - " in str(result.get("message")):
            result["message"] = re.sub(r"\b\d+\b", lambda m: str(self.mapped(m[0])), result["message"])
        return result


def decoded(response):
    """JSON where it is JSON, else text."""
    if response.headers["Content-Type"].startswith("application/json"):
        return response.json()
    return response.text


def stable(value, key=""):
    """The value without what differs from run to run; what is masked keeps its type."""
    if key in MASKED and value is not None:
        return f"<{type(value).__name__}>"
    if isinstance(value, dict):
        return {k: stable(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [stable(item) for item in value]
    return masked(value, key) if isinstance(value, str) else value


def masked(text, key):
    """Times, tokens, pages and what nginx says, each replaced by its form."""
    if text.startswith("<html>"):
        return re.findall("<title>.*</title>", text)
    if key in ("token", "challenge_token"):
        return "<token>"
    if key == "nginx_err":
        return "<command failed>" if text.startswith("Command failed") else "<nginx error>"
    return re.sub(r"\d", "0", text) if re.match(r"\d{4}-\d\d-\d\d[ T]", text) else text
