"""A host that somebody changed or deleted over there is shown, and left as it is until a person answers."""

from datetime import timedelta

import pytest

from tests.proxy.publish_world import CHECK_EVERY
from webapp.db import transaction
from webapp.proxy import drift, service
from webapp.proxy.models import HostStatus, ProxyHost

RELEASES = pytest.mark.parametrize("version", ["2.9.22", "2.12.6", "2.15.1"])


@pytest.fixture
def host(panel, npm):
    """One host that is up; its id there."""
    panel.create()
    panel.run()
    return npm.hosts()[0]["id"]


def later(panel):
    """The pass in which the lists are read again, and those that follow at once."""
    panel.run(passes=3, seconds=CHECK_EVERY.total_seconds() + 1)
    return panel.row()


EDITS = [
    ({"forward_port": 1}, "Forwards to: http://10.0.0.5:8080 → http://10.0.0.5:1."),
    ({"forward_host": "10.0.0.99"}, "Forwards to: http://10.0.0.5:8080 → http://10.0.0.99:8080."),
    ({"domain_names": ["x.example.com"]}, "Name: app.example.com → x.example.com."),
    (
        {"domain_names": ["app.example.com", "b.example.com"]},
        "Name: app.example.com → app.example.com, b.example.com.",
    ),
    ({"block_exploits": False}, "Block common exploits: on → off."),
    ({"certificate_id": 7}, "Certificate: none → 7 (not in the list)."),
    ({"meta": {}}, "Mark of Tiny Forge: there → gone."),
]


@pytest.mark.parametrize(("edit", "words"), EDITS)
def test_an_edit_is_told_and_left(panel, npm, host, edit, words):
    npm.edit_by_hand(host, **edit)
    there, writes = dict(npm.hosts()[0]), npm.writes
    row = later(panel)
    assert (row.status, row.next_try_at) == (HostStatus.DRIFTED, None)
    assert row.error == f"Changed in Nginx Proxy Manager. {words}"
    assert (npm.hosts(), npm.writes) == ([there], writes)


@RELEASES
def test_a_host_switched_off_by_hand_is_told(panel, npm, host):
    npm.switch_by_hand(host, on=False)
    assert later(panel).status is HostStatus.DRIFTED
    assert "Enabled: on → off." in panel.row().error
    assert npm.served() == set()


@RELEASES
def test_a_deleted_host_is_told_and_not_made_again(panel, npm, host):
    npm.delete_by_hand(host)
    assert later(panel).status is HostStatus.MISSING
    assert npm.hosts() == []


def test_what_the_panel_has_no_field_for_is_no_drift(panel, npm, host):
    npm.edit_by_hand(host, access_list_id=3, advanced_config="# mine")
    assert later(panel).status is HostStatus.ONLINE
    assert npm.hosts()[0]["access_list_id"] == 3


def test_drift_is_noticed_by_any_look(panel, npm, host):
    npm.edit_by_hand(host, forward_port=1)
    panel.create("b.example.com")
    panel.run()
    assert [row.status for row in panel.rows()] == [HostStatus.DRIFTED, HostStatus.ONLINE]


@pytest.mark.parametrize("edit", [edit for edit, _ in EDITS if "meta" not in edit])
def test_what_is_put_right_over_there_is_well_again(panel, npm, host, edit):
    before = {key: npm.hosts()[0][key] for key in edit}
    npm.edit_by_hand(host, **edit)
    assert later(panel).status is HostStatus.DRIFTED
    npm.edit_by_hand(host, **before)
    row = later(panel)
    assert (row.status, row.error, row.seen) == (HostStatus.ONLINE, None, None)


@RELEASES
@pytest.mark.parametrize("edit", [edit for edit, _ in EDITS])
def test_restore_writes_ours_again(panel, npm, host, edit):
    before = {key: npm.hosts()[0][key] for key in edit if key != "meta"}
    npm.edit_by_hand(host, **edit)
    row = later(panel)
    drift.restore(1, shown=drift.stamp(row.seen), at=panel.now)
    panel.run()
    after = npm.hosts()[0]
    assert panel.row().status is HostStatus.ONLINE
    assert {key: after[key] for key in before} == before
    assert len(panel.ours()) == 1


def test_restore_turns_it_on_again(panel, npm, host):
    npm.switch_by_hand(host, on=False)
    later(panel)
    drift.restore(1, at=panel.now)
    panel.run()
    assert (npm.served(), panel.row().status) == ({"app.example.com"}, HostStatus.ONLINE)


def test_restore_makes_a_deleted_host_again(panel, npm, host):
    npm.delete_by_hand(host)
    later(panel)
    drift.restore(1, at=panel.now)
    panel.run()
    (made,) = panel.ours()
    assert (made["domain_names"], panel.row().npm_host_id) == (["app.example.com"], made["id"])


def test_all_that_was_deleted_is_made_again_at_once(panel, npm, host):
    panel.create("b.example.com")
    panel.create("c.example.com")
    panel.run()
    npm.edit_by_hand(host, forward_port=1)
    npm.delete_by_hand(2)
    npm.delete_by_hand(3)
    later(panel)
    assert drift.restore_all(missing_only=True, at=panel.now) == 2
    panel.run()
    assert [row.status for row in panel.rows()] == [HostStatus.DRIFTED, HostStatus.ONLINE, HostStatus.ONLINE]
    assert drift.restore_all(at=panel.now) == 1


def test_a_host_that_changed_again_is_not_overwritten(panel, npm, host):
    npm.edit_by_hand(host, forward_port=1)
    later(panel)
    drift.restore(1, at=panel.now)
    npm.edit_by_hand(host, forward_port=2)
    panel.run()
    row = panel.row()
    assert row.status is HostStatus.DRIFTED
    assert row.error.endswith("→ http://10.0.0.5:2.")
    assert npm.hosts()[0]["forward_port"] == 2


def test_a_host_that_somebody_replaced_by_hand_is_a_conflict(panel, npm, host):
    npm.delete_by_hand(host)
    other = dict(npm.host_by_hand("app.example.com"))
    assert later(panel).status is HostStatus.CONFLICT
    assert npm.hosts() == [other]


def test_an_unmarked_host_without_our_name_is_not_ours(panel, npm, host):
    """An id proves little: the proxy manager may have been set up anew."""
    npm.edit_by_hand(host, meta={}, domain_names=["else.example.com"])
    assert later(panel).status is HostStatus.MISSING
    drift.restore(1, at=panel.now)
    panel.run()
    assert npm.served() == {"app.example.com", "else.example.com"}


def test_a_wish_that_changes_overwrites_what_drifted(panel, npm, host):
    npm.edit_by_hand(host, forward_port=1)
    later(panel)
    panel.update(1, forward_host="10.0.0.6")
    panel.run()
    there = npm.hosts()[0]
    assert (there["forward_host"], there["forward_port"]) == ("10.0.0.6", 8080)
    assert panel.row().status is HostStatus.ONLINE


def test_saving_what_is_wanted_once_more_restores(panel, npm, host):
    npm.edit_by_hand(host, forward_port=1)
    later(panel)
    panel.update(1)
    panel.run()
    assert (npm.hosts()[0]["forward_port"], panel.row().status) == (8080, HostStatus.ONLINE)


def test_a_late_answer_of_our_own_is_put_right_by_itself(panel, npm, host):
    """A change that timed out may be carried out when a newer one has been made already."""
    with transaction() as session:
        session.get_one(ProxyHost, 1).doubt(panel.now + CHECK_EVERY)
    npm.edit_by_hand(host, forward_port=1)
    later(panel)
    assert (npm.hosts()[0]["forward_port"], panel.row().status) == (8080, HostStatus.ONLINE)
    panel.now += timedelta(hours=1)
    npm.edit_by_hand(host, forward_port=1)
    assert later(panel).status is HostStatus.DRIFTED


def test_removing_what_drifted_takes_our_host(panel, npm, host):
    npm.edit_by_hand(host, forward_port=1)
    later(panel)
    service.remove(1, at=panel.now)
    panel.run()
    assert (npm.hosts(), panel.rows()) == ([], [])
