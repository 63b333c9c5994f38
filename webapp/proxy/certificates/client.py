"""The client of Nginx Proxy Manager for certificates: asked for, renewed, and found again after a lost answer."""

from collections.abc import Collection, Sequence

from webapp.errors import ProxyError
from webapp.proxy import npm_certificate, npm_cover, npm_refusals
from webapp.proxy import npm_wire as wire
from webapp.proxy.certificates.models import Challenge
from webapp.proxy.certificates.reasons import Cure, Reason, explain
from webapp.proxy.npm import NpmClient
from webapp.proxy.npm_certificate import Certificate
from webapp.proxy.npm_mark import Mark
from webapp.proxy.npm_reader import HOSTS
from webapp.proxy.npm_transport import Answer, Lost

CERTIFICATES = "/nginx/certificates"
PROPAGATION = 30
"""Seconds that certbot lets pass before it has Let's Encrypt look for the record it made."""

TIMEOUT = (5.0, 300.0)
"""Connect, read: what it takes to get a certificate, installing a plugin included."""


class NoCertificate(ProxyError):
    """NPM answered that there is no certificate, and it left nothing behind."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.sentence, will_heal=reason.cure is not Cure.PERSON)
        self.reason = reason


class CertificateClient(NpmClient):
    """Asks for certificates. Two at once fail over there, so calls must go one at a time, which is up to the caller.

    Both calls take as long as Let's Encrypt does. They raise NoCertificate, and ProxyError with `unconfirmed`
    when no answer came: then `new_one` tells what became of it.
    """

    def request(self, names: Sequence[str], challenge: Challenge, token: str = "") -> Certificate:
        """A new certificate for the names from Let's Encrypt; `token` goes along for the DNS challenge."""
        body = {
            "provider": "letsencrypt",
            "domain_names": list(names),
            "meta": self._meta(challenge, token),
        }
        try:
            answer = self._npm.call("POST", CERTIFICATES, body, timeout=TIMEOUT)
        except Lost as lost:
            raise npm_refusals.unconfirmed(f"the certificate of {names[0]}") from lost
        if answer.status == 201 and isinstance(answer.data, dict) and "id" in answer.data:
            return npm_certificate.read(answer.data)
        raise self._refused(answer, challenge, [token])

    def cover(self, host_id: int, request_id: int, *, shows_challenge: bool) -> bool:
        """Have a copy of a host serve its names, too; False where NPM or nginx does not take it. See `npm_cover`."""
        row = self._row(host_id)
        if row is None:
            return False
        body = npm_cover.body(row, self._cover_mark(request_id), shows_challenge=shows_challenge)
        try:
            answer = self._npm.call("POST", HOSTS, body)
        except Lost:
            return any([*host.domains] == body["domain_names"] and host.online for host in self.list_hosts())
        if answer.status != 201 or not isinstance(answer.data, dict) or "id" not in answer.data:
            return False
        return self._read_back(int(answer.data["id"]), row["domain_names"][0]).online is True

    def uncover(self, request_id: int) -> None:
        """Delete what `cover` made for a request."""
        mark = self._cover_mark(request_id)
        for host in self.list_hosts():
            if host.mark == mark:
                self.delete_host(host.id)

    def _cover_mark(self, request_id: int) -> Mark:
        return Mark(self._install, npm_cover.COVER, request_id)

    def renew(self, certificate_id: int, secrets: Sequence[str] = ()) -> Certificate:
        """A new certificate in place of an old one of Let's Encrypt; nginx uses it after its next reload.

        `secrets` are not to be seen in what NPM says: it keeps the tokens that it was sent.
        """
        try:
            answer = self._npm.call("POST", f"{CERTIFICATES}/{certificate_id}/renew", timeout=TIMEOUT)
        except Lost as lost:
            raise npm_refusals.unconfirmed(f"the renewal of certificate {certificate_id}") from lost
        if answer.status == 200 and isinstance(answer.data, dict) and "id" in answer.data:
            return npm_certificate.read(answer.data)
        raise self._refused(answer, "", secrets)

    def _meta(self, challenge: Challenge, token: str) -> wire.Row:
        """What is to be known of the challenge; up to 2.12 also who agrees to Let's Encrypt's terms."""
        meta: wire.Row = {"dns_challenge": challenge is Challenge.DNS}
        if challenge is Challenge.DNS:
            meta |= {
                "dns_provider": "cloudflare",
                "dns_provider_credentials": f"dns_cloudflare_api_token={token}",
                "propagation_seconds": PROPAGATION,
            }
        if self.version() < (2, 13):
            meta |= {"letsencrypt_email": self._npm.email, "letsencrypt_agree": True}
        return meta

    def _refused(self, answer: Answer, challenge: str, secrets: Sequence[str]) -> NoCertificate:
        if answer.denied:
            return NoCertificate(
                Reason(
                    f"The account {self._npm.email} may not ask for certificates. Give it the permission in the "
                    "list of users of Nginx Proxy Manager: Manage for certificates.",
                    cure=Cure.PERSON,
                )
            )
        if answer.status in (400, 404):
            said = answer.message if answer.message != "Internal Error" else "it gives no reason"
            reason = explain([said], challenge, secrets)
            return NoCertificate(
                Reason("Nginx Proxy Manager refused to ask for it.", reason.detail, Cure.PERSON)
            )
        return NoCertificate(explain(answer.lines, challenge, secrets))


def new_one(
    certificates: Collection[Certificate], names: Sequence[str], known: Collection[int]
) -> Certificate | None:
    """The certificate for exactly these names that was not there before; NPM keeps no mark of ours on it."""
    wanted = set(names)
    found = [c for c in certificates if set(c.domains) == wanted and c.id not in known and is_automatic(c)]
    return max(found, key=lambda c: (c.is_made, c.id), default=None)


def is_automatic(certificate: Certificate) -> bool:
    """Whether NPM gets and renews it by itself, from Let's Encrypt."""
    return certificate.provider == "letsencrypt"
