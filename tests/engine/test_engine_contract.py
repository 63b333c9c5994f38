"""The real engine keeps the contract of engines."""

from tests.deploy.engine_contract import EngineContract


class TestDocker(EngineContract):
    """On an engine that is started for these tests."""
