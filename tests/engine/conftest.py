"""A real engine for the whole session, and an empty one for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.rig import Rig, missing, running_rig
from tests.engine.world import DockerWorld

HERE = Path(__file__).parent

CONTRACT = ("engine_contract", "contract_images", "contract_containers", "contract_looks")
pytest.register_assert_rewrite(*(f"tests.deploy.{name}" for name in CONTRACT))


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the one engine, so it runs in one process, or not at all."""
    reason = missing()
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.engine)
            item.add_marker(pytest.mark.xdist_group("engine"))
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
