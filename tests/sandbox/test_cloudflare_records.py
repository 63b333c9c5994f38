"""Records in the Cloudflare stand-in: how they are shown, and how they are changed one by one."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import requests

from webapp.sandbox.cloudflare_answers import stamp

NOWHERE = "0" * 32


def wished(**fields):
    return {"type": "A", "name": "app", "content": "203.0.113.7", **fields}


def test_a_record_has_the_recorded_keys_in_their_order(api):
    record = api.create(ttl=3600)
    keys = "id name type content proxiable proxied ttl settings meta comment tags created_on modified_on"
    assert " ".join(record) == keys
    assert re.fullmatch(r"[0-9a-f]{32}", record["id"])
    assert (record["comment"], record["tags"], record["settings"], record["meta"]) == (None, [], {}, {})
    assert record["created_on"] == record["modified_on"]


@pytest.mark.parametrize(
    ("microsecond", "written"),
    [(166530, "20:36:32.16653Z"), (500000, "20:36:32.5Z"), (0, "20:36:32Z"), (1, "20:36:32.000001Z")],
)
def test_times_lose_their_trailing_zeros(microsecond, written):
    moment = datetime(2025, 8, 27, 20, 36, 32, microsecond, tzinfo=UTC)
    assert stamp(moment) == f"2025-08-27T{written}"


def test_a_comment_brings_the_time_it_was_changed(api, cloudflare):
    record = api.create(comment="mine")
    assert record["comment_modified_on"] == record["created_on"]
    cloudflare.clock_offset += timedelta(minutes=1)
    changed = api("PATCH", f"{api.records}/{record['id']}", {"ttl": 60}).json()["result"]
    assert changed["comment_modified_on"] == record["comment_modified_on"]
    assert changed["modified_on"] != record["modified_on"]


def test_a_cname_shows_its_flattening(api):
    assert api.create(type="CNAME", content="example.net")["settings"] == {"flatten_cname": False}


def test_patch_changes_what_is_named_and_keeps_the_id(api):
    record = api.create(comment="mine", ttl=600)
    changed = api("PATCH", f"{api.records}/{record['id']}", {"content": "203.0.113.8"}).json()["result"]
    assert (changed["id"], changed["content"]) == (record["id"], "203.0.113.8")
    assert (changed["comment"], changed["ttl"]) == ("mine", 600)
    assert api("GET", f"{api.records}/{record['id']}").json()["result"] == changed


def test_patch_may_change_type_and_name(api, cloudflare):
    record = api.create(type="CNAME", content="example.net")
    change = {"type": "A", "name": "new", "content": "203.0.113.8"}
    changed = api("PATCH", f"{api.records}/{record['id']}", change).json()["result"]
    assert (changed["type"], changed["name"], changed["settings"]) == ("A", "new.example.org", {})
    assert cloudflare.find("app.example.org") == []


def test_an_empty_comment_in_a_patch_clears_it(api):
    record = api.create(comment="mine")
    changed = api("PATCH", f"{api.records}/{record['id']}", {"comment": ""}).json()["result"]
    assert changed["comment"] is None
    assert "comment_modified_on" not in changed


def test_a_patch_to_a_private_address_fails_on_a_proxied_record_unless_that_ends_too(api):
    path = f"{api.records}/{api.create(proxied=True)['id']}"
    assert api.refused("PATCH", path, {"content": "10.0.0.1"}) == (400, 9003)
    assert api("PATCH", path, {"content": "10.0.0.1", "proxied": False}).status_code == 200


def test_put_forgets_what_it_does_not_name(api):
    record = api.create(proxied=True, comment="mine")
    changed = api("PUT", f"{api.records}/{record['id']}", wished()).json()["result"]
    assert (changed["id"], changed["proxied"], changed["comment"]) == (record["id"], False, None)
    assert api.refused("PUT", f"{api.records}/{record['id']}", {"ttl": 60}) == (400, 9020)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_change_is_checked_against_the_other_records(api, method):
    api.create()
    other = api.create(content="203.0.113.8")
    assert api.refused(method, f"{api.records}/{other['id']}", wished()) == (400, 81058)
    assert api.refused(method, f"{api.records}/{other['id']}", wished(content="x")) == (400, 9005)


def test_delete_answers_the_id_once(api):
    record = api.create()
    answer = api("DELETE", f"{api.records}/{record['id']}")
    assert answer.json()["result"] == {"id": record["id"]}
    assert api.refused("DELETE", f"{api.records}/{record['id']}") == (404, 81044)


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize(("record_id", "code"), [(NOWHERE, 81044), ("nonsense", 7003), ("", 7003)])
def test_a_record_that_is_not_there(api, method, record_id, code):
    assert api.refused(method, f"{api.records}/{record_id}", wished()) == (404, code)


@pytest.mark.parametrize(
    ("kind", "data"),
    [("text/plain", b"{}"), (None, b"{}"), ("application/json", b"{"), ("application/json", b"[]")],
)
def test_a_body_must_be_one_json_object(api, cloudflare, kind, data):
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": kind}
    answer = requests.post(cloudflare.url + api.records, data=data, headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 9207)


def test_a_null_or_unknown_key_counts_as_not_sent(api):
    assert api.create(data=None, comment=None, whatever=7)["comment"] is None
