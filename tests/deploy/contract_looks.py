"""The contract of engines: what is told about containers of ours in lists, logs, measures and events."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from tests.deploy.engine_world import OWNER, UNKNOWN, eventually, made, seen, started
from webapp.deploy.engine import Gone, Health, Restart, State

MEBIBYTE = 1024 * 1024


class LookContract:
    """What is told about containers: lists, logs, use, events."""

    def test_an_unknown_container_is_none(self, world):
        assert world.engine.container(UNKNOWN) is None

    def test_every_container_of_ours_is_listed_and_stopped_ones_too(self, world):
        stopped, running = made(world), started(world, name="forge-blog-prod-4")
        found = {container.id: container for container in world.engine.containers()}
        assert {number: found[number].state for number in found} == {
            stopped: State.CREATED,
            running: State.RUNNING,
        }
        assert {container.owner for container in found.values()} == {OWNER}
        assert found[running].name == "forge-blog-prod-4"

    def test_health_is_what_the_check_of_the_image_says(self, world):
        number = started(world, "healthy")
        assert eventually(lambda: seen(world, number).health is Health.HEALTHY)
        [listed] = world.engine.containers()
        assert listed.health is Health.HEALTHY

    def test_a_failing_check_is_told_with_its_words(self, world):
        number = started(world, "sick")
        assert eventually(lambda: seen(world, number).health is Health.UNHEALTHY)
        assert "not ready" in seen(world, number).health_output

    def test_without_a_check_there_is_no_health(self, world):
        assert seen(world, started(world)).health is Health.NONE

    def test_the_log_has_the_lines_with_their_times_and_marks_errors(self, world):
        number = started(world, "crash", restart=Restart.NO)
        assert eventually(lambda: len(world.engine.logs(number, 100)) == 2)
        lines = world.engine.logs(number, 100)
        assert {(line.text, line.is_error) for line in lines} == {
            ("starting", False),
            ("fatal: no database", True),
        }
        assert all(line.at and abs(datetime.now(UTC) - line.at) < timedelta(minutes=1) for line in lines)

    def test_of_a_long_log_the_last_lines_are_shown(self, world):
        number = started(world, "stubborn")
        assert eventually(lambda: len(world.engine.logs(number, 100)) >= 2)
        assert len(world.engine.logs(number, 1)) == 1

    def test_a_log_can_begin_at_a_time(self, world):
        number = started(world, "stubborn")
        assert eventually(lambda: len(world.engine.logs(number, 100)) >= 2)
        first = world.engine.logs(number, 100)[0]
        later = world.engine.logs(number, 100, since=first.at + timedelta(milliseconds=500))
        assert later
        assert first not in later

    def test_a_log_of_what_is_gone_says_so(self, world):
        with pytest.raises(Gone):
            world.engine.logs(UNKNOWN, 10)

    def test_what_a_running_container_uses_is_told_with_its_limit(self, world):
        number = started(world, memory=64 * MEBIBYTE)
        usage = world.engine.usage(number)
        assert usage.memory_limit == 64 * MEBIBYTE
        assert 0 < usage.memory < usage.memory_limit
        assert usage.pids > 0
        assert usage.cpus >= 0

    def test_what_does_not_run_uses_nothing(self, world):
        assert world.engine.usage(made(world)) is None

    def test_what_happens_to_a_container_of_ours_is_told_as_it_happens(self, world):
        number = made(world)
        events = world.engine.events(lambda: False)
        world.engine.start(number, Restart.NO)
        world.stop_by_hand(number)
        actions = []
        for event in events:
            assert event.container == number
            actions.append(event.action)
            if event.action == "die":
                break
        assert "start" in actions

    def test_a_change_of_health_is_told(self, world):
        events = world.engine.events(lambda: False)
        number = started(world, "healthy")
        found = next(event for event in events if event.action.startswith("health_status"))
        assert (found.container, found.action) == (number, "health_status: healthy")

    def test_what_happens_to_foreign_containers_is_not_told(self, world):
        events = world.engine.events(lambda: False)
        world.by_hand("theirs")
        number = started(world)
        assert next(events).container == number

    def test_events_end_soon_after_they_are_no_longer_wanted(self, world):
        enough = threading.Event()
        listener = threading.Thread(target=list, args=(world.engine.events(enough.is_set),))
        listener.start()
        enough.set()
        listener.join(3)
        assert not listener.is_alive()
