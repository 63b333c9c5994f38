"""The contract of engines: making, starting, stopping and removing containers of ours."""

import pytest

from tests.deploy.engine_world import OWNER, UNKNOWN, eventually, made, pulled, seen, started
from webapp.deploy.engine import Gone, Mount, MountKind, PortTaken, Restart, State
from webapp.errors import EngineError


class ContainerContract:
    """Making, starting, stopping and removing containers of ours."""

    def test_a_container_that_was_made_does_not_run_yet(self, world):
        container = seen(world, made(world))
        assert container.state is State.CREATED
        assert container.name == "forge-blog-prod-3"
        assert container.owner == OWNER
        assert container.image_id == pulled(world, "good")

    def test_a_container_of_an_image_that_is_not_there_cannot_be_made(self, world):
        with pytest.raises(Gone):
            made(world, image=f"sha256:{UNKNOWN}")

    def test_a_name_that_another_container_has_is_refused(self, world):
        world.by_hand("forge-blog-prod-3")
        with pytest.raises(EngineError) as caught:
            made(world)
        assert "forge-blog-prod-3" in caught.value.message
        assert not caught.value.will_heal

    def test_a_started_container_runs(self, world):
        assert seen(world, started(world)).state is State.RUNNING

    def test_a_container_on_a_network_that_was_not_there_has_an_address_on_it(self, world):
        container = seen(world, started(world, network="forge-new"))
        assert container.addresses["forge-new"]

    def test_starting_one_that_runs_leaves_it_alone(self, world):
        number = started(world)
        world.engine.start(number, Restart.NO)
        container = seen(world, number)
        assert (container.state, container.restarts) == (State.RUNNING, 0)

    def test_starting_one_that_is_gone_says_so(self, world):
        number = made(world)
        world.remove_by_hand(number)
        with pytest.raises(Gone):
            world.engine.start(number, Restart.NO)

    def test_a_port_that_somebody_else_has_is_told_apart(self, world):
        port = world.free_port()
        number = made(world, publish=("127.0.0.1", port))
        with world.occupied(port), pytest.raises(PortTaken) as caught:
            world.engine.start(number, Restart.NO)
        assert str(port) in caught.value.message
        assert seen(world, number).state is State.CREATED

    def test_a_container_that_found_its_port_taken_starts_when_it_is_free(self, world):
        port = world.free_port()
        number = made(world, publish=("127.0.0.1", port))
        with world.occupied(port), pytest.raises(PortTaken):
            world.engine.start(number, Restart.NO)
        world.engine.start(number, Restart.NO)
        assert seen(world, number).state is State.RUNNING

    def test_a_port_that_another_container_of_ours_has_is_taken(self, world):
        port = world.free_port()
        started(world, publish=("127.0.0.1", port))
        number = made(world, name="forge-blog-prod-4", publish=("127.0.0.1", port))
        with pytest.raises(PortTaken):
            world.engine.start(number, Restart.NO)

    def test_one_that_ends_says_with_which_code(self, world):
        number = started(world, "crash", restart=Restart.NO)
        assert eventually(lambda: seen(world, number).state is State.EXITED)
        assert seen(world, number).exit_code == 3

    def test_one_that_keeps_ending_is_started_again_and_counted(self, world):
        number = started(world, "crash", restart=Restart.UNLESS_STOPPED)
        assert eventually(lambda: seen(world, number).restarts > 1)

    def test_the_restart_policy_is_the_one_of_the_start(self, world):
        number = made(world, "crash", restart=Restart.UNLESS_STOPPED)
        world.engine.start(number, Restart.NO)
        assert eventually(lambda: seen(world, number).state is State.EXITED)
        assert seen(world, number).restarts == 0

    def test_a_stopped_one_has_ended_and_can_be_started_again(self, world):
        number = started(world)
        world.engine.stop(number, 1)
        assert seen(world, number).state is State.EXITED
        world.engine.start(number, Restart.UNLESS_STOPPED)
        assert seen(world, number).state is State.RUNNING

    def test_one_that_does_not_end_when_asked_is_ended(self, world):
        number = started(world, "stubborn")
        world.engine.stop(number, 1)
        assert seen(world, number).state is State.EXITED

    def test_one_that_keeps_ending_stays_stopped(self, world):
        number = started(world, "crash", restart=Restart.UNLESS_STOPPED)
        assert eventually(lambda: seen(world, number).restarts > 0)
        world.engine.stop(number, 1)
        restarts = seen(world, number).restarts
        assert not eventually(lambda: seen(world, number).state is not State.EXITED, 2)
        assert seen(world, number).restarts == restarts

    def test_stopping_what_is_stopped_or_gone_is_no_error(self, world):
        number = started(world)
        world.engine.stop(number, 1)
        world.engine.stop(number, 1)
        world.remove_by_hand(number)
        world.engine.stop(number, 1)

    def test_a_running_container_is_removed_and_removing_it_again_is_fine(self, world):
        number = started(world)
        world.engine.remove(number)
        world.engine.remove(number)
        assert world.engine.container(number) is None

    def test_volumes_stay_when_a_container_is_removed(self, world):
        number = made(world, mounts=(Mount(MountKind.VOLUME, "blog-data", "/data"),))
        assert seen(world, number).mounts == (Mount(MountKind.VOLUME, "blog-data", "/data"),)
        world.engine.remove(number)
        assert world.has_volume("blog-data")

    def test_a_volume_is_removed_and_removing_it_again_is_fine(self, world):
        world.engine.remove(made(world, mounts=(Mount(MountKind.VOLUME, "blog-data", "/data"),)))
        world.engine.remove_volume("blog-data")
        world.engine.remove_volume("blog-data")
        assert not world.has_volume("blog-data")

    def test_a_volume_that_a_container_uses_is_not_removed(self, world):
        made(world, mounts=(Mount(MountKind.VOLUME, "blog-data", "/data"),))
        with pytest.raises(EngineError) as caught:
            world.engine.remove_volume("blog-data")
        assert "blog-data" in caught.value.message
        assert world.has_volume("blog-data")
