"""What the tests of certificates share: a panel that asks for them, and a DNS that shows what it is told to."""

import json
from datetime import timedelta

from tests.proxy.publish_world import Panel
from webapp import vault
from webapp.db import reading, transaction
from webapp.dns import ledger
from webapp.dns.connections import Connection
from webapp.dns.desired import Mode
from webapp.dns.names import Fqdn
from webapp.proxy.certificates import service
from webapp.proxy.certificates.certifier import Certifier
from webapp.proxy.certificates.models import CertificateRequest, Challenge, Holder
from webapp.proxy.certificates.service import CertificateWish

TOKEN = "cf-token-0123456789abcdef"
ZONE = "example.com"


class CertificatePanel(Panel):
    """A panel with the lane for certificates, too; `unseen` are the names whose record is not visible yet."""

    def __init__(self, npm, holder="here"):
        super().__init__(npm, holder)
        self.unseen = set()
        self.certifier = Certifier(holder, self.visible, clock=lambda: self.now)

    def visible(self, name):
        return f"No name server has {name} yet." if name in self.unseen else None

    def zone(self, token=TOKEN, zone=ZONE, provider="cloudflare"):
        """Connect a zone, as the settings do."""
        with transaction() as session:
            ledger.settings(session).mode = Mode.MANAGED
            session.add(
                Connection(
                    provider=provider, credentials_sealed=vault.seal(json.dumps({"token": token})),
                    zone_id="z1", zone_name=zone, zones=[zone],
                )
            )  # fmt: skip
        return self

    def ask(self, *names, challenge=Challenge.HTTP, proxy=None, **options):
        """Wish for a certificate; for a proxy when one is named."""
        holder = Holder.NOBODY if proxy is None else Holder.PROXY
        names = tuple(Fqdn(name) for name in names or ("app.example.com",))
        wish = CertificateWish(names, challenge, holder, proxy, options)
        return service.ask(wish, at=self.now).id

    def certify(self, passes=1, **later):
        """Let time pass, then have that many passes of the certificates' lane."""
        self.now += timedelta(**later)
        for _ in range(passes):
            self.certifier.run_due()
        return self

    def settle(self, passes=6):
        """Passes of both lanes, a second apart."""
        for _ in range(passes):
            self.certify(seconds=1)
            self.run()
        return self

    def request(self, number=1):
        with reading() as session:
            return session.get(CertificateRequest, number)

    def asked(self):
        """How often NPM was asked for a certificate."""
        return [
            json.loads(request.body)
            for request, _ in self.npm.log
            if (request.method, request.path) == ("POST", "/api/nginx/certificates")
        ]
