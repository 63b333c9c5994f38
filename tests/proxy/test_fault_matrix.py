"""Every fault at every request of everything that is done at Nginx Proxy Manager: it comes out as wished."""

import pytest

from tests.proxy.matrix_world import MatrixWorld
from tests.proxy.npm_faults import BROKEN
from webapp.db import reading
from webapp.proxy import adoption, drift, service


def create(world):
    world.panel.create("new.example.com", certificate_id=world.certificate, ssl_forced=True)


def create_off(world):
    world.panel.create("new.example.com", enabled=False)


def edit(world):
    world.panel.update(
        1, "a.example.com", forward_port=9000, certificate_id=world.certificate, http2_support=True
    )


def rename(world):
    world.panel.update(1, "renamed.example.com", forward_port=1)


def disable(world):
    service.switch(2, enabled=False, at=world.panel.now)


def enable(world):
    service.switch(4, enabled=True, at=world.panel.now)


def remove(world):
    service.remove(3, at=world.panel.now)


def adopt(world):
    world.look()
    with reading() as session:
        shown = adoption.candidate(session, 2).shown
    adoption.adopt(2, shown=shown, at=world.panel.now)


def restore_edited(world):
    world.npm.edit_by_hand(3, forward_port=77, block_exploits=False)
    world.npm.switch_by_hand(3, on=False)
    world.look()
    drift.restore(1, at=world.panel.now)


def restore_unmarked(world):
    world.npm.edit_by_hand(3, forward_port=77, meta={})
    world.look()
    drift.restore(1, at=world.panel.now)


def restore_deleted(world):
    world.npm.delete_by_hand(3)
    world.look()
    drift.restore_all(at=world.panel.now)


def accept(world):
    world.npm.edit_by_hand(3, forward_port=77, domain_names=["theirs.example.com"])
    world.look()
    drift.accept(1, at=world.panel.now)


def several(world):
    """Two swap their names, one goes, and another takes its name at once."""
    panel = world.panel
    panel.update(1, "x.example.com", forward_port=1)
    panel.update(2, "a.example.com", forward_port=2)
    panel.update(1, "b.example.com", forward_port=1)
    service.remove(3, at=panel.now)
    panel.create("c.example.com", forward_port=33)


def claim_what_drifted(world):
    """Somebody gave our host a name that another proxy then claims: each gets its own."""
    world.npm.edit_by_hand(3, domain_names=["new.example.com"])
    world.look()
    world.panel.create("new.example.com", forward_port=5)


SCENARIOS = [
    create, create_off, edit, rename, disable, enable, remove, adopt, restore_edited, restore_unmarked,
    restore_deleted, accept, several, claim_what_drifted,
]  # fmt: skip


@pytest.mark.matrix
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_any_fault_at_any_request_comes_out_as_wished(npm, context, monkeypatch, tally, scenario):
    world = MatrixWorld(npm, monkeypatch)
    scenario(world)
    world.keep()
    cases, failures = 0, []
    for fault, at in world.cases():
        cases += 1
        world.restore()
        world.suffer(fault, at)
        wrong = [] if world.wire.fired else ["it never came"]
        wrong += world.misnamed() if fault is BROKEN else []
        world.mend()
        world.heal()
        wrong += world.wrong()
        failures += [(fault.name, at, wrong)] if wrong else []
    tally("Fault matrix (NPM)", cases, cases - len(failures))
    assert failures == []
    assert cases > 80
