"""Removal takes everything that is ours and nothing else; and changes of what is there."""

import pytest

from tests.deploy.deploy_world import NAME, wish
from webapp.db import reading, transaction
from webapp.deploy import apps, rows, service
from webapp.deploy.actions import Kind, Phase
from webapp.deploy.engine import Mount, MountKind
from webapp.deploy.models import App
from webapp.dns.names import Fqdn
from webapp.errors import Busy, InvalidInput, NotFound, Stale

pytestmark = pytest.mark.matrix

DATA = (Mount(MountKind.VOLUME, "blog-data", "/data"),)


def test_removal_leaves_nothing(live):
    live.deploy("v2")
    assert live.remove().phase is Phase.DONE
    live.settle()
    assert (live.ours(), live.npm.hosts(), live.claims(), live.hosts()) == ([], [], [], [])
    assert live.instance() is None


def test_removal_keeps_volumes_unless_asked(panel):
    panel.add(mounts=DATA)
    panel.deploy()
    panel.remove()
    assert "blog-data" in panel.engine.volumes


def test_volumes_go_when_asked(panel):
    panel.add(mounts=DATA)
    panel.deploy()
    panel.remove(volumes=True)
    assert "blog-data" not in panel.engine.volumes


def test_a_volume_that_another_app_uses_stays(panel):
    panel.add(mounts=DATA)
    panel.add("other", mounts=DATA)
    panel.deploy()
    action = panel.remove(volumes=True)
    assert "blog-data" in panel.engine.volumes
    assert any("something else uses it" in text for text in panel.log(action.id))


def test_removal_goes_on_without_a_proxy_manager_and_the_host_goes_later(live, npm):
    npm.starting = True
    assert live.remove().phase is Phase.DONE
    assert live.ours() == []
    npm.starting = False
    assert live.settle()
    assert npm.hosts() == []


def test_removal_waits_for_an_engine_that_is_away_and_never_gives_up(live):
    live.engine.down = True
    action = service.remove(1, at=live.now)
    for _ in range(12):
        live.run()
        live.pass_time(900)
    assert not live.action(action.id).is_over
    live.engine.down = False
    assert live.finish(action.id).phase is Phase.DONE
    assert live.ours() == []


def test_a_deploy_that_waits_is_given_up_by_a_removal(live):
    waiting = service.deploy(1, "v2", at=live.now)
    live.remove()
    assert live.action(waiting.id).phase is Phase.CANCELLED
    assert live.ours() == []


def test_an_instance_that_is_being_removed_takes_no_more_wishes(live):
    service.remove(1, at=live.now)
    with pytest.raises(Busy, match="being removed"):
        service.deploy(1, at=live.now)
    assert service.remove(1, at=live.now).id == live.actions()[-1].id


def test_removing_an_app_removes_its_instances_and_keeps_the_history(live):
    apps.add_instance(1, "staging", "", Fqdn("staging-blog.example.com"), at=live.now)
    live.deploy(instance=2)
    service.remove_app(1, at=live.now)
    assert live.settle()
    assert live.ours() == []
    with reading() as session:
        assert session.get(App, 1) is None
        assert [a.title for a in rows.recent(session)][:2] == ["blog/staging", "blog/prod"]


def test_an_app_without_instances_goes_at_once(live):
    live.remove()
    service.remove_app(1, at=live.now)
    with reading() as session:
        assert session.get(App, 1) is None


def test_the_name_is_free_again_after_a_removal(live):
    live.remove()
    assert live.add("other", NAME)


def test_foreign_containers_survive_everything(panel):
    foreign = panel.engine.put_by_hand("somebody-elses")
    other = panel.engine.put_by_hand("other-panels", install="another")
    panel.add()
    panel.deploy()
    panel.deploy("sick")
    panel.deploy("v2")
    panel.remove()
    panel.look()
    assert panel.engine.running() >= {foreign, other}


def test_a_container_of_ours_that_no_version_knows_is_listed_and_not_removed(live):
    with transaction() as session:
        from webapp.deploy.models import Version

        session.delete(session.get_one(Version, live.version(1).id))
    live.look()
    with reading() as session:
        (stray,) = rows.engine_state(session).strays
    assert stray["name"].startswith("forge-blog-prod-1")
    action = live.finish(service.clean_up(stray["id"], at=live.now).id)
    assert action.phase is Phase.DONE
    assert live.ours() == []
    with pytest.raises(Busy):
        service.clean_up(stray["id"], at=live.now)


def test_another_name_moves_host_and_claim_at_once(live):
    apps.change_instance(1, "", Fqdn("news.example.com"), at=live.now)
    live.settle()
    assert live.leads_to() is None
    assert live.leads_to("news.example.com")
    assert live.claims() == [("news.example.com", "instance", 1)]


def test_options_of_the_host_take_effect_at_once(live):
    live.change(options={"block_exploits": False})
    live.settle()
    assert live.npm.host_for(NAME)["block_exploits"] is False


def test_a_change_of_the_recipe_waits_for_the_next_deploy(live):
    live.change(env={"COLOUR": "blue"})
    live.settle()
    assert live.engine.containers[live.version(1).container_id].spec.env == {}
    live.deploy()
    assert live.engine.containers[live.version(2).container_id].spec.env == {"COLOUR": "blue"}


def test_a_saved_app_page_that_is_out_of_date_is_refused(live):
    with reading() as session:
        version = session.get(App, 1).version
    live.change(memory=128)
    with pytest.raises(Stale):
        apps.change_app(1, wish(), version=version, at=live.now)


def test_slugs_and_instance_names_are_unique(live):
    with pytest.raises(InvalidInput, match="already"):
        live.add("blog", "elsewhere.example.com")
    with pytest.raises(InvalidInput, match="already"):
        apps.add_instance(1, "prod", "", Fqdn("b.example.com"), at=live.now)


def test_unknown_ids_are_not_found(panel):
    for ask in (
        lambda: service.deploy(99, at=panel.now),
        lambda: service.remove(2**40, at=panel.now),
        lambda: service.remove_app(99, at=panel.now),
        lambda: service.cancel(99, at=panel.now),
    ):
        with pytest.raises(NotFound):
            ask()


def test_only_versions_of_the_instance_can_be_gone_back_to(live):
    apps.add_instance(1, "staging", "", Fqdn("staging-blog.example.com"), at=live.now)
    live.deploy(instance=2)
    with pytest.raises(InvalidInput):
        service.roll_back(1, live.version(1, instance=2).id, at=live.now)
    with pytest.raises(Busy):
        service.roll_back(1, live.version(1).id, at=live.now)


def test_whatever_is_asked_twice_with_one_form_is_done_once(live):
    live.deploy("v2")
    for ask in (
        lambda: service.roll_back(1, live.version(1).id, key="back", at=live.now),
        lambda: service.operate(1, Kind.RESTART, key="again", at=live.now),
    ):
        assert ask().id == ask().id
    live.settle()
    assert len([a for a in live.actions() if a.kind in (Kind.ROLL_BACK, Kind.RESTART)]) == 2


def test_a_deploy_that_is_too_far_to_give_up_is_finished_before_a_removal(live):
    action = service.deploy(1, "v2", at=live.now)

    def remove(method, when):
        if (method, when) == ("stop", "before"):
            live.engine.on_call = None
            service.remove(1, at=live.now)

    live.engine.on_call = remove
    live.settle()
    assert live.action(action.id).phase is Phase.DONE
    assert live.ours() == []
