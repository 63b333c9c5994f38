"""Every way a call to Cloudflare can fail, and which of our errors it becomes."""

from datetime import timedelta

import pytest
import requests

from tests.dns.cloudflare_answers import (
    HERE,
    RECORDS,
    ZONES,
    answers,
    client,
    error_of,
    failure,
    live,
    page,
    raw,
    success,
)
from tests.dns.provider_world import record
from webapp.dns.changes import Create
from webapp.errors import Denied, Outage, Rejected

APP = record("app1")
DEEP = "[" * 200_000
HTML = "<html><h1>502 Bad Gateway</h1></html>"


def read():
    client().list_records(HERE)


def create():
    client().ensure_record(HERE, APP, None)


def change():
    client().ensure_record(HERE, APP, live())


def delete():
    client().delete_record(HERE, live())


def batch():
    list(client().apply(HERE, [Create(1, APP), Create(2, record("app2"))]))


CALLS = [read, create, change, delete, batch]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "answer",
    [
        {"status_code": 502, "text": HTML},
        {"status_code": 520, "text": ""},
        {"status_code": 500, "json": failure(10013)},
        {"status_code": 503, "json": success(raw())},
        {"status_code": 408, "json": failure(0)},
        {"status_code": 403, "text": HTML},
        {"status_code": 404, "text": HTML},
        {"status_code": 301, "text": "", "headers": {"Location": "https://elsewhere.test/"}},
        {"text": HTML},
        {"text": ""},
        {"text": '{"result": [], "succ'},
        {"text": DEEP},
        {"text": '{"result": ' + "9" * 5000 + "}"},
        {"content": b"\xff\xfe\x00\xd8"},
        {"text": "[]"},
        {"text": "null"},
        {"json": {"result": []}},
        {"json": {"result": [], "success": None, "errors": []}},
        {"json": {"result": None, "success": False, "errors": None}},
        {"json": {"result": [], "success": "true"}},
        {"exc": requests.ReadTimeout},
        {"exc": requests.ConnectionError},
        {"exc": requests.exceptions.SSLError},
        {"exc": requests.exceptions.ChunkedEncodingError},
        {"exc": requests.exceptions.ContentDecodingError},
    ],
)
def test_an_answer_that_cannot_be_used_is_an_outage_and_a_change_is_unconfirmed(requests_mock, call, answer):
    answers(requests_mock, **answer)
    error = error_of(call)
    assert isinstance(error, Outage)
    assert error.unconfirmed is (call is not read)


@pytest.mark.parametrize("call", [read, create, change, batch])
@pytest.mark.parametrize(
    "result",
    [None, [None], {"posts": [None], "patches": 3}, {"id": 5, "name": "app1.example.com", "type": "A"}],
)
def test_a_success_without_a_usable_result_is_an_outage_and_a_change_is_unconfirmed(
    requests_mock, call, result
):
    answers(requests_mock, json=success(result))
    error = error_of(call)
    assert isinstance(error, Outage)
    assert error.unconfirmed is (call is not read)


@pytest.mark.parametrize("call", [read, create])
def test_a_connection_that_was_never_made_leaves_no_doubt(requests_mock, call):
    answers(requests_mock, exc=requests.ConnectTimeout)
    error = error_of(call)
    assert (type(error), error.unconfirmed) == (Outage, False)


@pytest.mark.parametrize(("call", "words"), [(read, "could not read"), (create, "could not confirm")])
@pytest.mark.parametrize("answer", [{"exc": requests.ReadTimeout}, {"status_code": 502, "text": HTML}])
def test_the_message_says_what_is_in_doubt(requests_mock, call, words, answer):
    answers(requests_mock, **answer)
    assert words in error_of(call).message


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "17"}, timedelta(seconds=17)),
        ({"Retry-After": "0"}, timedelta(0)),
        ({"Retry-After": "99999"}, timedelta(hours=1)),
        ({"Retry-After": "9" * 5000}, timedelta(hours=1)),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({}, None),
    ],
)
def test_a_rate_limit_is_an_outage_with_the_wait_it_asks_for(requests_mock, call, headers, wait):
    answers(requests_mock, status_code=429, headers=headers, text=HTML)
    error = error_of(call)
    assert (type(error), error.retry_after, error.unconfirmed) == (Outage, wait, False)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, failure(1000)),
        (401, failure(10000)),
        (403, failure(10000)),
        (403, failure(9109)),
        (403, failure()),
        (403, failure(9103)),
        (400, failure(6003, chain=(6111,))),
        (400, failure(9106)),
        (400, failure(10001)),
        (400, failure("10000")),
        (200, failure(10000)),
        (403, failure(1038)),
        (404, failure(7003)),
        (400, failure(7003, 7000)),
    ],
)
def test_what_waiting_does_not_mend_is_denied(requests_mock, call, status, body):
    answers(requests_mock, status_code=status, json=body)
    assert isinstance(error_of(call), Denied)


@pytest.mark.parametrize("call", [create, change, delete])
@pytest.mark.parametrize(
    ("status", "body", "codes"),
    [
        (400, failure(9003), {9003}),
        (400, failure(81053), {81053}),
        (200, failure(9007), {9007}),
        (400, failure("9007"), {9007}),
        (400, failure(1004, chain=(9021,)), {1004, 9021}),
        (400, failure(1004, chain=(9041, 9003)), {1004, 9041, 9003}),
        (400, failure(None), {0}),
        (400, failure("x" * 20), {0}),
        (400, failure(), set()),
        (400, {"success": False, "errors": ["text", None]}, set()),
        (400, success(raw()), set()),
        (405, failure(7001), {7001}),
    ],
)
def test_what_is_wrong_with_one_record_is_a_refusal_of_it(requests_mock, call, status, body, codes):
    answers(requests_mock, status_code=status, json=body)
    requests_mock.get(RECORDS, json=page([]))
    error = error_of(call)
    assert (type(error), error.codes) == (Rejected, codes)


@pytest.mark.parametrize("body", [failure(9207), failure(1004), failure()])
def test_a_listing_is_never_refused_for_one_record(requests_mock, body):
    answers(requests_mock, status_code=400, json=body)
    requests_mock.get(ZONES, status_code=400, json=body)
    assert isinstance(error_of(read), Denied)
    assert isinstance(error_of(client().list_zones), Denied)


def test_a_deletion_of_what_is_not_there_is_done(requests_mock):
    answers(requests_mock, status_code=404, json=failure("81044"))
    delete()
    assert requests_mock.called


@pytest.mark.parametrize("code", [81053, 81057, 81058])
@pytest.mark.parametrize(
    "listing", [page([]), page([raw(comment=None)]), page([raw(ttl=300)]), success(None)]
)
def test_a_create_that_is_there_already_but_not_as_ours_is_refused(requests_mock, code, listing):
    answers(requests_mock, status_code=400, json=failure(code))
    requests_mock.get(RECORDS, json=listing)
    assert error_of(create).codes == {code}
