"""Adoption: a host made by hand becomes a proxy here when somebody says so, and changes in nothing but its mark."""

import pytest

from tests.proxy.publish_world import CHECK_EVERY
from webapp.db import reading, transaction
from webapp.dns import ledger
from webapp.errors import Busy, NotFound, Stale
from webapp.proxy import adoption, service
from webapp.proxy.adoption import CHANGED_SINCE
from webapp.proxy.models import HostStatus
from webapp.proxy.npm_proof import location, weave
from webapp.sandbox.npm_dialect import Row

RELEASES = pytest.mark.parametrize("version", ["2.9.22", "2.12.6", "2.15.1"])


def look(panel):
    panel.run(seconds=CHECK_EVERY.total_seconds() + 1)
    return panel


def listed():
    with reading() as session:
        return {one.names: one.why_not for one in adoption.candidates(session)}


def shown(number=1):
    with reading() as session:
        return adoption.candidate(session, number).shown


def adopt(panel, number=1, **options):
    return adoption.adopt(number, shown=shown(number), at=panel.now, **options).id


def rest(row: Row):
    """What of a host adoption leaves as it was."""
    return {key: value for key, value in row.items() if key not in ("meta", "modified_on")}


@RELEASES
def test_it_becomes_a_proxy_and_changes_in_nothing_but_its_mark(panel, npm):
    number = npm.add_certificate("mine", ["hand.example.com"], npm.now())
    npm.host_by_hand(
        "hand.example.com", forward_scheme="https", forward_host="nas", forward_port=5001, meta={"theirs": 1},
        certificate_id=number, ssl_forced=True, http2_support=True, hsts_enabled=True,
    )  # fmt: skip
    before, files = dict(look(panel).npm.hosts()[0]), dict(npm.nginx.loaded)
    row = adopt(panel)
    panel.run()
    (after,) = panel.ours()
    assert (rest(after), npm.nginx.loaded) == (rest(before), files)
    assert after["meta"]["theirs"] == 1
    assert panel.row(row).status is HostStatus.ONLINE
    assert (panel.row(row).forward_host, panel.row(row).certificate_id) == ("nas", number)
    assert npm.writes == 1
    assert listed() == {}
    look(panel)
    assert (npm.writes, panel.row(row).status) == (1, HostStatus.ONLINE)


@RELEASES
def test_one_that_is_off_stays_off(panel, npm):
    npm.host_by_hand("hand.example.com", enabled=False)
    before = rest(look(panel).npm.hosts()[0])
    adopt(panel)
    panel.run()
    assert (rest(npm.hosts()[0]), panel.row().status) == (before, HostStatus.OFF)


def test_its_name_is_claimed(panel, npm):
    npm.host_by_hand("hand.example.com")
    adopt(look(panel))
    with reading() as session:
        assert [row.fqdn for row in ledger.wanted(session)] == ["hand.example.com"]


def test_its_name_can_be_left_out_of_dns(panel, npm):
    npm.host_by_hand("hand.example.com")
    adopt(look(panel), use_dns=False)
    with reading() as session:
        assert ledger.wanted(session) == []


def test_our_own_piece_of_its_configuration_is_no_hindrance(panel, npm):
    """A host of ours that was forgotten here, as by a lost mark and a lost row."""
    piece = location("/.well-known/tiny-forge/0a1b", "tiny-forge 2c3d")
    npm.host_by_hand("hand.example.com", advanced_config=weave("", piece))
    look(panel)
    assert listed() == {"hand.example.com": None}


REFUSED = [
    ({"domain_names": ["a.example.com", "b.example.com"]}, "It has 2 names (a.example.com, b.example.com)"),
    ({"access_list_id": 3}, "It has an access list, which a proxy here cannot keep."),
    ({"advanced_config": "# x", "caching_enabled": True}, "an advanced configuration and caching of assets"),
    (
        {"locations": [{"path": "/", "forward_scheme": "http", "forward_host": "h", "forward_port": 1}]},
        "custom locations",
    ),
    ({"certificate_id": 77}, "Its certificate 77 is not there any more."),
    ({"domain_names": ["bücher.example.com"]}, "here it would be xn--bcher-kva.example.com"),
    ({"domain_names": ["localhost"]}, "The name localhost cannot be kept here"),
    ({"forward_host": "10.0.0.1/base"}, "The host to forward to cannot be kept here"),
    (
        {"meta": {"tiny_forge": {"install": "other", "consumer": "standalone", "id": 1}}},
        "another installation",
    ),
]


@pytest.mark.parametrize(("fields", "reason"), REFUSED)
def test_what_cannot_be_kept_whole_is_refused_with_the_reason(panel, npm, fields, reason):
    before = dict(npm.host_by_hand("hand.example.com", **fields))
    look(panel)
    assert reason in next(iter(listed().values()))
    with pytest.raises(Busy):
        adopt(panel)
    look(panel)
    assert (panel.rows(), npm.hosts()) == ([], [before])


def test_a_name_that_a_proxy_here_has_is_refused(panel, npm):
    npm.host_by_hand("app.example.com")
    panel.create()
    look(panel)
    assert listed() == {
        "app.example.com": "There is a proxy called app.example.com here already. Delete that first."
    }


def test_what_changed_since_it_was_shown_is_refused(panel, npm):
    npm.host_by_hand("hand.example.com")
    look(panel)
    old = shown()
    npm.edit_by_hand(1, forward_port=81)
    look(panel)
    with pytest.raises(Stale, match=CHANGED_SINCE):
        adoption.adopt(1, shown=old, at=panel.now)
    assert panel.rows() == []


def test_what_changed_since_it_was_agreed_is_left_and_shown_as_drift(panel, npm):
    npm.host_by_hand("hand.example.com")
    adopt(look(panel))
    npm.edit_by_hand(1, access_list_id=3, forward_port=81)
    before = dict(npm.hosts()[0])
    panel.run()
    row = panel.row()
    assert (row.status, npm.hosts()) == (HostStatus.DRIFTED, [before])
    assert "Forwards to: http://10.0.0.9:80 → http://10.0.0.9:81." in row.error
    service.remove(1, at=panel.now)
    panel.run()
    assert (panel.rows(), npm.hosts()) == ([], [before])


def test_what_was_deleted_since_it_was_agreed_is_not_made(panel, npm):
    npm.host_by_hand("hand.example.com")
    adopt(look(panel))
    npm.delete_by_hand(1)
    panel.run()
    assert (panel.row().status, npm.hosts()) == (HostStatus.MISSING, [])


def test_only_what_is_there_and_not_ours_can_be_adopted(panel, npm):
    panel.create()
    look(panel)
    assert listed() == {}
    for number in (1, 2):
        with pytest.raises(NotFound), reading() as session:
            adoption.candidate(session, number)
    with pytest.raises(NotFound):
        adoption.by_name("app.example.com")


def test_without_settings_there_is_nothing_to_adopt(context):
    assert listed() == {}
    with transaction() as session:
        service.npm_settings(session)
    assert listed() == {}


def test_a_deleted_proxy_takes_an_adopted_host_along(panel, npm):
    npm.host_by_hand("hand.example.com")
    adopt(look(panel))
    panel.run()
    service.remove(1, at=panel.now)
    panel.run()
    assert npm.hosts() == []
