"""What is kept of the other end."""

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from webapp.auth.clients import Client, browser_name, one_line


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
    ],
)
def test_one_client_is_an_ipv4_address_or_an_ipv6_site(address, network):
    assert Client(address, "").network == network


def test_what_the_browser_sends_fits_on_one_line():
    builder = EnvironBuilder(environ_base={"HTTP_USER_AGENT": "curl\x1b[31m" + "x" * 300})
    client = Client.of(Request(builder.get_environ()))
    assert client.address == "unknown"
    assert client.user_agent.startswith("curl?[31mxxx")
    assert len(client.user_agent) == 200


def test_line_breaks_do_not_reach_the_log():
    assert one_line("a\r\nb\u2028c\0") == "a??b?c?"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1", "Safari on iPhone"),
        ("curl/8.10", "curl"),
        ("Linux thing", "Linux"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_named_for_people(user_agent, name):
    assert browser_name(user_agent) == name
