"""The contract of engines: pulling, and looking at images."""

import pytest

from tests.deploy.engine_world import UNKNOWN
from webapp.deploy.engine import Login
from webapp.errors import EngineError


def ignored(layer):
    """Nobody looks at the progress."""


class ImageContract:
    """Pulling, and looking at images."""

    def test_the_engine_says_which_it_is(self, world):
        info = world.engine.info()
        assert info.version
        assert info.api

    def test_a_pulled_image_has_an_id_and_the_registrys_name_for_it(self, world):
        image = world.engine.pull(world.reference("good"), None, ignored)
        assert image.id.startswith("sha256:")
        assert "@sha256:" in image.digest

    def test_an_image_says_whether_it_has_a_health_check_and_which_ports_it_means(self, world):
        good, healthy = (
            world.engine.pull(world.reference(kind), None, ignored) for kind in ("good", "healthy")
        )
        assert (good.has_health_check, healthy.has_health_check) == (False, True)
        assert good.ports == (8080,)

    def test_an_image_is_found_by_its_id_and_by_its_reference(self, world):
        image = world.engine.pull(world.reference("good"), None, ignored)
        assert world.engine.image(image.id) == image
        assert world.engine.image(world.reference("good")) == image

    def test_an_image_that_the_engine_does_not_have_is_none(self, world):
        assert world.engine.image(f"sha256:{UNKNOWN}") is None
        assert world.engine.image(world.reference("good") + "-unknown") is None

    def test_the_progress_of_every_layer_is_told(self, world):
        world.forget(world.reference("good"))
        layers = []
        world.engine.pull(world.reference("good"), None, layers.append)
        layers = [layer for layer in layers if layer.id]  # one without an id: nothing was heard for a while
        assert layers
        assert all(layer.status for layer in layers)
        assert all(0 <= layer.done <= layer.total or not layer.total for layer in layers)

    def test_a_pull_is_given_up_when_the_progress_says_so(self, world):
        world.forget(world.reference("good"))

        def give_up(layer):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            world.engine.pull(world.reference("good"), None, give_up)
        assert world.engine.pull(world.reference("good"), None, ignored)

    def test_a_tag_that_the_registry_does_not_have_is_named_and_not_waited_for(self, world):
        reference = world.reference("good") + "-unknown"
        with pytest.raises(EngineError) as caught:
            world.engine.pull(reference, None, ignored)
        assert reference in caught.value.message
        assert not caught.value.will_heal

    def test_a_repository_that_the_registry_does_not_have_is_not_waited_for(self, world):
        registry = world.reference("good").partition("/")[0]
        with pytest.raises(EngineError) as caught:
            world.engine.pull(f"{registry}/acme/unknown:v1", None, ignored)
        assert not caught.value.will_heal

    def test_a_registry_that_wants_a_password_gives_the_image_for_the_right_one(self, world):
        world.forget(world.reference("locked"))
        assert world.engine.pull(world.reference("locked"), world.login, ignored).id

    def test_a_registry_that_wants_a_password_refuses_a_wrong_one_and_none(self, world):
        world.forget(world.reference("locked"))
        for login in (None, Login(world.login.user, "wr0ng-Passw0rd")):
            with pytest.raises(EngineError) as caught:
                world.engine.pull(world.reference("locked"), login, ignored)
            assert not caught.value.will_heal
            assert "wr0ng-Passw0rd" not in caught.value.message

    def test_a_registry_that_does_not_answer_may_answer_later(self, world):
        with pytest.raises(EngineError) as caught:
            world.engine.pull(world.nowhere(), None, ignored)
        assert caught.value.will_heal
