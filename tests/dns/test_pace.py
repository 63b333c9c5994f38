"""The API's limit is kept, over restarts, with room left for the operator's other tools."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.dns.provider_world import OWNER, TOKEN, ZONE
from webapp.db import reading
from webapp.dns.connections import CallWindow
from webapp.dns.pace import ALLOWED, RESERVE, WINDOW, Pace
from webapp.dns.providers.cloudflare import Cloudflare
from webapp.errors import Outage

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """Turns when told to."""

    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pace(context, clock):
    return Pace.of("a-token", clock)


def spend(pace, times):
    for _ in range(times):
        pace.spend()


def test_calls_are_stopped_before_the_limit_and_told_how_long(pace):
    pace.allowed = 5
    spend(pace, 5)
    with pytest.raises(Outage) as caught:
        pace.spend()
    assert caught.value.retry_after == WINDOW


def test_room_is_left_for_others():
    assert Pace("x", Clock()).allowed == ALLOWED - RESERVE == 960


def test_the_next_window_begins_when_the_first_is_over(pace, clock):
    pace.allowed = 2
    spend(pace, 2)
    clock.now += WINDOW
    spend(pace, 2)
    with pytest.raises(Outage):
        pace.spend()


def test_a_restart_forgets_nothing(pace, clock):
    pace.allowed = 3
    spend(pace, 3)
    again = Pace.of("a-token", clock)
    again.allowed = 3
    with pytest.raises(Outage):
        again.spend()


def test_another_token_has_a_budget_of_its_own(pace, clock):
    pace.allowed = 1
    pace.spend()
    Pace.of("another", clock).spend()


def test_the_token_itself_is_not_in_the_database(pace):
    pace.spend()
    with reading() as session:
        (row,) = session.query(CallWindow).all()
    assert "a-token" not in row.token


def test_what_others_have_used_counts_too(pace, clock):
    pace.spend()
    pace.told(RESERVE, 120)
    with pytest.raises(Outage) as caught:
        pace.spend()
    assert caught.value.retry_after == timedelta(seconds=120)
    clock.now += timedelta(seconds=121)
    pace.spend()


def test_plenty_left_changes_nothing(pace):
    pace.spend()
    pace.told(RESERVE + 1, 120)
    pace.spend()


def test_before_the_first_call_there_is_nothing_to_close(pace):
    pace.told(0, 60)
    pace.spend()


def test_the_provider_asks_before_each_call_and_passes_on_what_it_is_told(cloudflare, zone, requests_mock):
    heard = []

    class Watching:
        def spend(self):
            heard.append("spend")

        def told(self, left, seconds):
            heard.append((left, seconds))

    requests_mock.get(
        f"{cloudflare.url}/zones", headers={"Ratelimit": '"default";r=50;t=30'},
        json={"success": True, "result": [], "result_info": {"total_count": 0}},
    )  # fmt: skip
    Cloudflare(
        credentials={"token": TOKEN}, owner=OWNER, api_url=cloudflare.url, budget=Watching()
    ).list_zones()
    assert heard == ["spend", (50, 30)]


def test_a_budget_that_is_used_up_keeps_the_call_from_being_made(cloudflare, zone, context, clock):
    pace = Pace.of(TOKEN, clock)
    pace.allowed = 1
    provider = Cloudflare(credentials={"token": TOKEN}, owner=OWNER, api_url=cloudflare.url, budget=pace)
    provider.list_records(zone)
    calls = len(cloudflare.log)
    with pytest.raises(Outage, match="left for your other tools"):
        provider.list_records(zone)
    assert len(cloudflare.log) == calls
    assert ZONE
