"""What the operator is told when something is wrong with the connection or the account; never a secret."""

import ssl

import pytest
import requests
import requests_mock

from tests.proxy.npm_world import EMAIL, OURS, PASSWORD, SPEC, VERSIONS, client, spec, stand_in
from webapp.errors import ProxyError
from webapp.proxy.npm import NpmClient
from webapp.proxy.npm_transport import SIZE_LIMIT
from webapp.sandbox.npm import NpmStandIn

ROOT = "http://npm.lan:81"


@pytest.fixture(params=VERSIONS)
def npm(request):
    with stand_in(request.param) as npm:
        yield npm


def trouble(action):
    """The error an action ends in; its text never holds the password or a token."""
    with pytest.raises(ProxyError) as caught:
        action()
    assert PASSWORD not in caught.value.message
    assert "Bearer" not in caught.value.message
    return caught.value


def test_a_wrong_password_is_named(npm):
    npm.accounts.users[1].password = "changed since"
    error = trouble(client(npm).account)
    assert f"refused the e-mail address or password of {EMAIL}" in error.message
    assert not error.will_heal


def test_a_two_factor_account_is_named(npm):
    npm.accounts.users[1].two_factor = True
    assert "two-factor" in trouble(client(npm).account).message


WRITES = {
    "create": lambda ours: ours.create_host(spec(domain="new.example.com"), OURS),
    "update": lambda ours: ours.update_host(1, SPEC, OURS, adopt=True),
    "disable": lambda ours: ours.update_host(1, spec(enabled=False), OURS, adopt=True),
    "delete": lambda ours: ours.delete_host(1, adopt=True),
}


@pytest.mark.parametrize("write", WRITES)
def test_an_account_that_may_only_look_is_named(npm, write):
    npm.host_by_hand("app.example.com")
    npm.accounts.users[1].admin = False
    npm.accounts.users[1].permissions["proxy_hosts"] = "view"
    error = trouble(lambda: WRITES[write](client(npm)))
    assert f"The account {EMAIL} may not" in error.message
    assert (error.will_heal, npm.writes) == (False, 0)


def test_an_account_that_may_not_even_look_is_named(npm):
    npm.accounts.users[1].admin = False
    npm.accounts.users[1].permissions["proxy_hosts"] = "hidden"
    assert f"The account {EMAIL} may not see proxy hosts" in trouble(client(npm).list_hosts).message


def test_an_account_without_certificates_is_named(npm):
    npm.accounts.users[1].admin = False
    npm.accounts.users[1].permissions["certificates"] = "hidden"
    assert "may not see certificates" in trouble(client(npm).list_certificates).message


def test_a_name_held_by_a_host_the_account_cannot_see_is_explained(npm):
    npm.accounts.users[1].permissions["visibility"] = "user"
    npm.host_by_hand("app.example.com")
    assert "cannot see" in trouble(lambda: client(npm).create_host(SPEC, OURS)).message


def test_npm_starting_is_a_matter_of_waiting(npm):
    npm.starting = True
    error = trouble(client(npm).account)
    assert "still starting" in error.message
    assert error.will_heal


def test_npm_that_is_not_there_is_a_matter_of_waiting(npm):
    ours = client(npm)
    npm.stop()
    error = trouble(ours.account)
    assert f"cannot be reached at {npm.url}" in error.message
    assert (error.will_heal, error.unconfirmed) == (True, False)


def test_npm_going_away_before_a_change_leaves_nothing_in_doubt(npm):
    ours = client(npm)
    ours.list_hosts()
    npm.stop()
    assert not trouble(lambda: ours.create_host(SPEC, OURS)).unconfirmed


def test_the_site_that_blocks_nginx_is_named_when_it_can_be_seen(npm):
    number = npm.add_certificate("old", ["old.example.com"], npm.now())
    npm.host_by_hand("old.example.com", certificate_id=number)
    npm.certificates.delete(npm.accounts.users[0], str(number))
    error = trouble(lambda: client(npm).create_host(SPEC, OURS))
    assert "old.example.com" in error.message


def test_npm_without_its_first_user_is_named():
    with NpmStandIn("2.15.1") as npm:
        assert "no user yet" in trouble(client(npm).account).message


def test_npm_s_own_words_are_quoted_when_it_refuses():
    with stand_in("2.15.1") as npm, requests_mock.Mocker(real_http=True) as mock:
        words = {"error": {"code": 400, "message": "data/forward_port must be <= 80"}}
        mock.post(f"{npm.url}/api/nginx/proxy-hosts", status_code=400, json=words)
        assert (
            "data/forward_port must be <= 80" in trouble(lambda: client(npm).create_host(SPEC, OURS)).message
        )


@pytest.fixture
def elsewhere():
    with requests_mock.Mocker() as mock:
        yield mock


def account():
    return NpmClient(ROOT, EMAIL, PASSWORD, "install-1").account()


def test_another_web_server_is_recognised(elsewhere):
    elsewhere.get(f"{ROOT}/api/", text="<html>Welcome</html>")
    assert "does not answer like Nginx Proxy Manager" in trouble(account).message


@pytest.mark.parametrize("health", [[], {}, {"version": "2"}, {"version": {"major": "two"}}])
def test_another_api_is_recognised(elsewhere, health):
    elsewhere.get(f"{ROOT}/api/", json=health)
    assert "does not answer like Nginx Proxy Manager" in trouble(account).message


def test_a_redirect_is_not_followed_but_named(elsewhere):
    elsewhere.get(f"{ROOT}/api/", status_code=301, headers={"Location": "https://u:p@npm.lan/api/"})
    message = trouble(account).message
    assert "redirects to https://npm.lan." in message


def test_a_certificate_that_is_not_trusted_is_named(elsewhere):
    reason = ssl.SSLCertVerificationError("certificate verify failed: self-signed certificate")
    elsewhere.get(f"{ROOT}/api/", exc=requests.exceptions.SSLError(reason))
    error = trouble(account)
    assert "TLS certificate" in error.message
    assert not error.will_heal


def test_tls_where_there_is_none_is_named(elsewhere):
    elsewhere.get(f"{ROOT}/api/", exc=requests.exceptions.SSLError("wrong version number"))
    assert "http or https" in trouble(account).message


def test_an_answer_without_end_is_cut_off(elsewhere):
    elsewhere.get(f"{ROOT}/api/", content=b"[" + b" " * (SIZE_LIMIT + 1) + b"]")
    error = trouble(account)
    assert "cannot be read" in error.message
    assert error.will_heal
