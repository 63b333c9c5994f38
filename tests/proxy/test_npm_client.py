"""The client against every release: what it makes, changes, deletes and reports."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.proxy.npm_world import EMAIL, OURS, SPEC, VERSIONS, client, spec, stand_in
from webapp.errors import ProxyError
from webapp.proxy.npm import Mark

pytestmark = pytest.mark.matrix

EXPIRES = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(params=VERSIONS)
def npm(request):
    with stand_in(request.param) as npm:
        yield npm


def test_the_account_tells_release_and_rights(npm):
    account = client(npm).account()
    assert account.version == npm.dialect.version
    assert (account.email, account.may_edit_hosts, account.may_see_all) == (EMAIL, True, True)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_account_tells_what_it_may_not_do(version):
    with stand_in(version, proxy_hosts="view", visibility="user") as npm:
        account = client(npm).account()
    assert (account.may_edit_hosts, account.may_see_all) == (False, False)


def test_a_created_host_is_read_back_with_nginx_s_verdict(npm):
    host = client(npm).create_host(SPEC, OURS)
    assert (host.domains, host.online, host.enabled, host.mark) == (("app.example.com",), True, True, OURS)
    assert host.allow_websocket_upgrade is True
    assert npm.served() == {"app.example.com"}


def test_a_created_host_that_nginx_refuses_says_why(npm):
    npm.unresolvable.add("10.0.0.5")
    host = client(npm).create_host(SPEC, OURS)
    assert host.online is False
    assert "host not found in upstream" in host.nginx_error
    assert host.blamed_host is None


def test_a_host_can_be_created_switched_off(npm):
    host = client(npm).create_host(spec(enabled=False), OURS)
    assert host.enabled is False
    assert npm.served() == set()


def test_a_host_is_created_with_certificate_and_flags(npm):
    number = npm.add_certificate("wild", ["*.example.com"], EXPIRES)
    wanted = spec(certificate_id=number, ssl_forced=True, http2_support=True, hsts_enabled=True)
    host = client(npm).create_host(wanted, OURS)
    flags = (host.ssl_forced, host.http2_support, host.hsts_enabled, host.hsts_subdomains)
    assert (host.certificate_id, flags) == (number, (True, True, True, False))


def test_without_a_certificate_no_flag_is_set(npm):
    host = client(npm).create_host(spec(ssl_forced=True, http2_support=True, hsts_enabled=True), OURS)
    assert (host.ssl_forced, host.http2_support, host.hsts_enabled) == (False, False, False)


def test_taking_the_certificate_away_takes_the_flags_along(npm):
    number = npm.add_certificate("wild", ["*.example.com"], EXPIRES)
    made = client(npm).create_host(spec(certificate_id=number, ssl_forced=True, http2_support=True), OURS)
    host = client(npm).update_host(made.id, SPEC, OURS)
    assert (host.certificate_id, host.ssl_forced, host.http2_support) == (0, False, False)


def test_a_second_update_with_nothing_changed_writes_nothing(npm):
    wanted = spec(forward_port=81, ssl_forced=True, http2_support=True)
    made = client(npm).create_host(wanted, OURS)
    writes = npm.writes
    client(npm).update_host(made.id, wanted, OURS)
    assert npm.writes == writes


def test_an_update_keeps_what_others_keep_in_the_host(npm):
    made = client(npm).create_host(SPEC, OURS)
    meta = {**npm.hosts()[0]["meta"], "theirs": 1}
    npm.edit_by_hand(made.id, meta=meta, advanced_config="# theirs", caching_enabled=True)
    client(npm).update_host(made.id, spec(forward_port=81), OURS)
    row = npm.hosts()[0]
    assert (row["forward_port"], row["advanced_config"], row["caching_enabled"]) == (81, "# theirs", True)
    assert row["meta"]["theirs"] == 1


def test_switching_off_takes_the_site_down(npm):
    made = client(npm).create_host(SPEC, OURS)
    host = client(npm).update_host(made.id, spec(enabled=False, forward_port=81), OURS)
    assert (host.enabled, host.forward_port, npm.served()) == (False, 81, set())


def test_switching_on_brings_the_site_back(npm):
    made = client(npm).create_host(spec(enabled=False), OURS)
    host = client(npm).update_host(made.id, SPEC, OURS)
    assert (host.enabled, host.online, npm.served()) == (True, True, {"app.example.com"})


def test_an_offline_host_is_tried_again(npm):
    npm.unresolvable.add("10.0.0.5")
    made = client(npm).create_host(SPEC, OURS)
    npm.unresolvable.clear()
    assert client(npm).update_host(made.id, SPEC, OURS).online is True


def test_a_deleted_host_is_gone(npm):
    made = client(npm).create_host(SPEC, OURS)
    assert client(npm).delete_host(made.id) is True
    assert (client(npm).get_host(made.id), npm.served()) == (None, set())


def test_deleting_what_is_gone_is_no_error(npm):
    assert client(npm).delete_host(4711) is True


def test_updating_what_is_gone_says_so(npm):
    with pytest.raises(ProxyError, match="no longer has the proxy host"):
        client(npm).update_host(4711, SPEC, OURS)


@pytest.mark.parametrize(
    "meta", [{}, {"tiny_forge": {"install": "other", "consumer": "standalone", "id": 7}}]
)
def test_a_host_without_our_mark_is_left_alone(npm, meta):
    made = npm.host_by_hand("app.example.com", meta=meta)
    before = dict(npm.hosts()[0])
    for attempt in (
        lambda: client(npm).create_host(SPEC, OURS),
        lambda: client(npm).update_host(made["id"], SPEC, OURS),
        lambda: client(npm).delete_host(made["id"]),
    ):
        with pytest.raises(ProxyError):
            attempt()
    assert npm.hosts() == [before]


def test_a_host_made_by_hand_can_be_adopted(npm):
    made = npm.host_by_hand("app.example.com", caching_enabled=True)
    host = client(npm).update_host(made["id"], SPEC, OURS, adopt=True)
    assert (host.mark, host.forward_host, host.online) == (OURS, "10.0.0.5", True)


def test_creating_what_an_earlier_attempt_left_behind_finishes_it(npm):
    npm.nginx_broken = True
    with pytest.raises(ProxyError):
        client(npm).create_host(SPEC, OURS)
    npm.nginx_broken = False
    host = client(npm).create_host(spec(forward_port=81), OURS)
    assert (host.forward_port, host.online, len(npm.hosts())) == (81, True, 1)


def test_a_change_that_nginx_did_not_take_is_written_again_later(npm):
    made = client(npm).create_host(SPEC, OURS)
    npm.nginx_broken = True
    with pytest.raises(ProxyError, match="another site") as caught:
        client(npm).update_host(made.id, spec(forward_port=81), OURS)
    assert (caught.value.will_heal, caught.value.unconfirmed) == (True, True)
    npm.nginx_broken = False
    writes = npm.writes
    assert client(npm).update_host(made.id, spec(forward_port=81), OURS).online is True
    assert npm.writes == writes + 1


def test_a_deletion_that_nginx_did_not_take_says_that_the_site_is_still_served(npm):
    made = client(npm).create_host(SPEC, OURS)
    npm.nginx_broken = True
    assert client(npm).delete_host(made.id) is False
    assert npm.served() == {"app.example.com"}


def test_hosts_of_another_consumer_are_not_taken_over(npm):
    client(npm).create_host(SPEC, Mark("install-1", "instance", 3))
    with pytest.raises(ProxyError, match="belongs to something else"):
        client(npm).create_host(SPEC, OURS)


def test_certificates_are_listed_without_their_keys(npm):
    number = npm.add_certificate("wild", ["*.example.com"], EXPIRES)
    npm.certificates.rows[number]["meta"] = {"certificate_key": "-----BEGIN PRIVATE KEY-----"}
    (found,) = client(npm).list_certificates()
    assert (found.id, found.name, found.domains, found.expires_on) == (
        number,
        "wild",
        ("*.example.com",),
        EXPIRES,
    )
    assert "PRIVATE" not in repr(found)


def test_hosts_made_by_hand_are_listed_without_a_mark(npm):
    npm.host_by_hand("Other.example.com", enabled=False)
    (host,) = client(npm).list_hosts()
    assert (host.domains, host.mark, host.enabled) == (("other.example.com",), None, False)
    assert datetime.now(UTC) - host.created_on < timedelta(minutes=1)


def test_an_expired_token_is_replaced_without_anybody_noticing(npm):
    ours = client(npm)
    ours.create_host(SPEC, OURS)
    npm.expire_tokens()
    assert ours.create_host(spec(domain="b.example.com"), OURS).online is True


def test_a_token_of_another_life_is_replaced_without_anybody_noticing(npm):
    ours = client(npm)
    ours.list_hosts()
    npm.accounts.tokens.clear()
    assert ours.create_host(SPEC, OURS).online is True
