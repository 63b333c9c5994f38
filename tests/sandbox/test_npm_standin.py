"""The switches of the Nginx Proxy Manager stand-in, and what it does beyond the recordings."""

from datetime import UTC, datetime, timedelta

import pytest
import requests

from webapp.sandbox.npm import NpmStandIn
from webapp.sandbox.npm_certbot import CHALLENGE_FAILED

PASSWORD = "correct horse"
BODY = {
    "domain_names": ["a.example.com"],
    "forward_scheme": "http",
    "forward_host": "10.0.0.5",
    "forward_port": 80,
}


@pytest.fixture
def npm():
    with NpmStandIn() as npm:
        npm.add_user("admin@example.com", PASSWORD)
        yield npm


def send(npm, method, path, body=None, email="admin@example.com"):
    user = next(u for u in npm.accounts.users if u.email == email)
    headers = {"Authorization": f"Bearer {npm.accounts.issue(user, '1d')['token']}"}
    return requests.request(method, f"{npm.url}/api{path}", json=body, headers=headers, timeout=5)


def test_a_host_is_served_once_it_is_created(npm):
    send(npm, "POST", "/nginx/proxy-hosts", BODY)
    assert npm.served() == {"a.example.com"}


def test_a_created_host_says_nothing_of_nginx_until_it_is_read(npm):
    made = send(npm, "POST", "/nginx/proxy-hosts", BODY).json()
    read = send(npm, "GET", f"/nginx/proxy-hosts/{made['id']}").json()
    assert (made["meta"], read["meta"]) == ({}, {"nginx_online": True, "nginx_err": None})


def test_the_marker_in_an_advanced_configuration_puts_the_host_offline(npm):
    row = npm.host_by_hand("a.example.com", advanced_config="nginx_says_no;")
    assert row["meta"]["nginx_online"] is False
    assert "/proxy_host/1.conf" in row["meta"]["nginx_err"]
    assert npm.served() == set()


def test_an_upstream_that_cannot_be_resolved_puts_the_host_offline(npm):
    npm.unresolvable.add("gone")
    assert npm.host_by_hand("a.example.com", forward_host="gone")["meta"]["nginx_online"] is False


def test_put_with_enabled_false_leaves_the_site_up(npm):
    npm.host_by_hand("a.example.com")
    send(npm, "PUT", "/nginx/proxy-hosts/1", {"enabled": False})
    assert npm.hosts()[0]["enabled"] is False
    assert npm.served() == {"a.example.com"}


def test_disable_takes_the_site_down_and_enable_brings_it_back(npm):
    npm.host_by_hand("a.example.com")
    send(npm, "POST", "/nginx/proxy-hosts/1/disable")
    down = npm.served()
    send(npm, "POST", "/nginx/proxy-hosts/1/enable")
    assert (down, npm.served()) == (set(), {"a.example.com"})


def test_a_foreign_broken_file_fails_a_creation_but_keeps_the_row(npm):
    npm.nginx_broken = True
    response = send(npm, "POST", "/nginx/proxy-hosts", BODY)
    assert response.status_code == 500
    assert npm.host_for("a.example.com")["meta"] == {}
    assert npm.served() == set()


def test_a_host_deleted_while_nginx_is_broken_is_served_until_the_next_reload(npm):
    npm.host_by_hand("a.example.com")
    npm.nginx_broken = True
    assert send(npm, "DELETE", "/nginx/proxy-hosts/1").status_code == 500
    before = npm.served()
    npm.nginx_broken = False
    npm.host_by_hand("b.example.com")
    assert (before, npm.served()) == ({"a.example.com"}, {"b.example.com"})


def test_deleting_a_certificate_in_use_breaks_all_writes_until_its_host_is_disabled(npm):
    expires = datetime(2030, 1, 1, tzinfo=UTC)
    number = npm.add_certificate("mine", ["a.example.com"], expires)
    npm.host_by_hand("a.example.com", certificate_id=number)
    send(npm, "DELETE", f"/nginx/certificates/{number}")
    statuses = [
        send(npm, "PUT", "/nginx/proxy-hosts/1", {"forward_port": 81}).status_code,
        send(npm, "POST", "/nginx/proxy-hosts/1/disable").status_code,
        send(npm, "POST", "/nginx/proxy-hosts/1/enable").status_code,
    ]
    assert statuses == [500, 200, 200]


def test_issuing_a_certificate_for_a_live_name_takes_it_down_until_the_next_reload(npm):
    npm.host_by_hand("a.example.com")
    body = {"provider": "letsencrypt", "domain_names": ["a.example.com"], "meta": {}}
    assert send(npm, "POST", "/nginx/certificates", body).status_code == 201
    before = npm.served()
    npm.edit_by_hand(1, forward_port=81)
    assert (before, npm.served()) == (set(), {"a.example.com"})


def test_certbot_fails_when_it_is_told_to(npm):
    npm.certbot.says = CHALLENGE_FAILED
    body = {"provider": "letsencrypt", "domain_names": ["a.example.com"], "meta": {}}
    response = send(npm, "POST", "/nginx/certificates", body)
    assert response.status_code == 500
    assert "Some challenges have failed." in response.json()["debug"]["stack"]
    assert npm.certificates.rows == {}


@pytest.mark.parametrize("kind", ["redirection-hosts", "dead-hosts"])
def test_a_name_is_taken_across_the_kinds_of_host_whatever_its_case(npm, kind):
    npm.occupy_by_hand("A.example.com", kind)
    response = send(npm, "POST", "/nginx/proxy-hosts", BODY)
    assert response.json()["error"]["message"] == "a.example.com is already in use"


def test_a_token_dies_after_a_day(npm):
    user = npm.accounts.users[0]
    headers = {"Authorization": f"Bearer {npm.accounts.issue(user, '1d')['token']}"}
    npm.clock_offset = timedelta(hours=25)
    response = requests.get(f"{npm.url}/api/users/me", headers=headers, timeout=5)
    assert response.json()["error"]["message"] == "Token has expired"


def test_a_two_factor_account_gets_a_challenge_instead_of_a_token(npm):
    npm.add_user("two@example.com", PASSWORD, two_factor=True)
    body = {"identity": "two@example.com", "secret": PASSWORD}
    answer = requests.post(f"{npm.url}/api/tokens", json=body, timeout=5).json()
    assert answer["requires_2fa"] is True
    assert "token" not in answer


def test_an_account_that_sees_its_own_does_not_see_what_was_made_by_hand(npm):
    npm.add_user("plain@example.com", PASSWORD, visibility="user")
    npm.host_by_hand("a.example.com")
    assert send(npm, "GET", "/nginx/proxy-hosts", email="plain@example.com").json() == []


def test_while_starting_every_answer_is_a_502_page(npm):
    npm.starting = True
    response = requests.get(f"{npm.url}/api/", timeout=5)
    assert (response.status_code, response.headers["Content-Type"]) == (502, "text/html")


def test_writes_counts_what_was_carried_out_and_not_what_was_refused(npm):
    send(npm, "POST", "/nginx/proxy-hosts", BODY)
    send(npm, "POST", "/nginx/proxy-hosts", BODY)
    send(npm, "GET", "/nginx/proxy-hosts")
    assert npm.writes == 1


def test_what_somebody_does_by_hand_is_no_counted_write(npm):
    npm.host_by_hand("a.example.com")
    npm.edit_by_hand(1, forward_port=81)
    npm.delete_by_hand(1)
    assert (npm.writes, npm.hosts(), npm.served()) == (0, [], set())
