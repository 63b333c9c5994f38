"""Listings of Cloudflare: every page, every record once, or an outage; what is unreadable is never empty."""

import pytest

from tests.dns.cloudflare_answers import (
    HERE,
    RECORDS,
    ZONES,
    client,
    error_of,
    live,
    page,
    raw,
    raw_zone,
    success,
)
from tests.dns.provider_world import OWNER
from webapp.dns.providers import cloudflare
from webapp.dns.records import LiveRecord, Usage, Zone
from webapp.errors import Outage


def listed():
    return client().list_records(HERE)


def zones():
    return client().list_zones()


def pages(requests_mock, *answers, url=RECORDS):
    requests_mock.get(url, [answer if "status_code" in answer else {"json": answer} for answer in answers])


def test_all_pages_are_read_when_they_are_smaller_than_asked_for(requests_mock):
    pages(requests_mock, *(page([raw(n)], 3, per_page=1) for n in (1, 2, 3)))
    assert [record.id for record in listed()] == [live(n).id for n in (1, 2, 3)]
    assert [r.qs["page"] for r in requests_mock.request_history] == [["1"], ["2"], ["3"]]


def test_an_empty_zone_is_empty(requests_mock):
    pages(requests_mock, page([], 0, total_pages=1))
    assert listed() == []


@pytest.mark.parametrize(
    "answers",
    [
        [page([raw(1)], 2), {"status_code": 502, "text": "<html>"}],
        [page([raw(1)], 2), page([], 2)],
        [page([raw(1)], 3), page([raw(2)], 2)],
        [page([raw(1)], 2), page([raw(2)], 3)],
        [page([raw(1)], 2), page([raw(1)], 2)],
        [page([raw(1), raw(1)], 2)],
        [page([], 1)],
        [success([raw(1)])],
        [success([raw(1)], result_info=None)],
        [success([raw(1)], result_info={"count": 1})],
        [success([raw(1)], result_info={"total_count": "1"})],
        [success(None, result_info={"total_count": 0})],
        [success({}, result_info={"total_count": 0})],
        [page([raw(1), None])],
        [page(["text"])],
        [page([[]])],
    ],
)
def test_a_listing_that_is_incomplete_or_malformed_is_an_outage(requests_mock, answers):
    pages(requests_mock, *answers)
    assert isinstance(error_of(listed), Outage)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": None}, {"id": 5}, {"id": ""}, {"name": None}, {"name": ""}, {"type": None}, {"type": ["A"]},
        {"ttl": "300"}, {"ttl": [1]}, {"ttl": 1.5},
    ],
)  # fmt: skip
def test_a_record_that_lacks_what_every_record_has_is_an_outage(requests_mock, fields):
    pages(requests_mock, page([raw(1), raw(2, **fields)]))
    assert isinstance(error_of(listed), Outage)


def test_a_listing_that_never_ends_is_an_outage(requests_mock, monkeypatch):
    monkeypatch.setattr(cloudflare, "MAX_PAGES", 4)
    pages(requests_mock, *(page([raw(n)], 99) for n in range(9)))
    assert isinstance(error_of(listed), Outage)
    assert len(requests_mock.request_history) == 3


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"name": "APP1.Example.com."}, {}),
        ({"name": "münchen.example.com"}, {"name": "xn--mnchen-3ya.example.com"}),
        ({"comment": None}, {"mark": None}),
        ({"comment": ""}, {"mark": None}),
        ({"comment": "do not touch"}, {"mark": None, "note": "do not touch"}),
        ({"comment": f"tiny-forge:{OWNER} do not touch"}, {"note": "do not touch"}),
        ({"comment": "tiny-forge:other"}, {"mark": "other"}),
        ({"comment": f"Tiny-Forge:{OWNER}"}, {"mark": None, "note": f"Tiny-Forge:{OWNER}"}),
        ({"comment": f"see tiny-forge:{OWNER}"}, {"mark": None, "note": f"see tiny-forge:{OWNER}"}),
        ({"comment": "tiny-forge:"}, {"mark": ""}),
        ({"ttl": 300}, {"ttl": 300}),
        ({"ttl": None}, {"ttl": 1}),
        ({"proxied": None}, {"proxied": False}),
        ({"proxied": True}, {"proxied": True}),
        ({"content": None, "type": "SRV"}, {"content": "", "type": "SRV"}),
        ({"meta": {"read_only": True}}, {"read_only": True}),
        ({"meta": None}, {}),
        ({"zone_id": "e" * 32, "zone_name": "example.com", "locked": False}, {}),
    ],
)
def test_a_record_is_read_whatever_is_null_or_missing(requests_mock, fields, expected):
    pages(requests_mock, page([raw(1, **fields)]))
    assert listed() == [live(1, **expected)]


def test_a_record_needs_no_more_than_id_name_and_type(requests_mock):
    pages(requests_mock, page([{"id": "1", "name": "app.example.com", "type": "LOC"}]))
    assert listed() == [LiveRecord("1", "app.example.com", "LOC", "")]


def test_a_zone_is_read_with_its_plan_and_whether_it_may_be_edited(requests_mock):
    pages(requests_mock, page([raw_zone()]), url=ZONES)
    assert zones() == [Zone("e" * 32, "example.com", "active", "free", True)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": "münchen.de"}, {"name": "xn--mnchen-3ya.de"}),
        ({"name": "😀.ws"}, {"name": "xn--e28h.ws"}),
        ({"permissions": ["#zone:read"]}, {"may_edit": False}),
        ({"permissions": None}, {"may_edit": None}),
        ({"plan": None}, {"plan": ""}),
        ({"status": "pending"}, {"status": "pending"}),
    ],
)
def test_a_zone_is_read_whatever_is_null_or_in_unicode(requests_mock, fields, expected):
    pages(requests_mock, page([raw_zone(**fields)]), url=ZONES)
    usual = {"id": "e" * 32, "name": "example.com", "status": "active", "plan": "free", "may_edit": True}
    assert zones() == [Zone(**{**usual, **expected})]


@pytest.mark.parametrize("fields", [{"id": None}, {"id": ""}, {"name": None}, {"name": 7}])
def test_a_zone_without_id_or_name_is_an_outage(requests_mock, fields):
    pages(requests_mock, page([raw_zone(), {**raw_zone("b.net", "b" * 32), **fields}]), url=ZONES)
    assert isinstance(error_of(zones), Outage)


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_zone_in_two_accounts_the_active_one_counts(requests_mock, order):
    both = [raw_zone(id="1" * 32, status="moved"), raw_zone(id="2" * 32)][::order]
    pages(requests_mock, page(both), url=ZONES)
    assert [zone.id for zone in zones()] == ["2" * 32]


def test_zones_are_read_from_all_pages(requests_mock):
    pages(requests_mock, page([raw_zone()], 2), page([raw_zone("b.net", "b" * 32)], 2), url=ZONES)
    assert [zone.name for zone in zones()] == ["b.net", "example.com"]


@pytest.mark.parametrize(
    ("answer", "usage"),
    [
        ({"json": success({"record_usage": 57, "record_quota": 200})}, Usage(57, 200)),
        ({"json": success({"record_usage": 57, "record_quota": None})}, Usage(57)),
        ({"json": success({"record_usage": 0, "record_quota": 200})}, Usage(0, 200)),
        ({"json": success({"record_quota": 200})}, None),
        ({"json": success(None)}, None),
        ({"status_code": 405, "json": {"success": False, "errors": [{"code": 7001}]}}, None),
    ],
)
def test_usage_is_unknown_where_it_is_not_told(requests_mock, answer, usage):
    requests_mock.get(f"{RECORDS}/usage", **answer)
    assert client().usage(HERE) == usage
