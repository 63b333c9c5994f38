"""The certbot behind the Nginx Proxy Manager stand-in: what it checks, how long it takes, and how it fails."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from webapp.sandbox.npm_dialect import Dialect, Row

LOG = "Saving debug log to /data/logs/letsencrypt.log"
HELP = (
    "Ask for help or search for solutions at https://community.letsencrypt.org. See the logfile "
    "/data/logs/letsencrypt.log or re-run Certbot with -v for more details."
)
CHALLENGE_FAILED = "Some challenges have failed."
RATE_LIMITED = (
    'Error creating new order :: too many failed authorizations (5) for "{name}" in the last 1h0m0s, retry after '
    "{until} UTC: see https://letsencrypt.org/docs/rate-limits/#authorization-failures-per-hostname-per-account"
)
ANOTHER = "Another instance of Certbot is already running."
CREDENTIALS_REFUSED = (
    "Error determining zone_id: 9109 Error code: 403 - {'success': False, 'errors': [{'code': 9109, 'message': "
    "'Invalid access token'}], 'messages': [], 'result': None}. Please confirm that you have supplied valid "
    "Cloudflare API credentials. (Did you enter a valid Cloudflare Token?)"
)
UNKNOWN_ZONE = (
    "Unable to determine zone_id for {name} using zone names: ['{name}']. Please confirm that the domain name has "
    "been entered correctly and is already associated with the supplied Cloudflare account."
)
GARBAGE = (
    "Error parsing credentials configuration '/etc/letsencrypt/credentials/credentials-1': Invalid line ('{line}') "
    "(matched as neither section nor keyword) at line 1."
)


@dataclass
class Certbot:
    """Answers why there is no certificate, or nothing.

    `says` is what it prints instead of a certificate, every time; `seconds` is what it takes. `dies`: NPM goes down
    while it works, so its row stays. `reaches` tells whether the world gets to a name over http, `complains` what
    Cloudflare has against a token and a name, if anything.
    """

    dialect: Dialect
    says: str = ""
    seconds: float = 0.0
    dies: bool = False
    running: bool = False
    runs: int = 0
    reaches: Callable[[str], bool] = lambda _name: True
    complains: Callable[[str, str], str] = lambda _token, _name: ""
    pause: Callable[[float], None] = lambda _seconds: None

    def run(self, names: list[str], meta: Row, shown: Callable[[str], bool]) -> str:
        """What went wrong; empty for a certificate. `shown`: whether nginx shows the answer to a name's challenge."""
        if self.running:
            return ANOTHER
        self.running = True
        self.runs += 1
        try:
            self.pause(self.seconds)
            return self.says or self._refused(names, meta, shown)
        finally:
            self.running = False

    def _refused(self, names: list[str], meta: Row, shown: Callable[[str], bool]) -> str:
        needs_terms = not self.dialect.disguised
        if needs_terms and not (meta.get("letsencrypt_agree") and meta.get("letsencrypt_email")):
            return (
                "Unable to register an account with ACME server. The ACME server believes undefined is an invalid "
                "email address. Please ensure it is a valid email and attempt registration again."
            )
        if meta.get("dns_challenge"):
            return self._zones(names, str(meta.get("dns_provider_credentials") or ""))
        if any(name.startswith("*.") for name in names):
            return "Client with the currently selected authenticator does not support any combination."
        return "" if all(self.reaches(name) and shown(name) for name in names) else CHALLENGE_FAILED

    def _zones(self, names: list[str], credentials: str) -> str:
        found = re.search(r"dns_cloudflare_api_token\s*=\s*(\S+)", credentials)
        if found is None:
            return GARBAGE.format(line=credentials)
        complaints = (self.complains(found[1], name.removeprefix("*.")) for name in names)
        return next((text for text in complaints if text), "")
