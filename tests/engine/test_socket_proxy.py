"""Everything but removing volumes works through a filter in front of the engine's socket."""

import shutil

import pytest

from tests.deploy.contract_containers import ContainerContract
from tests.deploy.contract_images import ImageContract
from tests.deploy.contract_looks import LookContract
from tests.engine.servers import PATH
from tests.engine.socket_proxy import SocketProxy
from tests.engine.world import DockerWorld
from webapp.errors import EngineError

PORT = 15010


@pytest.fixture(scope="module")
def proxy(rig, tmp_path_factory):
    if shutil.which("haproxy", path=PATH) is None:
        pytest.skip("not installed: haproxy")
    proxy = SocketProxy(tmp_path_factory.mktemp("haproxy"), PORT, rig.socket)
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture
def world(rig, proxy):
    world = DockerWorld(rig)
    world.engine = rig.engine(host=proxy.host)
    yield world
    rig.clean_up()


class TestThroughTheProxy(ImageContract, ContainerContract, LookContract):
    """The contract, as far as it does not stop the engine."""

    def test_a_volume_is_removed_and_removing_it_again_is_fine(self, world):
        with pytest.raises(EngineError) as caught:
            world.engine.remove_volume("blog-data")
        assert "socket proxy" in caught.value.message
        assert "GET /volumes/blog-data" in caught.value.message
        assert not caught.value.will_heal

    test_a_volume_that_a_container_uses_is_not_removed = None


def test_an_engine_that_stopped_behind_the_proxy_may_come_back(world):
    world.stop_engine()
    try:
        with pytest.raises(EngineError) as caught:
            world.engine.containers()
    finally:
        world.start_engine()
    assert caught.value.will_heal
