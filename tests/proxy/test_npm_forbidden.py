"""An address that the panel never talks to is called that, on the settings page and in every row."""

import pytest

from webapp import outgoing
from webapp.errors import ProxyError
from webapp.proxy.npm import NpmClient


@pytest.mark.parametrize("address", ["http://169.254.169.254", "http://[fe80::1]:81"])
def test_a_refused_address_is_called_refused(address):
    client = NpmClient(address, "a@example.com", "secret", "here", session=outgoing.session())
    with pytest.raises(ProxyError, match="link-local and cloud metadata addresses are refused") as refusal:
        client.account()
    assert not refusal.value.will_heal
