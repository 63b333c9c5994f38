"""What went wrong once: each of these looked fine, and was not."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from tests.deploy.deploy_world import IMAGE, NAME, wish
from webapp import vault
from webapp.db import reading, transaction
from webapp.deploy import apps, rows, service
from webapp.deploy.actions import Kind, Phase
from webapp.deploy.apps import Secret
from webapp.deploy.engine import Login, Mount, MountKind
from webapp.deploy.models import Version
from webapp.deploy.power import parse_address
from webapp.deploy.recipe import Reach, Recipe
from webapp.deploy.steps import free_port
from webapp.dns.names import Fqdn
from webapp.errors import EngineError, InvalidInput
from webapp.sandbox.engine import Behaviour

pytestmark = pytest.mark.matrix

DATA = (Mount(MountKind.VOLUME, "blog-data", "/data"),)


@pytest.mark.parametrize("text", ["0.0.0.0", "::", "::ffff:0.0.0.0", "ff02::1", "fe80::1%eth0", "localhost"])
def test_no_spelling_of_all_addresses_is_one_address(text):
    with pytest.raises(InvalidInput):
        parse_address(text)
    assert parse_address(" ::ffff:10.0.0.1 ") == "10.0.0.1"


def test_a_container_that_could_not_be_removed_is_never_taken_for_a_later_version(panel):
    panel.add(reach=Reach.NETWORK, network="proxy", tag="v1")
    panel.deploy()
    panel.engine.fail("remove", before=True, error=EngineError("Device is busy."), times=9)
    panel.deploy("sick")
    assert len(panel.ours()) == 2
    panel.engine.faults.clear()
    assert panel.deploy("v2").phase is Phase.DONE
    (running,) = [c for c in panel.ours() if c.id == panel.version(3).container_id]
    assert running.image_id == panel.version(3).image_id
    panel.look()
    with reading() as session:
        assert [stray["name"] for stray in rows.engine_state(session).strays]


def test_a_version_that_a_queued_way_back_names_is_kept_for_it(panel):
    panel.add(kept=1)
    panel.deploy("v1")
    panel.deploy("v2")
    service.deploy(1, "v3", at=panel.now)
    back = service.roll_back(1, panel.version(1).id, at=panel.now)
    panel.settle()
    assert panel.action(back.id).phase is Phase.DONE
    assert panel.leads_to()[1] == panel.version(1).host_port


def test_a_way_back_to_a_version_that_is_gone_fails(panel):
    panel.add()
    panel.deploy("v1")
    panel.deploy("v2")
    back = service.roll_back(1, panel.version(1).id, at=panel.now)
    with transaction() as session:
        session.delete(session.get_one(Version, panel.version(1).id))
    assert panel.finish(back.id).phase is Phase.FAILED
    assert panel.versions() == [(2, "current")]


def test_a_removal_that_was_refused_can_be_asked_for_again(panel, client):
    panel.add()
    panel.deploy()
    panel.engine.fail("remove", before=True, error=EngineError("Device is busy."))
    assert panel.remove().phase is Phase.FAILED
    assert "Remove again" in client.get("/apps/blog").text
    assert panel.remove().phase is Phase.DONE
    assert panel.ours() == []


def test_a_new_account_is_not_sent_to_the_registry_of_a_deploy_that_waited(panel):
    panel.engine.put_image("other.example/acme/web", "v1", behaviour=Behaviour.GOOD)
    panel.add(user="ada", password="right-password")
    waiting = service.deploy(1, at=panel.now)
    moved = replace(
        wish(user="bob", password="new-password"), recipe=Recipe("other.example/acme/web", "v1", 8080)
    )
    apps.change_app(1, moved, at=panel.now)
    seen = []
    pull = type(panel.engine.bound("x")).pull

    def watched(self, image, login, progress):
        seen.append((image, login))
        return pull(self, image, login, progress)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(panel.engine.bound("x")), "pull", watched)
        panel.finish(waiting.id)
    assert seen == [(f"{IMAGE}:v1", None)]
    panel.deploy()
    assert panel.action(2).phase is Phase.DONE


def test_the_account_is_used_for_its_own_registry(panel):
    panel.add(user="ada", password="right-password", tag="locked")
    assert panel.deploy().phase is Phase.DONE
    assert Login("ada", "x") != Login("ada", "y")


def test_secrets_are_hidden_the_longest_first_and_nothing_else(panel):
    panel.add(secrets=[Secret("A", "planted1"), Secret("B", "planted1extra")], env={"MODE": "production"})
    panel.deploy()
    with reading() as session:
        version = session.scalars(select(Version)).one()
    recipe = Recipe.loads(vault.unseal(version.recipe_sealed))
    assert recipe.masked("a planted1extra b planted1 production") == "a ••• b ••• production"


def test_what_a_health_check_says_is_masked_too(panel):
    panel.add(secrets=[Secret("A", "not ready")], tag="sick")
    action = panel.deploy()
    assert "not ready" not in action.error
    assert "not ready" not in "".join(panel.log(action.id))


def test_a_removal_is_not_held_up_by_a_deploy_that_cannot_be_put_back(panel, npm):
    panel.add(mounts=DATA)
    panel.deploy()
    deploy = service.deploy(1, "v2", at=panel.now)

    def go_away(method, when):
        if (method, when) == ("start", "after"):
            npm.starting = True

    panel.engine.on_call = go_away
    panel.finish(deploy.id, passes=4)
    removal = service.remove(1, at=panel.now)
    assert panel.finish(removal.id).phase is Phase.DONE
    assert panel.ours() == []


def test_a_deploy_is_not_begun_while_the_proxy_manager_is_known_to_be_down(panel, npm):
    panel.add(mounts=DATA)
    panel.deploy()
    npm.starting = True
    with transaction() as session:
        from webapp.proxy.service import npm_settings

        npm_settings(session).read_at = None
    panel.publisher.run_due()
    action = panel.deploy("v2")
    assert action.phase is Phase.FAILED
    assert panel.running() == [panel.version(1).container_name], "it was never stopped"


def test_with_a_lost_key_a_removal_still_works_and_a_deploy_says_why_not(panel, app):
    panel.add(secrets=[Secret("A", "planted-secret")])
    panel.deploy()
    waiting = service.deploy(1, "v2", at=panel.now)
    npm_password = "s3cret-Passw0rd"
    vault.init(app, "another key entirely, as after a restored backup")
    with transaction() as session:
        from webapp.proxy.service import npm_settings

        npm_settings(session).password_sealed = vault.seal(npm_password)
    assert panel.finish(waiting.id).phase is Phase.FAILED
    assert "key has changed" in panel.action(waiting.id).error
    assert panel.remove().phase is Phase.DONE
    assert panel.ours() == []


def test_a_first_deploy_that_failed_leaves_no_claim_whatever_happened_meanwhile(panel, npm):
    panel.add(reach=Reach.NETWORK, network="proxy")
    npm.unresolvable.add(f"forge-blog-prod-1-{panel_install(panel)}")
    panel.engine.on_call = lambda method, when: None
    action = service.deploy(1, at=panel.now)
    panel.finish(action.id)
    panel.change(options={"block_exploits": False}, reach=Reach.NETWORK, network="proxy")
    panel.settle()
    assert panel.action(action.id).phase is Phase.FAILED
    assert panel.claims() == []


def panel_install(panel):
    from webapp.dns import ledger

    with reading() as session:
        return ledger.settings(session).install_id[:4]


def test_a_port_that_a_host_still_leads_to_is_not_given_to_another_app(panel, npm):
    panel.add()
    panel.deploy()
    npm.starting = True
    panel.remove()
    panel.add("other")
    service.deploy(2, at=panel.now)
    assert free_port(panel.version(1, instance=2).id, set()) == 20001


def test_ids_of_what_is_gone_do_not_come_again(panel):
    panel.add()
    panel.deploy()
    panel.remove()
    service.remove_app(1, at=panel.now)
    assert panel.add("other") == 2


def test_every_instance_has_volumes_of_its_own(panel):
    panel.add(mounts=DATA)
    apps.add_instance(1, "staging", "", Fqdn("staging-blog.example.com"), at=panel.now)
    panel.deploy()
    panel.deploy(instance=2)
    assert set(panel.engine.volumes) == {"blog-data", "blog-data-staging"}
    panel.remove(2, volumes=True)
    assert set(panel.engine.volumes) == {"blog-data"}


def test_a_cancel_at_the_last_moment_counts(panel):
    panel.add(host_port=25001)
    panel.deploy()
    action = service.deploy(1, "v2", at=panel.now)

    def cancel(method, when):
        if (method, when) == ("containers", "before") or (method, when) == ("container", "after"):
            row = panel.action(action.id)
            if row.phase is Phase.WAITING and not row.cancel_asked:
                service.cancel(action.id, at=panel.now)

    panel.engine.on_call = cancel
    assert panel.finish(action.id).phase is Phase.CANCELLED
    assert panel.versions() == [(1, "current")]
    assert panel.leads_to(NAME) == ("127.0.0.1", 25001)


def test_a_removal_by_kind_is_told_apart(panel):
    panel.add()
    panel.deploy()
    assert panel.remove().kind is Kind.REMOVE
