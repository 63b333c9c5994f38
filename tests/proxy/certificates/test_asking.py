"""A certificate is asked for once its record is seen, and put to use when it is there; until then hosts stay."""

from datetime import timedelta

import pytest

from tests.proxy.certificates.certificates_world import TOKEN
from tests.proxy.npm_world import EMAIL, VERSIONS
from webapp.proxy.certificates import service
from webapp.proxy.certificates.models import Challenge, Phase
from webapp.proxy.models import HostStatus

FLAGS = {"ssl_forced": True, "http2_support": True, "hsts_enabled": False, "hsts_subdomains": False}


def test_a_host_gets_its_certificate_with_the_flags(panel, npm):
    panel.run()
    row = panel.create()
    panel.run()
    panel.ask(proxy=row, **FLAGS)
    panel.settle()
    host = npm.host_for("app.example.com")
    assert (host["certificate_id"], host["ssl_forced"], host["http2_support"]) == (1, True, True)
    assert (panel.request().phase, panel.request().certificate_id) == (Phase.DONE, 1)
    assert (panel.row().status, panel.row().certificate_id) == (HostStatus.ONLINE, 1)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_release_is_told_what_it_needs(panel, npm, version):
    panel.zone()
    panel.ask(challenge=Challenge.HTTP)
    panel.ask("*.example.com", challenge=Challenge.DNS)
    panel.settle()
    assert [panel.request(n).phase for n in (1, 2)] == [Phase.DONE, Phase.DONE]
    terms = {"letsencrypt_email": EMAIL, "letsencrypt_agree": True} if npm.dialect.version < (2, 13) else {}
    cloudflare = {
        "dns_provider": "cloudflare",
        "dns_provider_credentials": f"dns_cloudflare_api_token={TOKEN}",
    }
    assert [body["meta"] for body in panel.asked()] == [
        {"dns_challenge": False, **terms},
        {"dns_challenge": True, "propagation_seconds": 30, **cloudflare, **terms},
    ]


def test_nothing_is_asked_before_the_record_is_seen(panel):
    panel.unseen.add("app.example.com")
    panel.ask()
    panel.settle(10)
    assert panel.asked() == []
    assert (panel.request().phase, panel.request().error) == (
        Phase.WAITING,
        "No name server has app.example.com yet.",
    )
    panel.unseen.clear()
    panel.certify(seconds=30).settle()
    assert (panel.request().phase, len(panel.asked())) == (Phase.DONE, 1)


def test_a_dns_challenge_needs_no_record(panel):
    panel.zone().unseen.add("app.example.com")
    panel.ask(challenge=Challenge.DNS)
    panel.settle()
    assert panel.request().phase is Phase.DONE


def test_a_host_is_served_while_its_record_is_waited_for_and_keeps_what_it_has_when_asking_fails(panel, npm):
    old = npm.add_certificate("old", ["app.example.com"], npm.now() + timedelta(days=3), "other")
    row = panel.create(certificate_id=old, ssl_forced=True)
    panel.unseen.add("app.example.com")
    panel.ask(proxy=row)
    panel.settle()
    assert (npm.served(), npm.nginx.loaded[1].certificate) == ({"app.example.com"}, old)
    panel.unseen.clear()
    npm.certbot.says = "Some challenges have failed."
    panel.certify(seconds=30).settle()
    assert (npm.served(), npm.nginx.loaded[1].certificate) == ({"app.example.com"}, old)
    assert (panel.row().certificate_id, panel.row().ssl_forced) == (old, True)
    assert "port 80" in panel.request().error


def test_a_good_certificate_for_the_same_names_is_put_to_use_instead(panel, npm):
    npm.add_certificate("w", ["*.example.com"], npm.now() + timedelta(days=80))
    panel.zone().run(minutes=20)
    row = panel.create()
    panel.ask("*.example.com", challenge=Challenge.DNS, proxy=row, ssl_forced=True)
    panel.settle()
    assert (panel.asked(), npm.host_for("app.example.com")["certificate_id"]) == ([], 1)


def test_two_hosts_that_want_one_wildcard_share_it(panel, npm):
    panel.zone()
    for name in ("a.example.com", "b.example.com"):
        panel.ask("*.example.com", challenge=Challenge.DNS, proxy=panel.create(name))
    panel.settle(8)
    assert len(panel.asked()) == 1
    assert [host["certificate_id"] for host in npm.hosts()] == [1, 1]


def test_a_wildcard_takes_no_host_out_of_service(panel, npm):
    row = panel.zone().create()
    panel.run()
    panel.ask("*.example.com", challenge=Challenge.DNS, proxy=row)
    panel.certify(2)
    assert npm.served() == {"app.example.com"}


def test_a_renewed_certificate_is_loaded_by_nginx(panel, npm):
    npm.add_certificate("app.example.com", ["app.example.com"], npm.now() + timedelta(days=10))
    panel.create(certificate_id=1)
    panel.run(2, minutes=20)
    writes = npm.writes
    service.renew(1, at=panel.now)
    panel.settle()
    assert panel.request().phase is Phase.DONE
    assert npm.certificates.rows[1]["expires_on"] > npm.now() + timedelta(days=80)
    assert npm.writes - writes == 2  # the renewal, and one host that has nginx read the file
