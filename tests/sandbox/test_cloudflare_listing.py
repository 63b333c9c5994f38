"""Lists, batches, quotas and the dashboard of the Cloudflare stand-in."""

import time

import pytest

from webapp.sandbox.cloudflare_answers import Refused


def names(records):
    return [record["name"].removesuffix(".example.org") for record in records]


@pytest.fixture
def mixed(api):
    """Five records of several kinds."""
    api.create("web", "A", "203.0.113.2", comment="Tiny:One", proxied=True)
    api.create("app", "A", "203.0.113.1", comment="tiny:two", ttl=600)
    api.create("app", "TXT", "Hello")
    api.create("alias", "CNAME", "App.example.org")
    return api


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["app", "web", "alias", "app"]),
        ({"type": "A"}, ["app", "web"]),
        ({"name": "APP.example.org"}, ["app", "app"]),
        ({"name.exact": "app.example.org", "type": "TXT"}, ["app"]),
        ({"name": "app"}, []),
        ({"name.contains": "A"}, ["app", "web", "alias", "app"]),
        ({"name.startswith": "al"}, ["alias"]),
        ({"name.endswith": "b.example.org"}, ["web"]),
        ({"content": "hello"}, ["app"]),
        ({"content.startswith": "203."}, ["app", "web"]),
        ({"comment": "tiny:one"}, ["web"]),
        ({"comment.startswith": "TINY:"}, ["app", "web"]),
        ({"comment.endswith": "two", "type": "A"}, ["app"]),
        ({"comment.contains": "zzz"}, []),
        ({"comment.present": ""}, ["app", "web"]),
        ({"comment.absent": "false"}, ["alias", "app"]),
        ({"proxied": "true"}, ["web"]),
        ({"type": "TXT", "proxied": "true"}, []),
        ({"type": "TXT", "proxied": "true", "match": "any"}, ["web", "app"]),
        ({"type": "CNAME", "name": "app.example.org", "match": "any"}, ["app", "alias", "app"]),
        ({"order": "name"}, ["alias", "app", "app", "web"]),
        ({"order": "type", "direction": "desc"}, ["app", "alias", "app", "web"]),
        ({"order": "ttl", "direction": "desc", "type": "A"}, ["app", "web"]),
    ],
)
def test_a_list_is_filtered_and_ordered(mixed, query, found):
    assert names(mixed.list(**query)) == found


def test_a_unicode_name_finds_nothing(api):
    api.create("größe")
    assert api.list(name="größe.example.org") == []
    assert len(api.list(name="xn--gre-6ka8i.example.org")) == 1


def test_the_newest_of_one_name_and_type_comes_first(api):
    created = [api.create(content=f"203.0.113.{n}")["content"] for n in range(3)]
    assert [record["content"] for record in api.list()] == created[::-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"tag": "team"}, ["a", "b"]),
        ({"tag": "Team:Red"}, ["a"]),
        ({"tag.absent": "team"}, ["c"]),
        ({"tag.startswith": "team:b"}, ["b"]),
        ({"tag": "old", "tag.exact": "team:blue"}, []),
        ({"tag": "old", "tag.exact": "team:blue", "tag_match": "any"}, ["b", "c"]),
    ],
)
def test_tags_are_filtered(api, cloudflare, query, found):
    records = f"/zones/{cloudflare.add_zone('paid.example', plan='pro')}/dns_records"
    for name, tags in (("a", ["team:red"]), ("b", ["team:blue"]), ("c", ["old"])):
        cloudflare.put_by_hand(f"{name}.paid.example", "A", "192.0.2.1", tags=tags)
    answer = api("GET", records, **query).json()["result"]
    assert [record["name"].removesuffix(".paid.example") for record in answer] == found


def test_an_empty_list_has_one_page(api):
    assert api("GET", api.records).json()["result_info"] == {
        "page": 1,
        "per_page": 100,
        "count": 0,
        "total_count": 0,
        "total_pages": 1,
    }


def test_a_list_comes_in_pages_and_counts_what_the_filter_leaves(mixed):
    answer = mixed("GET", mixed.records, type="A", per_page=1, page=2).json()
    assert names(answer["result"]) == ["web"]
    assert answer["result_info"]["total_count"] == answer["result_info"]["total_pages"] == 2


@pytest.mark.parametrize("query", [{"page": 0}, {"per_page": 0}, {"page": "x"}, {"order": "age"}])
def test_a_page_or_order_that_makes_no_sense_is_refused(api, query):
    assert api.refused("GET", api.records, **query) == (400, 1004)


def test_a_page_may_be_smaller_than_asked_for(mixed, cloudflare):
    cloudflare.page_cap = 3
    info = mixed("GET", mixed.records, per_page=5000).json()["result_info"]
    assert (info["per_page"], info["count"], info["total_pages"]) == (3, 3, 2)


def test_a_batch_runs_deletes_patches_puts_and_posts(mixed, cloudflare):
    ids = {(r["name"].split(".")[0], r["type"]): r["id"] for r in mixed.list()}
    writes = cloudflare.writes
    body = {
        "posts": [{"type": "A", "name": "alias", "content": "192.0.2.9", "ttl": 1}],
        "puts": [{"id": ids["app", "A"], "type": "A", "name": "app", "content": "203.0.113.1"}],
        "patches": [{"id": ids["web", "A"], "content": "203.0.113.3"}],
        "deletes": [{"id": ids["alias", "CNAME"]}],
    }
    result = mixed("POST", mixed.records + "/batch", body).json()["result"]
    assert {key: names(items) for key, items in result.items()} == {
        "deletes": ["alias"],
        "patches": ["web"],
        "puts": ["app"],
        "posts": ["alias"],
    }
    assert result["patches"][0]["comment"] == "Tiny:One"
    assert result["puts"][0]["comment"] is None
    assert cloudflare.find("alias.example.org") == result["posts"]
    assert cloudflare.writes == writes + 1


def test_lists_that_a_batch_did_not_have_are_null_in_the_answer(api):
    result = api("POST", api.records + "/batch", {"posts": None, "deletes": []}).json()["result"]
    assert result == {"deletes": [], "patches": None, "puts": None, "posts": None}


@pytest.mark.parametrize(
    ("last", "status", "code"),
    [
        ({"posts": [{"type": "A", "name": "new", "content": "no"}]}, 400, 9005),
        ({"posts": [{"type": "A", "name": "n", "content": "192.0.2.1"}] * 2}, 400, 81058),
        ({"posts": [{"type": "A", "name": "n", "content": "1.2"}, {"type": "TXT", "name": "n"}]}, 400, 9005),
        ({"puts": [{"id": "0" * 32, "type": "A", "name": "n", "content": "192.0.2.1"}]}, 404, 81044),
        ({"puts": [{"id": ["no"]}]}, 400, 9207),
        ({"puts": {}}, 400, 9207),
    ],
)
def test_a_batch_with_one_bad_operation_changes_nothing(mixed, cloudflare, last, status, code):
    before, writes = cloudflare.records("example.org"), cloudflare.writes
    body = {
        "deletes": [{"id": before[0]["id"]}],
        "patches": [{"id": before[1]["id"], "name": "moved"}],
        **last,
    }
    assert mixed.refused("POST", mixed.records + "/batch", body) == (status, code)
    assert (cloudflare.records("example.org"), cloudflare.writes) == (before, writes)
    assert cloudflare.find("moved.example.org") == cloudflare.find("n.example.org") == []


@pytest.mark.parametrize(("plan", "limit"), [("free", 200), ("pro", 3500)])
def test_a_batch_has_a_limit_by_plan(api, cloudflare, plan, limit):
    records = f"/zones/{cloudflare.add_zone('big.example', plan=plan, quota=10_000)}/dns_records"
    posts = [{"type": "A", "name": f"n{number}", "content": "192.0.2.1"} for number in range(limit + 1)]
    assert api.refused("POST", records + "/batch", {"posts": posts}) == (400, 9207)
    assert api("POST", records + "/batch", {"posts": posts[:limit]}).status_code == 200


@pytest.mark.parametrize(
    ("options", "quota"),
    [({}, 200), ({"plan": "pro"}, 3500), ({"quota": 7}, 7), ({"quota": "account"}, None)],
)
def test_usage_tells_quota_and_number_of_records(api, cloudflare, options, quota):
    records = f"/zones/{cloudflare.add_zone('full.example', **options)}/dns_records"
    cloudflare.put_by_hand("a.full.example", "A", "192.0.2.1")
    answer = api("GET", records + "/usage").json()["result"]
    assert answer == {"record_quota": quota, "record_usage": 1}


def test_a_full_zone_takes_changes_but_no_more_records(api, cloudflare):
    records = f"/zones/{cloudflare.add_zone('full.example', quota=1)}/dns_records"
    record = cloudflare.put_by_hand("a.full.example", "A", "192.0.2.1")
    wish = {"type": "A", "name": "b", "content": "192.0.2.1"}
    assert api.refused("POST", records, wish) == (400, 81045)
    assert api("PATCH", f"{records}/{record['id']}", {"ttl": 60}).status_code == 200
    body = {"deletes": [{"id": record["id"]}], "posts": [wish]}
    assert api("POST", records + "/batch", body).status_code == 200


def test_what_is_done_by_hand_is_listed_and_counts_as_no_write(api, cloudflare):
    record = cloudflare.put_by_hand(
        "app.example.org", "A", "192.0.2.1", comment="x", meta={"read_only": True}
    )
    edited = cloudflare.edit_by_hand(record["id"], content="192.0.2.2")
    assert api.list() == [edited]
    assert (edited["comment"], edited["meta"]) == ("x", {"read_only": True})
    cloudflare.delete_by_hand(record["id"])
    assert (api.list(), cloudflare.writes) == ([], 0)


def test_the_dashboard_follows_the_same_rules(cloudflare, zone):
    cloudflare.put_by_hand("app.example.org", "A", "192.0.2.1")
    with pytest.raises(Refused, match="81053"):
        cloudflare.put_by_hand("app.example.org", "CNAME", "example.net")


def test_a_record_made_by_hand_goes_to_the_longest_zone(cloudflare, zone):
    cloudflare.add_zone("sub.example.org")
    cloudflare.put_by_hand("app.sub.example.org", "A", "192.0.2.1")
    assert cloudflare.records("example.org") == []
    assert cloudflare.find("app.sub.example.org", "A") == cloudflare.records("sub.example.org")
    assert cloudflare.find("app.sub.example.org", "AAAA") == []


def test_wiped_comments_leave_the_rest(mixed, cloudflare):
    before = [(r["id"], r["content"]) for r in mixed.list()]
    cloudflare.wipe_comments("example.org")
    assert [(r["id"], r["content"], r["comment"]) for r in mixed.list()] == [(*pair, None) for pair in before]


def test_changing_what_a_verb_returned_changes_no_record(cloudflare, zone):
    cloudflare.put_by_hand("app.example.org", "A", "192.0.2.1")["content"] = "x"
    cloudflare.records("example.org")[0]["content"] = "y"
    assert cloudflare.find("app.example.org")[0]["content"] == "192.0.2.1"


def test_twenty_thousand_records_are_made_and_read_in_seconds(api, cloudflare):
    records = f"/zones/{cloudflare.add_zone('big.example', plan='pro', quota='account')}/dns_records"
    started = time.monotonic()
    for start in range(0, 20_000, 2500):
        posts = [{"type": "A", "name": f"n{start + n}", "content": "192.0.2.1"} for n in range(2500)]
        assert api("POST", records + "/batch", {"posts": posts}).status_code == 200
    pages = [api("GET", records, per_page=5000, page=page).json()["result"] for page in (1, 2, 3, 4)]
    assert len({record["id"] for page in pages for record in page}) == 20_000
    assert time.monotonic() - started < 30
