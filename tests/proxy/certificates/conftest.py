"""A panel that asks for certificates."""

import pytest

from tests.proxy.certificates.certificates_world import CertificatePanel


@pytest.fixture
def panel(npm, context):
    """A panel whose settings point at the stand-in."""
    return CertificatePanel(npm).connect()
