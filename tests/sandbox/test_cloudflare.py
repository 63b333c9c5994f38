"""The Cloudflare stand-in: tokens, zones, the envelope of its answers, and the request limit."""

from datetime import timedelta

import pytest
import requests

UNKNOWN = "b" * 40
NOWHERE = "0" * 32


def headers_only(cloudflare, headers, path="/zones"):
    answer = requests.get(cloudflare.url + path, headers=headers, timeout=5)
    return answer.status_code, answer.json()["errors"][0]


@pytest.mark.parametrize(
    "value", ["Bearer  " + UNKNOWN, "Bearer short", "Basic " + UNKNOWN, UNKNOWN, "Bearer"]
)
def test_a_malformed_authorization_is_told_from_an_unknown_token(cloudflare, value):
    status, error = headers_only(cloudflare, {"Authorization": value})
    assert (status, error["code"], error["error_chain"][0]["code"]) == (400, 6003, 6111)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 400, 9106),
        ({"X-Auth-Email": "me@example.org", "X-Auth-Key": "a" * 37}, 403, 9103),
        ({"X-Auth-Email": "me", "X-Auth-Key": "a" * 37}, 400, 6003),
        ({"X-Auth-Email": "me@example.org", "X-Auth-Key": "?"}, 400, 6003),
    ],
)
def test_without_a_token_there_is_no_way_in(cloudflare, headers, status, code):
    answered, error = headers_only(cloudflare, headers)
    assert (answered, error["code"]) == (status, code)


def test_an_unknown_token_is_an_invalid_access_token(api):
    answer = api.bearing(UNKNOWN)("GET", "/zones")
    assert (answer.status_code, answer.json()["errors"]) == (
        403,
        [{"code": 9109, "message": "Invalid access token"}],
    )


@pytest.mark.parametrize("status", ["disabled", "expired"])
def test_a_token_that_is_not_active_verifies_with_its_status_but_opens_nothing(api, status):
    other = api.with_token(UNKNOWN, status=status)
    assert other("GET", "/user/tokens/verify").json()["result"]["status"] == status
    assert other.refused("GET", "/zones") == (403, 9109)


def test_a_good_token_verifies_with_a_code_in_the_messages(api):
    answer = api("GET", "/user/tokens/verify").json()
    assert (answer["success"], answer["result"]["status"], answer["errors"]) == (True, "active", [])
    assert answer["messages"][0]["code"] == 10000


def test_verifying_an_unknown_token_has_an_error_of_its_own(api):
    assert api.bearing(UNKNOWN).refused("GET", "/user/tokens/verify") == (401, 1000)


def test_a_token_of_an_account_works_but_is_unknown_to_the_user_endpoint(api, cloudflare):
    owned = api.with_token("cfat_" + UNKNOWN, kind="account")
    assert owned.refused("GET", "/user/tokens/verify") == (401, 1000)
    assert owned("GET", "/zones").status_code == 200
    account = f"/accounts/{cloudflare.account_id}/tokens/verify"
    assert owned("GET", account).json()["result"]["status"] == "active"
    assert api.refused("GET", account) == (401, 10000)


def test_a_token_sees_only_its_zones(api, cloudflare):
    other = cloudflare.add_zone("example.net")
    limited = api.with_token(UNKNOWN, zones=["Example.ORG"])
    assert [zone["name"] for zone in limited("GET", "/zones").json()["result"]] == ["example.org"]
    assert limited.refused("GET", f"/zones/{other}") == (403, 9109)
    assert limited.refused("GET", f"/zones/{other}/dns_records") == (403, 10000)


def test_without_zone_read_there_are_no_zones_but_records(api, zone):
    limited = api.with_token(UNKNOWN, permissions=["dns:edit"])
    assert limited.refused("GET", "/zones") == (403, 9109)
    assert limited.refused("GET", f"/zones/{zone}") == (403, 9109)
    assert limited.list() == []


def test_reading_records_does_not_include_writing(api, cloudflare):
    reader = api.with_token(UNKNOWN, permissions=["zone:read", "dns:read"])
    assert reader.list() == []
    assert reader.refused("POST", api.records, {"type": "A", "name": "a", "content": "192.0.2.1"}) == (
        403,
        10000,
    )
    assert cloudflare.records("example.org") == []


@pytest.mark.parametrize(
    ("granted", "listed"),
    [
        (["zone:read"], ["#zone:read"]),
        (["zone:read", "dns:edit"], ["#dns_records:edit", "#dns_records:read", "#zone:read"]),
    ],
)
def test_a_zone_says_what_the_token_may_do(api, granted, listed):
    zones = api.with_token(UNKNOWN, permissions=granted)("GET", "/zones").json()["result"]
    assert zones[0]["permissions"] == listed


def test_a_permission_that_does_not_exist_is_a_mistake_of_the_test(cloudflare):
    with pytest.raises(ValueError, match="dns:write"):
        cloudflare.add_token(UNKNOWN, permissions=["dns:write"])


def test_a_zone_has_the_fields_a_sync_reads(api, zone):
    found = api("GET", f"/zones/{zone}").json()["result"]
    assert (found["id"], found["name"], found["status"], found["type"]) == (
        zone,
        "example.org",
        "active",
        "full",
    )
    assert (found["plan"]["legacy_id"], len(found["name_servers"]), found["paused"]) == ("free", 2, False)


def test_a_zone_name_comes_back_in_unicode_and_its_records_in_punycode(api, cloudflare):
    cloudflare.add_zone("xn--mnchen-3ya.example")
    record = cloudflare.put_by_hand("größe.münchen.example", "A", "192.0.2.1")
    names = [zone["name"] for zone in api("GET", "/zones").json()["result"]]
    assert names == ["example.org", "münchen.example"]
    assert record["name"] == "xn--gre-6ka8i.xn--mnchen-3ya.example"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"name": "EXAMPLE.org"}, ["example.org"]),
        ({"name": "ample.org"}, []),
        ({"name": "ends_with:.net"}, ["example.net"]),
        ({"name": "not_equal:example.org"}, ["example.net", "münchen.example"]),
        ({"name": "münchen.example"}, ["münchen.example"]),
        ({"name": "xn--mnchen-3ya.example"}, []),
        ({"status": "pending"}, ["example.net"]),
        ({"status": "pending", "name": "example.org"}, []),
        ({"status": "pending", "name": "example.org", "match": "any"}, ["example.net", "example.org"]),
        ({"direction": "desc"}, ["münchen.example", "example.org", "example.net"]),
    ],
)
def test_zones_are_filtered(api, cloudflare, query, names):
    cloudflare.set_zone_status(cloudflare.add_zone("example.net"), "pending")
    cloudflare.add_zone("münchen.example")
    assert [zone["name"] for zone in api("GET", "/zones", **query).json()["result"]] == names


def test_zones_come_in_pages_of_fifty_at_most(api, cloudflare):
    for number in range(60):
        cloudflare.add_zone(f"z{number:02}.example")
    answer = api("GET", "/zones", per_page=100, page=2).json()
    assert answer["result_info"] == {
        "page": 2,
        "per_page": 50,
        "count": 11,
        "total_count": 61,
        "total_pages": 2,
    }
    assert answer["result"][-1]["name"] == "z59.example"


def test_the_same_zone_may_be_there_twice(api, cloudflare, zone):
    moved = cloudflare.add_zone("example.org", status="moved")
    listed = {found["id"]: found["status"] for found in api("GET", "/zones").json()["result"]}
    assert listed == {zone: "active", moved: "moved"}
    assert cloudflare.put_by_hand("app.example.org", "A", "192.0.2.1") in api.list()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/zones/nonsense", 404, 7003),
        ("GET", "/zones//dns_records", 404, 7003),
        ("GET", "/zones/nonsense/dns_records", 404, 7003),
        ("GET", f"/zones/{NOWHERE}", 403, 9109),
        ("GET", f"/zones/{NOWHERE}/dns_records", 403, 10000),
        ("DELETE", "/zones", 405, 7001),
        ("PUT", f"/zones/{NOWHERE}/dns_records", 405, 7001),
        ("GET", "/nowhere", 404, 7000),
    ],
)
def test_a_path_that_leads_nowhere_says_so(api, method, path, status, code):
    assert api.refused(method, path) == (status, code)


def test_endings_that_the_api_may_not_change_can_only_be_read(api, cloudflare):
    records = f"/zones/{cloudflare.add_zone('example.tk')}/dns_records"
    assert api("GET", records).status_code == 200
    assert api.refused("POST", records, {"type": "A", "name": "a", "content": "192.0.2.1"}) == (403, 1038)


def test_success_and_failure_share_an_envelope(api):
    good, bad = api("GET", "/zones").json(), api("GET", "/zones/nonsense").json()
    assert good.keys() == {"result", "success", "errors", "messages", "result_info"}
    assert bad.keys() == {"result", "success", "errors", "messages"}
    assert bad["errors"][0]["message"] == (
        "Could not route to /client/v4/zones/nonsense, perhaps your object identifier is invalid?"
    )


@pytest.mark.parametrize("path", ["/client/v4/zones", "/client/v4/nowhere", "/cdn-cgi/trace", "/"])
def test_every_answer_has_a_ray(cloudflare, path):
    assert requests.get(cloudflare.address + path, timeout=5).headers["CF-Ray"]


def test_the_trace_tells_the_public_address_without_a_token(cloudflare):
    cloudflare.public_ip = "198.51.100.4"
    answer = requests.get(cloudflare.address + "/cdn-cgi/trace", timeout=5)
    assert answer.headers["Content-Type"] == "text/plain"
    assert "ip=198.51.100.4" in answer.text.splitlines()


def test_the_quota_is_told_with_every_answer(api):
    assert api("GET", "/zones").headers["Ratelimit-Policy"] == '"default";q=1200;w=300'
    assert api("GET", "/zones").headers["Ratelimit"].startswith('"default";r=1198;t=')


@pytest.mark.parametrize(("retry_after", "header"), [(True, "60"), (False, None)])
def test_too_many_requests_are_refused(api, cloudflare, retry_after, header):
    cloudflare.limit_requests(2, 60, retry_after=retry_after)
    answers = [api("GET", "/zones") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers.get("Retry-After") == header
    assert answers[2].headers["Ratelimit"] == '"default";r=0;t=60'
    assert answers[2].json()["errors"][0]["code"] == 10100


def test_the_limit_lasts_a_whole_window_from_when_it_was_passed(api, cloudflare):
    cloudflare.limit_requests(1, 60)
    api("GET", "/zones")
    cloudflare.clock_offset += timedelta(seconds=40)
    assert api("GET", "/zones").status_code == 429
    cloudflare.clock_offset += timedelta(seconds=40)
    assert api("GET", "/zones").status_code == 429
    cloudflare.clock_offset += timedelta(seconds=21)
    assert api("GET", "/zones").status_code == 200


def test_the_limit_is_for_each_token(api, cloudflare):
    cloudflare.limit_requests(1, 60)
    api("GET", "/zones")
    assert api.with_token(UNKNOWN)("GET", "/zones").status_code == 200
