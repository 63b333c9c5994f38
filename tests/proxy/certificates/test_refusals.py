"""Nginx Proxy Manager says no: the page says why, hosts keep what they have, and Let's Encrypt is left in peace."""

import logging
from datetime import timedelta

import pytest

from tests.proxy.certificates.certificates_world import TOKEN
from tests.proxy.npm_world import EMAIL
from webapp.db import transaction
from webapp.dns.connections import Connection
from webapp.proxy.certificates import service
from webapp.proxy.certificates.models import TRIES, Challenge, Phase
from webapp.proxy.service import npm_settings
from webapp.sandbox import npm_certbot, npm_schema
from webapp.sandbox.npm_certbot import CHALLENGE_FAILED


def test_a_failed_challenge_is_tried_five_times_and_then_waits_for_a_person(panel, npm):
    npm.certbot.says = CHALLENGE_FAILED
    panel.ask()
    tries = []
    for _ in range(24 * 12):
        before = npm.certbot.runs
        panel.certify(2, minutes=5)
        tries += [panel.now] * (npm.certbot.runs - before)
    row = panel.request()
    assert (len(tries), row.phase, row.attempts, row.next_try_at) == (TRIES, Phase.FAILED, TRIES, None)
    assert max(sum(first <= one <= first + timedelta(hours=1) for one in tries) for first in tries) <= 3
    assert ("port 80" in row.error, row.detail) == (True, CHALLENGE_FAILED)


def test_trying_again_helps_once_the_cause_is_gone(panel, npm):
    npm.certbot.says = CHALLENGE_FAILED
    panel.ask()
    panel.settle(3)
    npm.certbot.says = ""
    service.retry(1, at=panel.now)
    panel.settle()
    assert (panel.request().phase, panel.request().error, panel.request().detail) == (Phase.DONE, None, None)


def test_the_time_that_lets_encrypt_names_is_waited_for(panel, npm):
    until = panel.now + timedelta(hours=30)
    npm.certbot.says = npm_certbot.RATE_LIMITED.format(name="a", until=until.strftime("%Y-%m-%d %H:%M:%S"))
    panel.ask()
    panel.settle(3)
    assert (panel.request().next_try_at, panel.request().phase) == (until, Phase.WAITING)


def test_another_certificate_under_way_costs_no_try(panel, npm):
    npm.certbot.running = True
    panel.ask()
    panel.settle(3)
    row = panel.request()
    assert (row.attempts, row.phase, row.next_try_at > panel.now + timedelta(seconds=50)) == (
        0,
        Phase.REQUESTING,
        True,
    )
    npm.certbot.running = False
    panel.certify(minutes=1).settle()
    assert panel.request().phase is Phase.DONE


@pytest.mark.parametrize("version", ["2.11.3", "2.12.6", "2.15.1"])
def test_an_account_without_the_permission_is_told_which_one(panel, npm, version):
    user = next(u for u in npm.accounts.users if u.email == EMAIL)
    user.admin, user.permissions = (
        False,
        {**user.permissions, "certificates": "view", "proxy_hosts": "manage"},
    )
    panel.ask()
    panel.settle(3)
    assert (panel.request().phase, panel.request().attempts) == (Phase.FAILED, 1)
    assert "Manage for certificates" in panel.request().error


def test_what_the_schema_refuses_is_told_in_its_words(panel, npm, monkeypatch):
    monkeypatch.setattr(npm_schema, "certificate", lambda _dialect: {"type": "object", "required": ["more"]})
    panel.ask()
    panel.settle(3)
    assert (panel.request().phase, panel.request().detail) == (
        Phase.FAILED,
        "data must have required property 'more'",
    )


def test_a_host_made_by_hand_is_not_disturbed(panel, npm):
    npm.host_by_hand("app.example.com")
    panel.ask()
    panel.settle(3)
    assert (panel.asked(), npm.served(), panel.request().phase) == ([], {"app.example.com"}, Phase.FAILED)
    assert "host 1 in Nginx Proxy Manager, which was not made here" in panel.request().error


def test_a_zone_that_is_gone_by_then_is_told(panel):
    panel.zone()
    panel.ask(challenge=Challenge.DNS)
    with transaction() as session:
        session.delete(session.get_one(Connection, 1))
    panel.settle(3)
    assert (panel.asked(), panel.request().phase, panel.request().attempts) == ([], Phase.FAILED, 0)
    assert "Connect a zone" in panel.request().error


def test_the_token_is_nowhere_to_be_seen(panel, npm, caplog):
    caplog.set_level(logging.DEBUG)
    npm.certbot.says = f"Invalid line ('dns_cloudflare_api_token={TOKEN}') or {TOKEN} itself"
    panel.zone()
    panel.ask(challenge=Challenge.DNS)
    panel.settle(3)
    row = panel.request()
    assert "•••" in row.detail
    assert TOKEN not in caplog.text + repr(vars(row))


@pytest.mark.parametrize("connected", [True, False])
def test_a_failed_renewal_shows_no_token_either(panel, npm, connected):
    npm.add_certificate("w", ["*.example.com"], npm.now() + timedelta(days=3))
    npm.certificates.rows[1]["meta"] = {"dns_challenge": True}
    if connected:
        panel.zone()
    panel.run()
    service.renew(1, at=panel.now)
    npm.certbot.says = f"dns_cloudflare_api_token={TOKEN} is bad"
    panel.settle(3)
    assert (panel.request().phase, TOKEN in panel.request().detail) == (Phase.WAITING, False)


def test_nginx_that_refuses_the_new_certificate_gets_the_old_state_back(panel, npm):
    row = panel.create()
    panel.run()
    npm.certificates.empty.add(1)  # its files will not be there
    panel.ask(proxy=row, ssl_forced=True)
    panel.settle(8)
    assert (panel.request().phase, npm.served()) == (Phase.FAILED, {"app.example.com"})
    assert ("cannot load certificate" in panel.request().detail, panel.row().certificate_id) == (True, 0)


def test_a_wrong_password_waits_for_a_person(panel):
    panel.connect(password="another one")
    panel.ask()
    panel.settle(3)
    assert (panel.request().phase, "refused the e-mail address" in panel.request().error) == (
        Phase.FAILED,
        True,
    )


def test_without_an_npm_requests_wait(panel):
    with transaction() as session:
        npm_settings(session).url = ""
    panel.ask()
    panel.settle(3)
    assert (panel.request().phase, "not set up yet" in panel.request().error) == (Phase.REQUESTING, True)


def test_once_nginx_takes_it_the_certificate_is_put_to_use_without_another_one(panel, npm):
    row = panel.create()
    panel.run()
    npm.certificates.empty.add(1)
    panel.ask(proxy=row)
    panel.settle(8)
    npm.certificates.empty.clear()
    service.retry(1, at=panel.now)
    panel.settle(8)
    assert (panel.request().phase, npm.certbot.runs, panel.row().certificate_id) == (Phase.DONE, 1, 1)
