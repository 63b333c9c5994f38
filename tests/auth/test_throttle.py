"""Guessing becomes slow; nobody is locked out for good."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from webapp.auth import throttle
from webapp.auth.clients import Client
from webapp.auth.models import Throttle
from webapp.auth.throttle import TooManyAttempts
from webapp.db import db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOME = Client("192.0.2.1", "")

pytestmark = pytest.mark.usefixtures("context")


def fail(times, client=HOME, account="ada", at=NOON):
    """Fail as fast as the throttle allows; the moment after the last wait."""
    for _ in range(times):
        try:
            throttle.take("sign-in", account, client, at)
        except TooManyAttempts as error:
            at += timedelta(seconds=error.retry_after)
            throttle.take("sign-in", account, client, at)
    return at


def wait_for(client=HOME, account="ada", at=NOON):
    """How many seconds the client has to wait; 0 if it may try."""
    try:
        throttle.take("sign-in", account, client, at)
    except TooManyAttempts as error:
        return error.retry_after
    return 0


def strangers(count):
    """Clients with an address each."""
    return [Client(f"198.51.100.{number}", "") for number in range(count)]


def test_a_few_typos_cost_nothing():
    assert fail(3) == NOON
    assert wait_for() == 0


def test_each_further_failure_doubles_the_wait():
    at, waits = fail(4), []
    for _ in range(4):
        waits.append(wait_for(at=at))
        at += timedelta(seconds=waits[-1])
        throttle.take("sign-in", "ada", HOME, at)
    assert waits == [2, 4, 8, 16]


def test_a_refused_attempt_does_not_prolong_the_wait():
    fail(4)
    assert [wait_for(), wait_for(), wait_for()] == [2, 2, 2]


def test_a_client_never_waits_longer_than_a_quarter_of_an_hour():
    assert wait_for(at=fail(40)) == 15 * 60


def test_success_forgets_the_failures():
    fail(4)
    throttle.clear("sign-in", "ada", HOME)
    assert fail(3) == NOON


def test_an_hour_of_quiet_forgets_the_failures():
    at = fail(9)
    later = at + timedelta(hours=1, seconds=1)
    assert fail(3, at=later) == later


def test_an_account_under_attack_from_many_addresses_makes_repeated_failures_slow():
    for stranger in strangers(8):
        fail(1, client=stranger)
    fail(3)
    assert wait_for() == 2 ** (8 + 3 - throttle.FREE_PER_ACCOUNT)


def test_an_account_under_attack_still_lets_a_newcomer_try():
    for stranger in strangers(30):
        fail(1, client=stranger)
    assert wait_for() == 0


def test_the_wait_of_an_account_ends_after_five_minutes_at_most():
    for stranger in strangers(60):
        fail(1, client=stranger)
    fail(3)
    assert wait_for(at=NOON + timedelta(minutes=5)) == 0


def test_another_address_does_not_wait_for_this_one():
    fail(9)
    assert wait_for(client=Client("192.0.2.2", "")) == 0


def test_one_address_waits_whatever_account_it_tries():
    for number in range(4):
        throttle.take("sign-in", f"name-{number}", HOME, NOON)
    assert wait_for(account="another") == 2


def test_purposes_do_not_share_failures():
    fail(9)
    throttle.take("set-up", "ada", HOME, NOON)


def test_what_was_typed_as_a_name_is_not_stored():
    throttle.take("sign-in", "my secret password", HOME, NOON)
    assert not any("secret" in key for key in db.session.scalars(select(Throttle.key)))


def test_failures_outlive_a_restart(app):
    fail(4)
    with app.app_context():
        assert wait_for() == 2


def test_the_message_counts_correctly():
    assert (
        TooManyAttempts(timedelta(seconds=1)).message == "Too many attempts. Wait 1 second, then try again."
    )
    assert TooManyAttempts(timedelta(milliseconds=2)).retry_after == 1
    assert "15 seconds" in TooManyAttempts(timedelta(seconds=15)).message
