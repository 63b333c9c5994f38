"""Tests that try very many cases say at the end of the run how many those were, and how many came out well."""

from collections.abc import Iterator
from typing import Any

import pytest

KEY = "tally"


@pytest.fixture
def tally(record_property: Any) -> Any:
    """`tally("Fault matrix (NPM)", cases, converged)`; tests that use the same name are added up."""

    def counted(name: str, cases: int, converged: int) -> None:
        record_property(KEY, [name, cases, converged])

    return counted


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the sums, which come with the reports of the tests: so they do from other processes, too."""
    sums: dict[str, tuple[int, int]] = {}
    for name, cases, converged in _counted(terminalreporter.stats):
        before = sums.get(name, (0, 0))
        sums[name] = (before[0] + cases, before[1] + converged)
    for name, (cases, converged) in sorted(sums.items()):
        terminalreporter.write_line(f"{name}: {cases} cases, {converged} converged")


def _counted(stats: dict[str, list[Any]]) -> Iterator[tuple[str, int, int]]:
    for report in (report for outcome in ("passed", "failed") for report in stats.get(outcome, [])):
        for key, value in getattr(report, "user_properties", ()):
            if key == KEY and getattr(report, "when", "") == "call":
                yield tuple(value)
