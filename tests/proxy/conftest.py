"""A stand-in for Nginx Proxy Manager, and a panel that publishes there."""

import pytest

from tests.proxy.npm_world import stand_in
from tests.proxy.publish_world import Panel


@pytest.fixture
def version():
    """The release; parametrize `version` to choose."""
    return "2.15.1"


@pytest.fixture
def npm(version):
    """A stand-in with the account the panel uses."""
    with stand_in(version) as npm:
        yield npm


@pytest.fixture
def panel(npm, context):
    """A panel whose settings point at the stand-in."""
    return Panel(npm).connect()
