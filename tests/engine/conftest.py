"""A real engine for the whole session, and an empty one for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.rig import Rig, missing, running_rig
from tests.engine.world import DockerWorld

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs an engine; the scheduler in tests/conftest.py keeps it in one process."""
    reason = missing()
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.engine)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    """The engine and its registries, with every image pushed."""
    with running_rig() as rig:
        yield rig


@pytest.fixture
def world(rig: Rig) -> Iterator[DockerWorld]:
    """The engine without containers, volumes and networks of earlier tests."""
    yield DockerWorld(rig)
    rig.clean_up()
