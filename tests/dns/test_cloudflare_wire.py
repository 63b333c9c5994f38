"""What goes over the wire to Cloudflare: addresses, headers and bodies, exactly as its documentation has them."""

import json
from dataclasses import replace

import pytest

from tests.dns.cloudflare_answers import (
    API,
    HERE,
    RECORDS,
    ZONES,
    client,
    failure,
    live,
    page,
    raw,
    raw_zone,
    success,
)
from tests.dns.provider_world import OWNER, TOKEN, record
from webapp.dns.changes import Create, Delete, Update
from webapp.dns.providers import make, offered
from webapp.dns.providers.cloudflare import Cloudflare
from webapp.dns.providers.cloudflare_batches import BATCH, BATCH_PAID
from webapp.dns.providers.memory import Memory
from webapp.errors import InvalidInput

MARK = f"tiny-forge:{OWNER}"
APP = record("app1")
BODY = {
    "type": "A", "name": "app1.example.com", "content": "192.0.2.1", "ttl": 1, "proxied": False, "comment": MARK
}  # fmt: skip


def sent(requests_mock):
    return [(r.method, r.url, json.loads(r.body) if r.body else None) for r in requests_mock.request_history]


def test_every_request_carries_the_token_and_nothing_else_that_identifies(requests_mock):
    requests_mock.get(RECORDS, json=page([]))
    client().list_records(HERE)
    headers = requests_mock.last_request.headers
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert not {name for name in headers if name.lower().startswith(("x-auth", "cookie"))}


@pytest.mark.parametrize("typed", [f" {TOKEN}\n", f"{TOKEN[:9]}\n{TOKEN[9:]}", f"\t{TOKEN}\r\n"])
def test_white_space_in_a_token_is_dropped(requests_mock, typed):
    requests_mock.get(RECORDS, json=page([]))
    client(typed).list_records(HERE)
    assert requests_mock.last_request.headers["Authorization"] == f"Bearer {TOKEN}"


def test_every_request_has_a_time_limit(requests_mock):
    requests_mock.get(RECORDS, json=page([]))
    client().list_records(HERE)
    assert requests_mock.last_request.timeout == (5.0, 20.0)


def test_records_are_listed_in_pages_of_five_thousand(requests_mock):
    requests_mock.get(RECORDS, json=page([]))
    client().list_records(HERE)
    assert sent(requests_mock) == [("GET", f"{RECORDS}?page=1&per_page=5000", None)]


def test_zones_are_listed_in_pages_of_fifty(requests_mock):
    requests_mock.get(ZONES, json=page([raw_zone()]))
    client().list_zones()
    assert sent(requests_mock) == [("GET", f"{ZONES}?page=1&per_page=50", None)]


def test_a_create_sends_every_field(requests_mock):
    requests_mock.post(RECORDS, json=success(raw()))
    client().ensure_record(HERE, APP, None)
    assert sent(requests_mock) == [("POST", RECORDS, BODY)]
    assert requests_mock.last_request.headers["Content-Type"] == "application/json"


def test_a_proxied_record_is_sent_with_automatic_ttl(requests_mock):
    requests_mock.post(RECORDS, json=success(raw()))
    client().ensure_record(HERE, record("app1", ttl=300, proxied=True), None)
    assert sent(requests_mock)[0][2] == {**BODY, "proxied": True}


def test_a_change_is_a_patch_so_that_tags_and_settings_of_others_stay(requests_mock):
    requests_mock.patch(f"{RECORDS}/{live().id}", json=success(raw()))
    client().ensure_record(HERE, APP, live(note="theirs"))
    assert sent(requests_mock) == [("PATCH", f"{RECORDS}/{live().id}", {**BODY, "comment": f"{MARK} theirs"})]


def test_a_delete_has_no_body(requests_mock):
    requests_mock.delete(f"{RECORDS}/{live().id}", json=success({"id": live().id}))
    client().delete_record(HERE, live())
    assert sent(requests_mock) == [("DELETE", f"{RECORDS}/{live().id}", None)]


@pytest.mark.parametrize(
    ("plan", "length"), [("free", 100), ("", 100), ("partners_free", 100), ("pro", 500), ("enterprise", 500)]
)
def test_a_comment_is_cut_to_what_the_plan_allows_and_keeps_the_mark(requests_mock, plan, length):
    requests_mock.patch(f"{RECORDS}/{live().id}", json=success(raw()))
    client().ensure_record(replace(HERE, plan=plan), APP, live(note="n" * 600))
    comment = sent(requests_mock)[0][2]["comment"]
    assert (len(comment), comment.split()[0]) == (length, MARK)


def test_several_changes_go_in_one_batch(requests_mock):
    requests_mock.post(f"{RECORDS}/batch", json=success({"patches": [raw(2, ttl=300)], "posts": [raw(1)]}))
    changes = [
        Create(1, APP), Update(2, record("app2", ttl=300), live(2, note="theirs"), ("ttl",)), Delete(3, live(3), "")
    ]  # fmt: skip
    list(client().apply(HERE, changes))
    patch = {**BODY, "id": live(2).id, "name": "app2.example.com", "ttl": 300, "comment": f"{MARK} theirs"}
    assert sent(requests_mock) == [
        ("POST", f"{RECORDS}/batch", {"deletes": [{"id": live(3).id}], "patches": [patch], "posts": [BODY]})
    ]


def test_a_batch_leaves_out_the_lists_that_are_empty(requests_mock):
    requests_mock.post(f"{RECORDS}/batch", json=success({}))
    list(client().apply(HERE, [Delete(1, live(1), ""), Delete(2, live(2), "")]))
    assert sent(requests_mock)[0][2] == {"deletes": [{"id": live(1).id}, {"id": live(2).id}]}


def test_one_change_alone_is_no_batch(requests_mock):
    requests_mock.post(RECORDS, json=success(raw()))
    list(client().apply(HERE, [Create(1, APP)]))
    assert sent(requests_mock) == [("POST", RECORDS, BODY)]


@pytest.mark.parametrize(
    ("plan", "count", "sizes"),
    [
        ("free", BATCH + 1, [200]),
        ("", BATCH + 2, [200, 2]),
        ("partners_free", BATCH + 2, [200, 2]),
        ("pro", BATCH_PAID + 2, [3500, 2]),
    ],
)
def test_no_batch_is_larger_than_the_plan_allows(requests_mock, plan, count, sizes):
    requests_mock.post(f"{RECORDS}/batch", json=success({}))
    requests_mock.delete(f"{RECORDS}/{live(count - 1).id}", json=success({}))
    parts = client().apply(replace(HERE, plan=plan), [Delete(n, live(n), "") for n in range(count)])
    assert sum(map(len, parts)) == count
    bodies = [body for method, _, body in sent(requests_mock) if method == "POST"]
    assert [len(body["deletes"]) for body in bodies] == sizes


def test_what_belongs_to_one_name_is_not_split_between_batches(requests_mock):
    requests_mock.post(f"{RECORDS}/batch", json=success({}))
    single = [Delete(n, live(n), "") for n in range(BATCH - 1)]
    pair = [Delete(n, live(n, name="pair.example.com"), "") for n in (900, 901)]
    list(client().apply(HERE, [*single, *pair]))
    assert [len(body["deletes"]) for _, _, body in sent(requests_mock)] == [BATCH - 1, 2]


def test_a_refused_batch_is_halved_until_the_bad_record_stands_alone(requests_mock):
    def batch(request, context):
        names = [item["name"] for item in request.json()["posts"]]
        bad = "app3.example.com" in names
        context.status_code = 400 if bad else 200
        return failure(9003) if bad else success({"posts": [raw(int(name[3])) for name in names]})

    def one(request, context):
        name = request.json()["name"]
        context.status_code = 400 if name == "app3.example.com" else 200
        return failure(9003) if context.status_code == 400 else success(raw(int(name[3])))

    requests_mock.post(f"{RECORDS}/batch", json=batch)
    requests_mock.post(RECORDS, json=one)
    parts = client().apply(HERE, [Create(n, record(f"app{n}")) for n in (1, 2, 3, 4)])
    assert {o.change.row: o.error is None for part in parts for o in part} == {
        1: True,
        2: True,
        3: False,
        4: True,
    }


def test_a_refused_name_keeps_its_old_record_because_nothing_of_it_is_sent_apart(requests_mock):
    requests_mock.post(f"{RECORDS}/batch", status_code=400, json=failure(9007))
    swap = [Create(1, record("app1", "CNAME", "bad.example.net")), Delete(2, live(1), "")]
    [outcomes] = client().apply(HERE, swap)
    assert [o.error.codes for o in outcomes] == [{9007}, {9007}]
    assert len(sent(requests_mock)) == 1


def test_a_create_that_is_there_already_is_looked_up_by_name_and_type(requests_mock):
    requests_mock.post(RECORDS, status_code=400, json=failure(81058))
    requests_mock.get(RECORDS, json=page([raw()]))
    assert client().ensure_record(HERE, APP, None) == live()
    assert sent(requests_mock)[1][1] == f"{RECORDS}?name=app1.example.com&type=A&per_page=100"


def test_usage_is_one_small_question(requests_mock):
    requests_mock.get(f"{RECORDS}/usage", json=success({"record_usage": 57, "record_quota": 200}))
    assert client().usage(HERE).allowed == 200


def test_the_registry_makes_the_provider_that_is_asked_for():
    assert isinstance(make("cloudflare", {"token": TOKEN}, OWNER, api_url=API), Cloudflare)
    assert isinstance(make("memory", {"token": TOKEN}, OWNER, api_url=API), Memory)


def test_the_registry_refuses_a_provider_that_does_not_exist():
    with pytest.raises(InvalidInput, match="bind") as caught:
        make("bind", {}, OWNER, api_url=API)
    assert caught.value.field == "provider"


@pytest.mark.parametrize(("practice", "names"), [(True, ("cloudflare", "memory")), (False, ("cloudflare",))])
def test_the_provider_in_memory_is_offered_for_practice_only(practice, names):
    assert offered(practice=practice) == names
