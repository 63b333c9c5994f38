"""The line at the end of a run that says how many cases of a matrix there were."""

from types import SimpleNamespace

from tests.tallies import KEY, pytest_terminal_summary


def report(*properties, when="call"):
    return SimpleNamespace(user_properties=[*properties], when=when)


def test_cases_are_added_up_by_name_whatever_became_of_the_test():
    lines = []
    stats = {
        "passed": [report((KEY, ["A", 3, 3])), report(("other", 1)), report((KEY, ["B", 1, 1]))],
        "failed": [report((KEY, ["A", 4, 2])), report((KEY, ["A", 9, 9]), when="teardown")],
        "skipped": [report((KEY, ["A", 9, 9]))],
    }
    pytest_terminal_summary(SimpleNamespace(stats=stats, write_line=lines.append))
    assert lines == ["A: 7 cases, 5 converged", "B: 1 cases, 1 converged"]


def test_without_any_there_is_no_line():
    pytest_terminal_summary(SimpleNamespace(stats={}, write_line=None))
