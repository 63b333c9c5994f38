"""The answers to batches: which record belongs to which change, whatever the form of the answer."""

import pytest

from tests.dns.cloudflare_answers import HERE, RECORDS, client, error_of, live, raw, success
from tests.dns.provider_world import record
from webapp.dns.changes import Create, Delete, Update
from webapp.errors import Outage

CREATE = Create(1, record("app1"))
OTHER = Create(2, record("app2"))
SIX = Create(3, record("app3", "AAAA", "2001:db8::1"))
ALIAS = Create(4, record("app4", "CNAME", "server.example.net"))
UPDATE = Update(5, record("app5", ttl=300), live(5), ("ttl",))
RENAME = Update(6, record("app6"), live(7), ("name",))
DELETE = Delete(8, live(8), "unused")


def outcomes(requests_mock, changes, **result):
    requests_mock.post(f"{RECORDS}/batch", json=success(result))
    return {o.change: o.live for part in client().apply(HERE, changes) for o in part}


def test_the_order_of_the_answer_makes_no_difference(requests_mock):
    made = outcomes(requests_mock, [CREATE, OTHER], posts=[raw(2), raw(1)])
    assert made == {CREATE: live(1), OTHER: live(2)}


def test_changed_records_are_told_by_their_id(requests_mock):
    answer = [raw(7, name="app6.example.com"), raw(5, ttl=300)]
    made = outcomes(requests_mock, [UPDATE, RENAME], patches=answer)
    assert {change.row: record.id for change, record in made.items()} == {5: live(5).id, 6: live(7).id}


def test_another_spelling_in_the_answer_is_the_same_record(requests_mock):
    six = raw(3, type="AAAA", content="2001:DB8:0:0:0:0:0:1")
    alias = raw(4, type="CNAME", content="Server.Example.NET.", name="APP4.example.com.")
    made = outcomes(requests_mock, [SIX, ALIAS], posts=[six, alias])
    assert {change.row: record.id for change, record in made.items()} == {3: live(3).id, 4: live(4).id}


def test_a_deleted_record_needs_no_answer(requests_mock):
    made = outcomes(requests_mock, [CREATE, DELETE], posts=[raw(1)], deletes=None)
    assert made == {CREATE: live(1), DELETE: None}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"posts": None, "patches": None, "puts": None, "deletes": None},
        {"posts": [raw(1)], "patches": None},
        {"posts": None, "patches": [raw(5, ttl=300)]},
        {"posts": True, "patches": [raw(5, ttl=300)]},
        {"posts": {"1": raw(1)}, "patches": [raw(5)]},
        {"posts": [raw(2)], "patches": [raw(5)]},
        {"posts": [{"id": None}], "patches": [raw(5)]},
    ],
)
def test_an_answer_that_leaves_out_a_record_leaves_the_batch_unconfirmed(requests_mock, answer):
    error = error_of(lambda: outcomes(requests_mock, [CREATE, UPDATE], **answer))
    assert isinstance(error, Outage)
    assert error.unconfirmed
