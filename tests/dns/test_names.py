"""Names: what people enter, what zones and wildcards hold, and how a name is shown."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.dns.names import ascii_name, is_covered, is_within, parse_name, readable, zone_for
from webapp.errors import InvalidInput

LONG = "a" * 63


def refusal(text: str, base: str = "") -> str:
    with pytest.raises(InvalidInput) as caught:
        parse_name(text, base)
    return caught.value.message


@pytest.mark.parametrize(
    ("entered", "name"),
    [
        ("app.example.com", "app.example.com"),
        ("App.EXAMPLE.com", "app.example.com"),
        ("app.example.com.", "app.example.com"),
        ("  app.example.com\n", "app.example.com"),
        ("*.example.com", "*.example.com"),
        ("*.Apps.example.com.", "*.apps.example.com"),
        ("example.com", "example.com"),
        ("r3---sn.example.com", "r3---sn.example.com"),
        ("7.example.com", "7.example.com"),
        ("münchen.example.com", "xn--mnchen-3ya.example.com"),
        ("MÜNCHEN.example.com", "xn--mnchen-3ya.example.com"),
        ("*.münchen.de", "*.xn--mnchen-3ya.de"),
        ("straße.de", "xn--strae-oqa.de"),
        ("xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        ("ａｐｐ.example.com", "app.example.com"),
        ("アプリ。example。com。", "xn--cckvf7b.example.com"),
        (f"{LONG}.example.com", f"{LONG}.example.com"),
        (f"{LONG}.{LONG}.{LONG}.{'a' * 61}", f"{LONG}.{LONG}.{LONG}.{'a' * 61}"),
    ],
)
def test_a_good_name_is_read_in_lower_case_and_a_labels(entered, name):
    assert parse_name(entered) == name


@pytest.mark.parametrize(
    ("entered", "words"),
    [
        ("", "Enter a name"),
        (" . ", "Enter a name"),
        ("http://app.example.com", "without http://"),
        ("app.example.com/path", "without http://"),
        ("app.example.com:8080", "without http://"),
        ("2001:db8::1", "without http://"),
        ("my app.example.com", "spaces"),
        ("app\n.example.com", "spaces"),
        ("app\u00a0.example.com", "spaces"),
        ("app\x00.example.com", "U+0000"),
        ("app@example.com", "«@»"),
        ("app;reboot.example.com", "«;»"),
        ("app'.example.com", "«'»"),
        ("my_app.example.com", "underscore"),
        ("😀.example.com", "forbidden character"),
        ("xn--e28h.example.com", "forbidden character"),
        ("xn--.example.com", "forbidden character"),
        (f"xn--{'0' * 58}.example.com", "forbidden character"),
        ("app\u200d.example.com", "forbidden character"),
        ("＿app.example.com", "forbidden character"),
        ("a..example.com", "two dots"),
        (".example.com", "start with a dot"),
        ("*.", "whole first part"),
        ("*.*.example.com", "whole first part"),
        ("app.*.example.com", "whole first part"),
        ("a*.example.com", "whole first part"),
        ("-app.example.com", "hyphen"),
        ("app-.example.com", "hyphen"),
        (f"{LONG}a.example.com", "too long: DNS allows 63"),
        (f"{'ü' * 58}.example.com", "too long: DNS allows 63"),
        (f"{LONG}.{LONG}.{LONG}.{'a' * 62}", "too long: 254 characters"),
        (f"{'ü' * 48}." * 5 + "de", "too long: "),
        ("app", "complete name"),
        ("*.com", "complete name"),
        ("192.0.2.1", "looks like an address"),
        ("*.0.2.1", "looks like an address"),
    ],
)
def test_a_bad_name_is_refused_with_what_is_wrong(entered, words):
    assert words in refusal(entered)


def test_a_single_label_is_completed_with_the_base_domain():
    assert parse_name("App", "example.com") == "app.example.com"


def test_a_star_alone_is_completed_with_the_base_domain():
    assert parse_name("*", "example.com") == "*.example.com"


def test_a_name_that_is_too_long_once_completed_is_refused():
    base = f"{LONG}.{LONG}.{LONG}.{'a' * 60}"
    assert "254 characters" in refusal("b", base)


def test_a_name_with_a_dot_is_not_completed():
    assert parse_name("app.other.net", "example.com") == "app.other.net"


@settings(deadline=None)
@given(st.text(max_size=80))
def test_whatever_is_entered_is_refused_politely_or_read_the_same_twice(text):
    try:
        name = parse_name(text, "example.com")
    except InvalidInput:
        return
    assert parse_name(name) == name
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.*")


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("Example.COM.", "example.com"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("_dmarc.münchen.de", "_dmarc.xn--mnchen-3ya.de"),
        ("*.münchen.de", "*.xn--mnchen-3ya.de"),
        ("😀.ws", "xn--e28h.ws"),
        ("", ""),
    ],
)
def test_a_name_from_outside_is_brought_into_our_form(given_name, name):
    assert ascii_name(given_name) == name


@settings(deadline=None)
@given(st.text(max_size=80))
def test_a_name_from_outside_never_fails_and_always_is_ascii(text):
    assert ascii_name(text).isascii()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("app.example.com", "app.example.com"),
        ("*.xn--mnchen-3ya.de", "*.münchen.de"),
        ("_dmarc.xn--mnchen-3ya.de", "_dmarc.münchen.de"),
        ("xn--e28h.xn--mnchen-3ya.de", "xn--e28h.münchen.de"),
        ("xn--.de", "xn--.de"),
    ],
)
def test_a_name_is_shown_as_people_write_it_where_that_is_possible(name, shown):
    assert readable(name) == shown


@pytest.mark.parametrize(
    ("name", "zone", "within"),
    [
        ("example.com", "example.com", True),
        ("a.b.example.com", "example.com", True),
        ("*.example.com", "example.com", True),
        ("notexample.com", "example.com", False),
        ("com", "example.com", False),
        ("example.com.evil.net", "example.com", False),
        ("app.example.com", "", False),
    ],
)
def test_a_zone_holds_its_apex_and_what_is_below_it(name, zone, within):
    assert is_within(name, zone) is within


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("app.example.co.uk", "example.co.uk"),
        ("app.dev.example.co.uk", "dev.example.co.uk"),
        ("dev.example.co.uk", "dev.example.co.uk"),
        ("appdev.example.co.uk", "example.co.uk"),
        ("app.co.uk", None),
        ("app.xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
    ],
)
def test_the_zone_of_a_name_is_the_longest_that_holds_it(name, zone):
    zones = ["example.co.uk", "dev.example.co.uk", "uk.example", "xn--mnchen-3ya.de"]
    assert zone_for(name, zones) == zone
    assert zone_for(name, reversed(zones)) == zone


@pytest.mark.parametrize(
    ("name", "base", "covered"),
    [
        ("app.example.com", "example.com", True),
        ("*.example.com", "example.com", True),
        ("a.b.example.com", "example.com", False),
        ("example.com", "example.com", False),
        ("appexample.com", "example.com", False),
        ("app.other.net", "example.com", False),
        ("app.example.com", "", False),
    ],
)
def test_the_wildcard_covers_exactly_one_label(name, base, covered):
    assert is_covered(name, base) is covered
