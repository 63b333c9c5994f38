"""A client for certificates at the Nginx Proxy Manager of the settings."""

from webapp import outgoing, vault
from webapp.proxy.certificates.client import TIMEOUT, CertificateClient
from webapp.proxy.models import NpmSettings


def connect(settings: NpmSettings, install: str) -> CertificateClient:
    """Signed in when first needed. Raises KeyLost."""
    return CertificateClient(
        settings.url,
        settings.email,
        vault.unseal(settings.password_sealed or ""),
        install,
        verify_tls=settings.verify_tls,
        session=outgoing.session(seconds=sum(TIMEOUT)),
    )
