"""A panel that deploys to stand-ins: an engine with images, a proxy manager, and a clock that waits for nobody."""

import pytest

from tests.deploy.deploy_world import IMAGE, Panel
from tests.proxy.npm_world import stand_in
from webapp.deploy.engine import Login
from webapp.sandbox.engine import Behaviour, EngineStandIn


@pytest.fixture
def npm():
    """A stand-in with the account the panel uses."""
    with stand_in("2.15.1") as npm:
        yield npm


@pytest.fixture
def engine():
    """An engine whose registry has good and bad versions."""
    engine = EngineStandIn()
    for tag in ("v1", "v2", "v3"):
        engine.put_image(IMAGE, tag, behaviour=Behaviour.GOOD)
    engine.put_image(IMAGE, "checked", behaviour=Behaviour.GOOD, has_health_check=True)
    engine.put_image(IMAGE, "sick", behaviour=Behaviour.SICK, has_health_check=True)
    engine.put_image(IMAGE, "crash", behaviour=Behaviour.CRASH)
    engine.put_image(IMAGE, "deaf", behaviour=Behaviour.DEAF)
    engine.put_image(IMAGE, "locked", behaviour=Behaviour.GOOD, login=Login("ada", "right-password"))
    return engine


@pytest.fixture
def panel(app, npm, engine, context):
    """A panel whose settings point at the stand-ins."""
    return Panel(app, npm, engine).connect()


@pytest.fixture
def live(panel):
    """A panel with one deployed instance."""
    panel.add()
    panel.deploy()
    return panel
