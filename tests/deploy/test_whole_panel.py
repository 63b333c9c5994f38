"""Deploys with every other service behind real HTTP: the whole panel, its worker and three stand-ins."""

from collections.abc import Iterator

import pytest

from webapp.db import now, reading
from webapp.deploy import rows
from webapp.deploy import service as deploys
from webapp.deploy.actions import Kind, Phase
from webapp.sandbox.world import SERVER, ZONE, World

pytestmark = pytest.mark.matrix

NAME = f"shop.{ZONE}"


@pytest.fixture
def world() -> Iterator[World]:
    """Stand-ins, and a panel that manages records; the application context is open."""
    with World() as world, world.app.app_context():
        world.connect()
        world.settle()
        yield world


def record(world):
    return [(r["type"], r["content"]) for r in world.cloudflare.find(NAME)]


def test_a_deploy_makes_container_host_and_record_and_they_go_together(world):
    shop = world.add_app("shop")
    assert record(world) == []
    action = world.deploy(shop, "v1")
    assert world.settle()
    assert world.ended(action) is Phase.DONE
    assert record(world) == [("A", SERVER)]
    assert NAME in world.npm.served()
    deploys.remove(shop, at=now())
    assert world.settle()
    assert (record(world), NAME in world.npm.served()) == ([], False)
    assert len(world.engine.containers) == 1, "somebody else's container"


@pytest.mark.matrix
def test_nothing_but_the_first_deploy_and_the_removal_makes_a_dns_call(world):
    shop = world.add_app("shop")
    world.deploy(shop, "v1")
    world.settle()
    calls = len(world.cloudflare.log)
    world.deploy(shop, "v2")
    world.settle()
    world.deploy(shop, "v3-broken")
    world.settle()
    with reading() as session:
        first = rows.versions(session, [shop])[-1].id
    deploys.roll_back(shop, first, at=now())
    world.settle()
    for kind in (Kind.STOP, Kind.START, Kind.RESTART):
        deploys.operate(shop, kind, at=now())
        world.settle()
    assert len(world.cloudflare.log) == calls
    assert record(world) == [("A", SERVER)]


@pytest.mark.matrix
def test_a_first_deploy_that_fails_makes_no_dns_call_at_all(world):
    shop = world.add_app("shop")
    calls = len(world.cloudflare.log)
    world.deploy(shop, "v3-broken")
    world.settle()
    assert len(world.cloudflare.log) == calls
    assert NAME not in world.npm.served()


def test_dns_being_down_delays_the_record_and_not_the_deploy(world):
    world.cloudflare.stop()
    shop = world.add_app("shop")
    action = world.deploy(shop, "v1")
    world.settle()
    assert world.ended(action) is Phase.DONE
    assert NAME in world.npm.served()
