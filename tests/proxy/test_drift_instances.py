"""Hosts of instances: a deploy writes its target whatever was done to the host; only options can be accepted."""

from types import SimpleNamespace

import pytest

from tests.proxy.publish_world import CHECK_EVERY
from webapp.dns.names import Fqdn
from webapp.errors import Busy
from webapp.proxy import drift, instances
from webapp.proxy.instances import Forward
from webapp.proxy.models import OPTIONS, HostStatus

NAME = Fqdn("shop.example.com")
PLAIN = SimpleNamespace(
    **dict.fromkeys(OPTIONS, False) | {"certificate_id": 0, "dns_proxied": None, "dns_ttl": None}
)
HERE = Forward("http", "10.0.0.5", 20000)


@pytest.fixture
def host(panel, npm):
    """The host of an instance, up; its id there."""
    instances.reserve(4, NAME, PLAIN, at=panel.now)
    instances.point(4, HERE, at=panel.now)
    panel.run()
    return npm.host_for(NAME)["id"]


def look(panel):
    panel.run(seconds=CHECK_EVERY.total_seconds() + 1)
    return panel.row()


def test_it_drifts_like_any_other(panel, npm, host):
    npm.edit_by_hand(host, forward_port=1)
    assert look(panel).status is HostStatus.DRIFTED
    drift.restore(1, at=panel.now)
    panel.run()
    assert (npm.host_for(NAME)["forward_port"], panel.row().status) == (20000, HostStatus.ONLINE)


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize("to", [HERE, Forward("http", "10.0.0.5", 20001)], ids=["same", "other"])
def test_a_switch_writes_its_target_all_the_same(panel, npm, host, to, deleted):
    if deleted:
        npm.delete_by_hand(host)
    else:
        npm.edit_by_hand(host, forward_port=1)
    assert look(panel).is_astray
    instances.point(4, to, at=panel.now)
    panel.run()
    assert (npm.host_for(NAME)["forward_port"], panel.row().status) == (to.port, HostStatus.ONLINE)


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        ({"forward_port": 1}, "Forwards to"),
        ({"domain_names": ["x.example.com"]}, "Name"),
        ({"forward_host": "10.9.9.9", "domain_names": ["x.example.com"]}, "Name, Forwards to"),
    ],
)
def test_what_its_deploys_decide_cannot_be_accepted(panel, npm, host, edit, what):
    npm.edit_by_hand(host, **edit)
    look(panel)
    with pytest.raises(
        Busy, match=rf"decided by its deploys, so this cannot be accepted: {what}\. Restore it"
    ):
        drift.accept(1, at=panel.now)


def test_a_host_that_is_off_or_gone_cannot_be_accepted(panel, npm, host):
    npm.switch_by_hand(host, on=False)
    look(panel)
    with pytest.raises(Busy, match="Enabled"):
        drift.accept(1, at=panel.now)
    npm.delete_by_hand(host)
    look(panel)
    with pytest.raises(Busy, match="An instance needs its host"):
        drift.accept(1, at=panel.now)


def test_an_accepted_option_stays_until_the_app_chooses_otherwise(panel, npm, host):
    npm.edit_by_hand(host, block_exploits=True)
    look(panel)
    drift.accept(1, at=panel.now)
    instances.reserve(4, NAME, PLAIN, at=panel.now)
    panel.run()
    row = look(panel)
    assert (row.block_exploits, row.status) == (True, HostStatus.ONLINE)
    instances.apply_options(row, PLAIN, ["block_exploits"], at=panel.now)
    assert not row.block_exploits
