"""What is said when Cloudflare fails, in messages and logs, and that the token is never among it."""

import logging

import pytest
import requests

from tests.dns.cloudflare_answers import HERE, RECORDS, answers, client, error_of, failure, live
from tests.dns.provider_world import TOKEN, record
from webapp.dns.changes import Create, Delete
from webapp.dns.providers import cloudflare_http
from webapp.errors import Denied, Outage, ProviderError, Rejected

APP = record("app1")


def read():
    client().list_records(HERE)


def create():
    client().ensure_record(HERE, APP, None)


def change():
    client().ensure_record(HERE, APP, live())


def test_the_message_explains_the_deepest_cause_that_is_known(requests_mock):
    answers(requests_mock, status_code=400, json=failure(1004, chain=(9041,)))
    assert "Proxied" in error_of(create).message


def test_an_unknown_cause_is_told_in_the_words_of_cloudflare(requests_mock):
    answers(requests_mock, status_code=400, json=failure(9999, text="No such luck."))
    assert error_of(create).message == "Cloudflare says: No such luck. (9999)"


def test_an_answer_of_any_size_is_not_read(requests_mock):
    answers(requests_mock, content=b" " * (cloudflare_http.MAX_BYTES + 1))
    assert (cloudflare_http.MAX_BYTES, type(error_of(read))) == (64_000_000, Outage)


@pytest.mark.parametrize("token", ["••••••••", "„token“", "a\x00b", "\x7f"])
def test_a_token_that_no_header_can_carry_is_denied_without_a_call(requests_mock, token):
    with pytest.raises(Denied) as caught:
        client(token).list_records(HERE)
    assert (requests_mock.called, token in str(caught.value)) == (False, False)


@pytest.mark.parametrize(
    "answer",
    [
        {"status_code": 400, "json": failure(9999, text=f"Bearer {TOKEN} is not liked")},
        {"status_code": 403, "json": failure(9999, chain=(9998,), text=TOKEN)},
        {"status_code": 502, "text": f"Authorization: Bearer {TOKEN}"},
        {"exc": requests.exceptions.InvalidHeader(f"Bearer {TOKEN}")},
        {"status_code": 429, "text": TOKEN},
    ],
)
def test_the_token_is_in_no_message_log_or_repr(requests_mock, caplog, answer):
    caplog.set_level(logging.DEBUG)
    answers(requests_mock, **answer)
    provider = client()
    with pytest.raises(ProviderError) as caught:
        provider.ensure_record(HERE, APP, None)
    told = [caught.value.message, repr(caught.value), caplog.text, repr(provider), repr(vars(provider))]
    assert not [text for text in told if TOKEN in text]


def test_an_empty_token_does_not_change_the_messages(requests_mock):
    answers(requests_mock, status_code=400, json=failure(9999, text="No."))
    with pytest.raises(Rejected, match=r"^Cloudflare says: No\. \(9999\)$"):
        client("").ensure_record(HERE, APP, None)


def test_a_refusal_is_logged_with_its_ray(requests_mock, caplog):
    answers(requests_mock, status_code=400, json=failure(9007), headers={"CF-Ray": "8f00-FRA"})
    error_of(change)
    assert "8f00-FRA" in caplog.text


def test_an_outage_in_the_middle_of_a_refused_batch_is_raised(requests_mock):
    changes = [Create(1, APP), Delete(2, live(2), "")]
    requests_mock.post(f"{RECORDS}/batch", status_code=400, json=failure(9007))
    requests_mock.post(RECORDS, status_code=502)
    with pytest.raises(Outage):
        list(client().apply(HERE, changes))
