"""Hosts of proxied names carry the place of their proof, and nothing else of their advanced configuration changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proxy.npm_world import OURS, spec
from tests.proxy.publish_world import CHECK_EVERY
from webapp.db import transaction
from webapp.dns import ledger
from webapp.dns.claimed import NO_RECORD
from webapp.dns.connections import Connection
from webapp.dns.models import DnsRecord
from webapp.dns.proof import proof_for
from webapp.errors import ProxyError
from webapp.proxy import jobs, npm_proof, npm_wire
from webapp.proxy.models import HostStatus
from webapp.proxy.npm_proof import BEGIN, END, location, piece_in, weave

PIECE = location("/.well-known/tiny-forge/0a1b", "tiny-forge 2c3d")
BY_HAND = "client_max_body_size 0;\n# tiny forges are nice\n"
NAME = "app.example.com"


def keep_records(*, proxied):
    """Names get records of their own from here on, proxied or not."""
    with transaction() as session:
        settings = ledger.settings(session)
        settings.proxied = proxied
        connection = ledger.active_connection(session)
        if connection is None:
            connection = Connection(
                provider="memory", zone_id="z", zone_name="example.com", credentials_sealed="", zones=[]
            )
            session.add(connection)
        for row in session.query(DnsRecord):
            row.connection = connection


def regular(panel):
    panel.run(passes=3, seconds=CHECK_EVERY.total_seconds() + 1)


def config(npm, number=0):
    return npm.hosts()[number]["advanced_config"]


def expected(name=NAME):
    proof = proof_for(name)
    return location(proof.path, proof.text)


@pytest.fixture
def host(panel, npm):
    panel.create()
    panel.run()
    return npm.hosts()[0]["id"]


def test_a_host_has_no_proof_without_need(panel, npm, host):
    keep_records(proxied=False)
    regular(panel)
    assert config(npm) == ""


def test_a_proxied_name_gets_its_proof(panel, npm, host):
    keep_records(proxied=True)
    regular(panel)
    assert piece_in(config(npm)) == expected()
    assert panel.row().status is HostStatus.ONLINE
    writes = npm.writes
    regular(panel)
    assert npm.writes == writes


def test_a_new_host_of_a_proxied_name_comes_with_its_proof(panel, npm, host):
    keep_records(proxied=True)
    panel.create("b.example.com")
    keep_records(proxied=True)
    panel.run()
    assert piece_in(config(npm, 1)) == expected("b.example.com")


def test_a_name_that_is_proxied_no_longer_loses_its_proof(panel, npm, host):
    keep_records(proxied=True)
    regular(panel)
    keep_records(proxied=False)
    regular(panel)
    assert config(npm) == ""


@pytest.mark.parametrize("by_settings", [False, True])
def test_a_record_that_was_put_back_counts_as_it_is(panel, npm, host, by_settings):
    keep_records(proxied=by_settings)
    with transaction() as session:
        session.query(DnsRecord).one().pin = {"content": "192.0.2.1", "ttl": 1, "proxied": not by_settings}
    regular(panel)
    assert piece_in(config(npm)) == ("" if by_settings else expected())


def test_a_name_that_is_to_have_no_record_keeps_its_proof(panel, npm, host):
    keep_records(proxied=True)
    with transaction() as session:
        session.query(DnsRecord).one().pin = NO_RECORD
    regular(panel)
    assert piece_in(config(npm)) == expected()


def test_what_somebody_wrote_there_stays(panel, npm, host):
    npm.edit_by_hand(host, advanced_config=BY_HAND)
    regular(panel)
    assert config(npm) == BY_HAND
    keep_records(proxied=True)
    regular(panel)
    assert config(npm) == f"{BEGIN}\n{expected()}\n{END}\n{BY_HAND}"
    keep_records(proxied=False)
    regular(panel)
    assert config(npm) == BY_HAND


def test_a_spoilt_piece_is_mended(panel, npm, host):
    keep_records(proxied=True)
    regular(panel)
    npm.edit_by_hand(host, advanced_config=config(npm).replace("200", "404") + BY_HAND)
    regular(panel)
    assert config(npm) == f"{BEGIN}\n{expected()}\n{END}\n{BY_HAND}"


def test_hosts_that_lack_only_their_proof_get_it_a_few_at_a_time(panel, npm, monkeypatch):
    monkeypatch.setattr(jobs, "MOST_PROOFS", 2)
    for n in range(5):
        panel.create(f"n{n}.example.com")
    panel.run()
    keep_records(proxied=True)
    proven = []
    panel.run(seconds=CHECK_EVERY.total_seconds() + 1)
    for _ in range(4):
        proven.append(sum(bool(host["advanced_config"]) for host in npm.hosts()))
        panel.run(seconds=1)
    assert proven == [2, 4, 5, 5]


def test_a_host_that_is_not_at_rest_is_left_to_its_own_turn(panel, npm, host):
    npm.unresolvable.add("gone")
    panel.update(1, forward_host="gone")
    panel.run()
    assert panel.row().status is HostStatus.REJECTED
    keep_records(proxied=True)
    panel.run(seconds=1)
    assert config(npm) == ""


@pytest.mark.parametrize("bad", ["} location / { }", PIECE + "\n" + PIECE, PIECE.replace("2c3d", '";')])
def test_nothing_else_reaches_nginx(bad):
    with pytest.raises(ProxyError, match="proof"):
        npm_wire.checked(spec(proof=bad))


def test_a_creation_carries_the_proof():
    body = npm_wire.new_host(npm_wire.checked(spec(proof=PIECE)), OURS)
    assert body["advanced_config"] == f"{BEGIN}\n{PIECE}\n{END}\n"
    assert "advanced_config" not in npm_wire.new_host(spec(), OURS)


@pytest.mark.parametrize(
    "spoilt",
    [
        f"{BEGIN}\n{PIECE}\n{BY_HAND}",
        f"{PIECE}\n{END}\n{BY_HAND}",
        f"{BY_HAND}{PIECE}",
        f"{BEGIN}\r\n{PIECE}\r\n{END}\r\n{BY_HAND}",
        f"{BEGIN}\n{PIECE}\n{END}\n{BY_HAND}{BEGIN}\n{PIECE}\n{END}\n",
    ],
)
def test_remains_of_our_piece_never_stand_twice(spoilt):
    other = location("/.well-known/tiny-forge/9f", "tiny-forge 9f")
    woven = weave(spoilt, other)
    assert woven.count("location") == 1
    assert "client_max_body_size 0;\n# tiny forges are nice\n" in woven
    assert weave(spoilt, "").strip() == BY_HAND.strip()


@given(st.text(), st.sampled_from(["", PIECE]))
def test_the_rest_stays_byte_for_byte(text, piece):
    if npm_proof.piece_in(text):
        return
    woven = weave(text, piece)
    assert piece_in(woven) == piece
    assert weave(woven, piece) == woven
    assert weave(woven, "") == text
