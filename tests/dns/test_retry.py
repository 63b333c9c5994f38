"""When to try again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.dns.retry import LONGEST, next_try

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
MIDDLE = 0.5


def pause(attempts: int, spread: float = MIDDLE, retry_after: timedelta | None = None) -> timedelta:
    return next_try(AT, attempts, spread, retry_after) - AT


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 2), (2, 4), (3, 8), (9, 512), (10, 900), (17, 900), (10**6, 900)]
)
def test_the_pause_doubles_up_to_a_quarter_of_an_hour(attempts, seconds):
    assert pause(attempts) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("spread", "seconds"), [(0.0, 6), (0.5, 8), (1.0, 10)])
def test_the_pause_moves_by_up_to_a_quarter_either_way(spread, seconds):
    assert pause(3, spread) == timedelta(seconds=seconds)


def test_it_is_never_sooner_than_the_provider_asked():
    assert pause(1, retry_after=timedelta(minutes=5)) == timedelta(minutes=5)


def test_a_short_request_of_the_provider_does_not_shorten_the_pause():
    assert pause(9, retry_after=timedelta(seconds=1)) == timedelta(seconds=512)


def test_even_the_longest_pause_yields_to_the_provider():
    assert pause(20, retry_after=timedelta(hours=1)) == timedelta(hours=1)


@settings(deadline=None)
@given(attempts=st.integers(1, 10**9), spread=st.floats(0, 1))
def test_the_pause_is_never_zero_and_never_much_longer_than_the_longest(attempts, spread):
    assert timedelta(seconds=1) <= pause(attempts, spread) <= LONGEST * 1.25
