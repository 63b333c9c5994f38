"""Wishes become hosts at Nginx Proxy Manager, in every release that differs."""

import pytest

from tests.proxy.npm_world import PASSWORD
from tests.proxy.publish_world import Panel
from webapp import outgoing
from webapp.dns import ledger
from webapp.proxy import service
from webapp.proxy.models import HostStatus
from webapp.proxy.publish import NOT_SET_UP

RELEASES = pytest.mark.parametrize("version", ["2.9.22", "2.12.6", "2.15.1"])


@RELEASES
def test_a_wish_becomes_a_host_with_our_mark(panel, npm):
    panel.create()
    panel.run()
    (host,) = npm.hosts()
    assert host["domain_names"] == ["app.example.com"]
    with service.transaction() as session:
        install = ledger.settings(session).install_id
    assert host["meta"]["tiny_forge"] == {"install": install, "consumer": "standalone", "id": 1}
    assert npm.served() == {"app.example.com"}
    row = panel.row()
    assert (row.status, row.error, row.next_try_at, row.npm_host_id) == (
        HostStatus.ONLINE, None, None, host["id"],
    )  # fmt: skip


@RELEASES
def test_every_field_reaches_the_host(panel, npm):
    certificate = npm.add_certificate("x", ["app.example.com"], npm.now())
    panel.create(
        forward_scheme="https", forward_host="[2001:db8::5]", forward_port=8443, certificate_id=certificate,
        ssl_forced=True, http2_support=True, hsts_enabled=True, hsts_subdomains=True,
        allow_websocket_upgrade=False, block_exploits=False,
    )  # fmt: skip
    panel.run()
    host = npm.host_for("app.example.com")
    assert (host["forward_scheme"], host["forward_host"], host["forward_port"]) == (
        "https", "[2001:db8::5]", 8443,
    )  # fmt: skip
    assert host["certificate_id"] == certificate
    on = ("ssl_forced", "http2_support", "hsts_enabled", "hsts_subdomains")
    assert [bool(host[name]) for name in on] == [True] * 4
    assert not host["allow_websocket_upgrade"]
    assert not host["block_exploits"]


@RELEASES
def test_a_new_name_moves_the_same_host(panel, npm):
    panel.create()
    panel.run()
    before = npm.hosts()[0]["id"]
    panel.update(1, "news.example.com")
    panel.run()
    (host,) = npm.hosts()
    assert (host["id"], host["domain_names"]) == (before, ["news.example.com"])
    assert npm.served() == {"news.example.com"}


@RELEASES
def test_off_and_on_again(panel, npm):
    panel.create()
    panel.run()
    service.switch(1, enabled=False, at=panel.now)
    panel.run()
    assert (npm.served(), panel.row().status) == (set(), HostStatus.OFF)
    service.switch(1, enabled=True, at=panel.now)
    panel.run()
    assert (npm.served(), panel.row().status) == ({"app.example.com"}, HostStatus.ONLINE)


@RELEASES
def test_a_removal_takes_host_and_row(panel, npm):
    panel.create()
    panel.run()
    service.remove(1, at=panel.now)
    panel.run()
    assert (npm.hosts(), npm.served(), panel.row()) == ([], set(), None)


@RELEASES
def test_a_host_that_nginx_refuses_shows_its_message(panel, npm):
    npm.unresolvable.add("no-such-container")
    panel.create(forward_host="no-such-container")
    panel.run()
    row = panel.row()
    assert row.status is HostStatus.REJECTED
    assert 'host not found in upstream "no-such-container"' in row.error
    assert len(npm.hosts()) == 1

    npm.unresolvable.clear()
    service.retry(1, at=panel.now)
    panel.run()
    assert (panel.row().status, panel.row().error) == (HostStatus.ONLINE, None)
    assert npm.served() == {"app.example.com"}


def test_a_complaint_about_another_host_names_that_host(panel, npm):
    panel.create()
    npm.nginx._complaint = lambda *_: 'unknown directive "x" in /data/nginx/proxy_host/77.conf:3;'
    panel.run()
    assert "because of another host (77)" in panel.row().error


def test_a_very_long_complaint_of_nginx_is_cut_to_what_the_column_holds(panel, npm):
    name = "-".join(["long"] * 60)[:250]
    npm.unresolvable.update({name, name * 5})
    row_id = panel.create(forward_host=name)
    npm.nginx._complaint = lambda *_: "x" * 5000
    panel.run()
    assert len(panel.row(row_id).error) == 1000


@RELEASES
def test_a_host_made_by_hand_is_never_touched(panel, npm):
    before = dict(npm.host_by_hand("app.example.com"))
    panel.create()
    panel.run_until_settled()
    row = panel.row()
    assert row.status is HostStatus.CONFLICT
    assert "host 1 in Nginx Proxy Manager, which was not made here" in row.error
    assert "http://10.0.0.9:80" in row.error
    assert npm.hosts() == [before]

    service.remove(1, at=panel.now)
    panel.run_until_settled()
    assert (npm.hosts(), panel.row()) == ([before], None)


def test_a_name_that_a_redirection_has_is_refused_by_name(panel, npm):
    npm.occupy_by_hand("app.example.com")
    panel.create()
    panel.run()
    assert panel.row().status is HostStatus.FAILED
    assert "app.example.com is in use in Nginx Proxy Manager, by a redirection" in panel.row().error


def test_a_host_that_lost_its_mark_is_not_ours_any_more(panel, npm):
    panel.create()
    panel.run()
    npm.edit_by_hand(1, meta={})
    panel.update(1, forward_port=9000)
    panel.run()
    assert panel.row().status is HostStatus.DRIFTED
    assert npm.hosts()[0]["forward_port"] == 8080


def test_nothing_due_means_no_request(panel, npm):
    panel.create()
    panel.run()
    calls = len(npm.log)
    panel.run(passes=5, minutes=9)
    assert len(npm.log) == calls


def test_the_lists_for_the_pages_are_read_from_time_to_time(panel, npm):
    panel.run()
    npm.host_by_hand("hand.example.com")
    npm.add_certificate("mine", ["*.example.com"], npm.now())
    panel.run(minutes=11)
    settings = panel.settings()
    assert [host["domains"] for host in settings.hosts] == [["hand.example.com"]]
    assert [(c["name"], c["domains"]) for c in settings.certificates] == [("mine", ["*.example.com"])]
    assert npm.writes == 0


def test_without_settings_a_wish_waits_and_says_so(npm, context):
    panel = Panel(npm)
    panel.create()
    panel.run()
    assert (panel.row().status, panel.row().error) == (HostStatus.FAILED, NOT_SET_UP)
    panel.connect(PASSWORD).run()
    assert panel.row().status is HostStatus.ONLINE


def test_without_settings_a_removal_is_done_at_once(npm, context):
    panel = Panel(npm)
    panel.create()
    service.remove(1, at=panel.now)
    panel.run()
    assert panel.row() is None


def test_nothing_to_do_and_nothing_set_up_is_quiet(npm, context):
    panel = Panel(npm).run(passes=3)
    assert panel.settings().error is None
    assert npm.log == []


def test_an_address_that_the_panel_does_not_talk_to_gets_no_password(panel, npm, monkeypatch):
    monkeypatch.setattr(outgoing, "is_refused", lambda address: address == "127.0.0.1")
    panel.create()
    panel.run()
    assert npm.log == []
    assert panel.row().status is not HostStatus.ONLINE


def test_a_proxy_of_the_environment_is_not_asked(panel, npm, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    panel.create()
    panel.run()
    assert panel.row().status is HostStatus.ONLINE
