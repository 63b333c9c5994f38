"""The connection test: which permission is missing, found without changing anything."""

import pytest

from tests.dns.cloudflare_answers import HERE, RECORDS, ZONES, client, failure, page, raw_zone, success
from tests.dns.provider_world import TOKEN, ZONE
from webapp.dns.records import Zone
from webapp.sandbox.server import Failure, Reply

VERIFY = "https://cloudflare.test/client/v4/user/tokens/verify"
NOBODY = f"{RECORDS}/{'0' * 32}"


def findings_of(provider, zone):
    return {finding.name: (finding.passed, finding.message) for finding in provider.probe(zone)}


def passed(provider, zone):
    return [finding.passed for finding in provider.probe(zone)]


def test_a_good_token_passes_and_nothing_is_written(cloudflare, provider, zone):
    assert passed(provider, zone) == [True] * 4
    assert cloudflare.writes == 0


def test_the_findings_name_the_zone(provider, zone):
    assert ZONE in findings_of(provider, zone)["Zone"][1]


@pytest.mark.parametrize("status", ["disabled", "expired"])
def test_a_token_that_is_not_active_says_so_and_nothing_else_is_tried(cloudflare, provider, zone, status):
    cloudflare.add_token(TOKEN, status=status)
    findings = findings_of(provider, zone)
    assert findings.pop("Token") == (False, f"The token is {status}. Create a new one at Cloudflare.")
    assert {passed for passed, _ in findings.values()} == {None}
    assert [request.path.rsplit("/")[-1] for request, _ in cloudflare.log] == ["verify"]


def test_an_unknown_token_is_not_valid(requests_mock):
    requests_mock.get(VERIFY, status_code=401, json=failure(1000))
    requests_mock.get(ZONES, status_code=403, json=failure(9109))
    ok, message = findings_of(client(), HERE)["Token"]
    assert ok is False
    assert "does not know this API token" in message


def test_a_token_of_an_account_is_valid_though_the_check_for_users_does_not_know_it(
    cloudflare, provider, zone
):
    cloudflare.add_token(TOKEN, kind="account")
    assert passed(provider, zone) == [True] * 4


def test_a_malformed_token_is_told_so(requests_mock):
    requests_mock.get(VERIFY, status_code=400, json=failure(6003, chain=(6111,)))
    assert "cannot read the API token" in findings_of(client(), HERE)["Token"][1]


def test_without_permission_to_list_zones_the_advice_names_it(cloudflare, provider, zone):
    cloudflare.add_token(TOKEN, permissions=("dns:edit",))
    findings = findings_of(provider, zone)
    assert "Zone: Zone: Read" in findings["Zone"][1]
    assert [ok for ok, _ in findings.values()] == [True, False, True, True]


def test_a_token_for_other_zones_does_not_see_the_chosen_one(cloudflare, provider, zone):
    cloudflare.add_zone("other.net")
    cloudflare.add_token(TOKEN, zones=["other.net"])
    assert passed(provider, zone) == [True, False, False, False]
    assert "cannot see example.com" in findings_of(provider, zone)["Zone"][1]


@pytest.mark.parametrize(
    ("permissions", "name", "advice"),
    [
        (("zone:read",), "Read records", "Zone: DNS: Read or Edit"),
        (("zone:read", "dns:read"), "Write records", "Zone: DNS: Edit"),
    ],
)
def test_a_missing_permission_is_named(cloudflare, provider, zone, permissions, name, advice):
    cloudflare.add_token(TOKEN, permissions=permissions)
    ok, message = findings_of(provider, zone)[name]
    assert ok is False
    assert advice in message


def test_a_domain_that_cannot_be_changed_by_api_is_not_blamed_on_the_token(cloudflare, provider):
    zone = Zone(cloudflare.add_zone("example.tk"), "example.tk")
    ok, message = findings_of(provider, zone)["Write records"]
    assert ok is False
    assert ".tk" in message


def test_writing_is_not_proven_by_a_refusal_of_another_kind(requests_mock):
    requests_mock.get(VERIFY, json=success({"status": "active"}))
    requests_mock.get(ZONES, json=page([raw_zone()]))
    requests_mock.get(RECORDS, json=page([]))
    requests_mock.patch(NOBODY, status_code=400, json=failure(9207))
    assert passed(client(), HERE) == [True, True, True, False]


def test_without_a_zone_only_the_token_is_tested(provider):
    findings = findings_of(provider, None)
    assert [ok for ok, _ in findings.values()] == [True, False, False, False]
    assert findings["Zone"][1] == "Choose a zone first."


@pytest.mark.parametrize("reply", [Reply(502, "<html>"), Reply(200, b""), Reply(200, {"success": True})])
def test_an_outage_is_not_blamed_on_the_token(cloudflare, provider, zone, reply):
    cloudflare.fail(Failure.ANSWER, times=9, reply=reply)
    findings = findings_of(provider, zone)
    assert findings["Token"][0] is False
    assert "token does not work" not in " ".join(message for _, message in findings.values())


@pytest.mark.parametrize("part", ["/verify", "/zones", "/dns_records", "0" * 32])
def test_the_test_never_raises_whatever_fails(cloudflare, provider, zone, part):
    cloudflare.fail(Failure.RESET_AFTER, matches=lambda r: r.path.endswith(part), times=9)
    assert False in passed(provider, zone)
