"""Sessions live on the server, run out, and can be ended."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select

from tests.support import NAME, make_user
from webapp.auth import sessions
from webapp.auth.clients import Client
from webapp.auth.models import SignIn, User
from webapp.db import db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOME = Client("192.0.2.1", "Firefox")


@pytest.fixture
def user(app, context):
    """The only account."""
    make_user(app)
    return db.session.scalars(select(User).where(User.name == NAME)).one()


def test_the_token_leads_to_the_person(user):
    who = sessions.start(user, HOME, NOON)
    assert sessions.find(who.token, NOON) == who
    assert (who.user_id, who.name, who.get_id()) == (user.id, NAME, who.token)


def test_another_token_leads_nowhere(user):
    who = sessions.start(user, HOME, NOON)
    assert sessions.find(who.token[:-1] + "!", NOON) is None


def test_the_token_is_neither_stored_nor_shown(user):
    who = sessions.start(user, HOME, NOON)
    row = db.session.scalars(select(SignIn)).one()
    assert who.token not in {row.token_hash, row.address, row.user_agent}
    assert who.token not in repr(who)


def test_tokens_have_256_bits_and_differ(user):
    tokens = {sessions.start(user, HOME, NOON).token for _ in range(3)}
    assert len(tokens) == 3
    assert all(len(token) >= 43 for token in tokens)


def test_half_an_hour_without_a_request_ends_a_session(user):
    token = sessions.start(user, HOME, NOON).token
    assert sessions.find(token, NOON + timedelta(minutes=29, seconds=59))
    assert sessions.find(token, NOON + timedelta(minutes=59, seconds=58))
    assert sessions.find(token, NOON + timedelta(minutes=90)) is None


def test_twelve_hours_end_a_session_that_is_used_all_the_time(user):
    token = sessions.start(user, HOME, NOON).token
    for minutes in range(0, 12 * 60, 20):
        assert sessions.find(token, NOON + timedelta(minutes=minutes))
    assert sessions.find(token, NOON + timedelta(hours=12)) is None


def test_use_is_noted_once_a_minute_and_not_on_every_request(user):
    token = sessions.start(user, HOME, NOON).token
    writes = []
    event.listen(
        db.engine,
        "before_cursor_execute",
        lambda *args: writes.append(args[2]) if "UPDATE" in args[2] else None,
    )
    for second in (0, 10, 59, 60, 61, 119, 120):
        sessions.find(token, NOON + timedelta(seconds=second))
    assert len(writes) == 2
    assert db.session.scalars(select(SignIn)).one().last_seen_at == NOON + timedelta(seconds=120)


def test_the_list_has_the_open_sessions_and_the_latest_used_first(user):
    old = sessions.start(user, HOME, NOON)
    new = sessions.start(user, HOME, NOON + timedelta(minutes=20))
    assert [row.id for row in sessions.of_user(user.id, NOON + timedelta(minutes=25))] == [
        new.sign_in_id,
        old.sign_in_id,
    ]
    assert [row.id for row in sessions.of_user(user.id, NOON + timedelta(minutes=35))] == [new.sign_in_id]


def test_an_ended_session_is_gone(user):
    who = sessions.start(user, HOME, NOON)
    assert sessions.end(user.id, who.sign_in_id)
    assert sessions.find(who.token, NOON) is None
    assert not sessions.end(user.id, who.sign_in_id)


def test_nobody_ends_the_session_of_another_person(user):
    who = sessions.start(user, HOME, NOON)
    assert not sessions.end(user.id + 1, who.sign_in_id)
    assert sessions.find(who.token, NOON)


def test_all_sessions_but_one_can_be_ended(user):
    kept, *others = [sessions.start(user, HOME, NOON) for _ in range(3)]
    assert sessions.end_all(user.id, keep=kept.sign_in_id) == 2
    assert sessions.find(kept.token, NOON)
    assert not any(sessions.find(who.token, NOON) for who in others)


def test_all_sessions_can_be_ended(user):
    who = sessions.start(user, HOME, NOON)
    assert sessions.end_all(user.id) == 1
    assert sessions.find(who.token, NOON) is None


def test_rows_of_sessions_that_ran_out_are_removed_at_the_next_sign_in(user):
    sessions.start(user, HOME, NOON)
    sessions.start(user, HOME, NOON + timedelta(hours=1))
    assert len(db.session.scalars(select(SignIn)).all()) == 1
