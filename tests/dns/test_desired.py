"""The record that a claimed name should have."""

import pytest

from webapp.dns.desired import Defaults, Overrides
from webapp.dns.records import AUTO_TTL, Record, RecordType, Target

NAME = "app.example.com"
A, AAAA, CNAME = RecordType.A, RecordType.AAAA, RecordType.CNAME
SERVER = Target("192.0.2.1", "2001:db8::1")
NOTHING = Overrides()


@pytest.mark.parametrize(
    ("target", "types"),
    [
        (SERVER, (A, AAAA)),
        (Target(ipv6="2001:db8::1"), (AAAA,)),
        (Target(cname="server.example.net"), (CNAME,)),
        (Target(), (A,)),
    ],
)
def test_a_name_needs_a_record_of_each_type_of_the_target(target, types):
    assert Defaults(target).types == types


def test_the_record_of_a_name_has_the_target_and_the_defaults():
    assert Defaults(SERVER, 600).record(NAME, AAAA, NOTHING) == Record(NAME, AAAA, "2001:db8::1", 600, False)


def test_without_a_target_of_the_type_the_content_is_empty():
    assert Defaults(Target(cname="server.example.net")).record(NAME, A, NOTHING).content == ""


def test_a_name_can_have_a_ttl_of_its_own():
    assert Defaults(SERVER, 600).record(NAME, A, Overrides(ttl=120)).ttl == 120


def test_a_name_can_have_automatic_ttl_where_the_default_is_fixed():
    assert Defaults(SERVER, 600).record(NAME, A, Overrides(ttl=AUTO_TTL)).ttl == AUTO_TTL


@pytest.mark.parametrize(("default", "own", "proxied"), [
    (False, None, False), (True, None, True), (False, True, True), (True, False, False),
])  # fmt: skip
def test_a_name_can_be_proxied_or_not_whatever_the_default_is(default, own, proxied):
    assert Defaults(SERVER, proxied=default).record(NAME, A, Overrides(proxied=own)).proxied is proxied


def test_a_proxied_record_has_automatic_ttl_whatever_is_asked_for():
    record = Defaults(SERVER, 600, proxied=True).record(NAME, A, Overrides(ttl=300))
    assert record == Record(NAME, A, "192.0.2.1", AUTO_TTL, True)


def test_not_proxying_one_name_gives_it_the_default_ttl():
    assert Defaults(SERVER, 600, proxied=True).record(NAME, A, Overrides(proxied=False)).ttl == 600
