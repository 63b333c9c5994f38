"""Records: one normal form for what is wanted and what is reported, and when both say the same."""

import pytest

from webapp.dns.records import (
    AUTO_TTL,
    LiveRecord,
    RecordType,
    Target,
    excludes,
    normal_content,
    wanted,
)

NAME = "app.example.com"
A, AAAA, CNAME = RecordType.A, RecordType.AAAA, RecordType.CNAME


def live(kind, content, **fields):
    return LiveRecord("r1", fields.pop("name", NAME), kind, content, **fields)


@pytest.mark.parametrize(
    ("kind", "spelled", "canonical"),
    [
        ("A", "192.0.2.1", "192.0.2.1"),
        ("A", "not an address", "not an address"),
        ("AAAA", "2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("AAAA", "2001:db8::0:1", "2001:db8::1"),
        ("AAAA", "fe80::1::2", "fe80::1::2"),
        ("CNAME", "Server.Example.NET.", "server.example.net"),
        ("CNAME", "server.münchen.de", "server.xn--mnchen-3ya.de"),
        ("TXT", '"Keep. ME."', '"Keep. ME."'),
        ("MX", "Mail.Example.com.", "Mail.Example.com."),
    ],
)
def test_content_has_one_canonical_spelling(kind, spelled, canonical):
    assert normal_content(kind, spelled) == canonical


@pytest.mark.parametrize(
    ("kind", "content"), [(A, "192.0.2.1"), (AAAA, "2001:db8::1"), (CNAME, "server.example.net")]
)
def test_a_canonical_content_stays_as_it_is(kind, content):
    assert normal_content(kind, normal_content(kind, content)) == content


def test_proxied_means_automatic_ttl():
    assert wanted(NAME, A, "192.0.2.1", 300, proxied=True).ttl == AUTO_TTL


def test_a_fixed_ttl_stays_when_nothing_is_proxied():
    assert wanted(NAME, A, "192.0.2.1", 300).ttl == 300


def test_the_wanted_side_is_normalised():
    assert wanted(NAME, AAAA, "2001:DB8::0:1").content == "2001:db8::1"


@pytest.mark.parametrize(
    ("reported", "record"),
    [
        (live("A", "192.0.2.1"), wanted(NAME, A, "192.0.2.1")),
        (live("A", "192.0.2.1", ttl=300), wanted(NAME, A, "192.0.2.1", 300)),
        (live("A", "192.0.2.1", ttl=300, proxied=True), wanted(NAME, A, "192.0.2.1", proxied=True)),
        (live("AAAA", "2001:DB8:0::1"), wanted(NAME, AAAA, "2001:db8::1")),
        (live("CNAME", "Server.Example.NET."), wanted(NAME, CNAME, "server.example.net")),
        (live("A", "192.0.2.1", mark="somebody", note="mine"), wanted(NAME, A, "192.0.2.1")),
    ],
)
def test_a_live_record_in_another_spelling_is_like_the_wanted_one(reported, record):
    assert reported.is_like(record)


@pytest.mark.parametrize(
    "reported",
    [
        live("A", "192.0.2.1", name="other.example.com"),
        live("AAAA", "192.0.2.1"),
        live("A", "192.0.2.2"),
        live("A", "192.0.2.1", proxied=True),
        live("A", "192.0.2.1", ttl=300),
    ],
)
def test_a_live_record_with_one_field_different_is_not_like_the_wanted_one(reported):
    assert not reported.is_like(wanted(NAME, A, "192.0.2.1"))


def test_a_fixed_ttl_is_not_like_the_proxied_one():
    assert not live("A", "192.0.2.1", ttl=1, proxied=True).is_like(wanted(NAME, A, "192.0.2.1", 300))


@pytest.mark.parametrize(
    ("target", "contents"),
    [
        (Target(), {}),
        (Target(ipv4="192.0.2.1"), {A: "192.0.2.1"}),
        (Target(ipv6="2001:DB8::0:1"), {AAAA: "2001:db8::1"}),
        (Target("192.0.2.1", "2001:db8::1"), {A: "192.0.2.1", AAAA: "2001:db8::1"}),
        (Target(cname="Server.Example.net."), {CNAME: "server.example.net"}),
        (Target("192.0.2.1", "2001:db8::1", "server.example.net"), {CNAME: "server.example.net"}),
    ],
)
def test_a_target_is_one_name_or_addresses(target, contents):
    assert target.contents() == contents


@pytest.mark.parametrize(
    ("one", "other", "excluded"),
    [
        ("CNAME", "A", True),
        ("CNAME", "AAAA", True),
        ("CNAME", "CNAME", True),
        ("A", "A", False),
        ("A", "AAAA", False),
        ("CNAME", "TXT", False),
        ("A", "MX", False),
        ("NS", "A", True),
        ("NS", "CNAME", True),
    ],
)
def test_some_types_cannot_share_a_name(one, other, excluded):
    assert excludes(one, other) is excluded
    assert excludes(other, one) is excluded


@pytest.mark.parametrize("kind", ["A", "AAAA", "CNAME"])
def test_at_the_apex_name_servers_stand_beside_the_others(kind):
    assert not excludes("NS", kind, apex=True)


def test_at_the_apex_a_cname_still_excludes_addresses():
    assert excludes("CNAME", "A", apex=True)
