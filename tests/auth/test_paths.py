"""Where people may be sent after signing in."""

import pytest

from webapp.auth.paths import local_path, origin_of, path_within


@pytest.mark.parametrize(
    "path", ["/", "/dns", "/dns?zone=example.org&page=2", "/a//b", "/a:b", "/é", "/..//x"]
)
def test_a_path_of_the_panel_is_kept(path):
    assert local_path(path) == path


@pytest.mark.parametrize(
    "hostile",
    [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r\nSet-Cookie: a=b",
        "/\0",
        " /dns",
        "/ /evil.example",
        "dns",
        "evil.example/dns",
        "?next=/dns",
        "/" + "a" * 2000,
        "",
        None,
    ],
)
def test_what_might_lead_elsewhere_is_not(hostile):
    assert local_path(hostile) is None


def test_an_address_of_the_panel_gives_its_path_and_query():
    assert path_within("http://panel.test:8000/dns?q=a#x", "http://panel.test:8000/") == "/dns?q=a"


def test_an_address_without_a_path_gives_the_first_page():
    assert path_within("http://panel.test", "http://panel.test/") == "/"


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "/dns",
        "http://other.test/dns",
        "https://panel.test/dns",
        "http://panel.test:81/dns",
        "http://panel.test//evil.example",
        "http://[broken/",
        "http://panel.test:99999/",
    ],
)
def test_other_addresses_give_none(url):
    assert path_within(url, "http://panel.test/") is None


def test_the_usual_port_may_be_left_out():
    assert origin_of("https://panel.test") == origin_of("https://panel.test:443/x")
