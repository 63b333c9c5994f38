"""What a cover is made of, and which covers are meant."""

from webapp.db import reading
from webapp.dns import ledger
from webapp.proxy import npm_cover
from webapp.proxy.certificates.connection import connect
from webapp.proxy.npm_cover import CHALLENGE
from webapp.proxy.npm_mark import Mark, body_of

NAME = "app.example.com"
ASKED = Mark("us", "cover", 7)
ROW = {
    "id": 3, "domain_names": [NAME], "forward_scheme": "http", "forward_host": "10.0.0.9", "forward_port": 80,
    "access_list_id": 4, "certificate_id": 0, "ssl_forced": 0, "caching_enabled": 1, "block_exploits": 0,
    "advanced_config": "# theirs", "locations": None, "meta": {"nginx_online": True},
}  # fmt: skip


def test_a_cover_keeps_the_password_and_all_else_that_visitors_meet():
    place = {"path": "/x", "forward_scheme": "http", "forward_host": "10.0.0.8", "forward_port": 81}
    body = npm_cover.body({**ROW, "locations": [place]}, ASKED, shows_challenge=False)
    assert body == {
        "domain_names": ["cover-7-3.invalid"],
        "forward_scheme": "http", "forward_host": "10.0.0.9", "forward_port": 80,
        "access_list_id": 4, "caching_enabled": True, "block_exploits": False, "locations": [place],
        "advanced_config": f"server_name {NAME};\n{CHALLENGE}\n# theirs",
        "meta": {"tiny_forge": {"install": "us", "consumer": "cover", "id": 7}},
    }  # fmt: skip


def test_a_cover_of_a_host_with_tls_has_its_certificate_and_flags():
    row = {**ROW, "certificate_id": 5, "ssl_forced": 1, "hsts_enabled": 0}
    body = npm_cover.body(row, ASKED, shows_challenge=True)
    assert (body["certificate_id"], body["ssl_forced"], body["hsts_enabled"]) == (5, True, False)
    assert CHALLENGE not in body["advanced_config"]


def test_only_the_covers_of_one_request_go_with_it(panel, npm):
    panel.create()
    panel.run()
    with reading() as session:
        install = ledger.settings(session).install_id
    others = (
        Mark(install, npm_cover.COVER, 2),
        Mark(install, "standalone", 77),
        Mark("us", npm_cover.COVER, 1),
    )
    for number, mark in enumerate(others):
        npm.host_by_hand(f"other{number}.example.com", meta=body_of(mark))
    client = connect(panel.settings(), install)
    assert client.cover(1, 1, shows_challenge=False)
    assert len(npm.hosts()) == 5
    client.uncover(1)
    assert len(npm.hosts()) == 4
