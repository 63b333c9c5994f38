"""What cannot be undone is refused with the reason, and nothing is changed."""

import pytest

from tests.dns.panel_world import ELSEWHERE, HERE, HERE6, Panel
from tests.dns.undo_world import (
    NAME,
    RECORD,
    changes,
    deleted,
    drifted_and_healed,
    put_back,
    reuse_number,
    up,
)
from tests.support import Browser
from webapp.dns import undo
from webapp.dns.desired import Mode, Policy
from webapp.dns.journal import Kind
from webapp.dns.models import Status
from webapp.dns.records import Target
from webapp.errors import Busy, InvalidInput, NotFound


def test_only_what_was_done_can_be_put_back(panel: Panel) -> None:
    panel.account.read_only = True
    up(panel)
    assert undo.problem(changes()[-1].id) == "Only what was done at the provider can be put back."


def test_a_change_that_is_forgotten_is_not_found(panel: Panel) -> None:
    with pytest.raises(NotFound):
        undo.undo(4711, at=panel.at)


def test_nothing_is_put_back_in_a_zone_that_was_left(panel: Panel) -> None:
    up(panel)
    panel.save(mode=Mode.WILDCARD, zone=None)
    panel.round()
    with pytest.raises(Busy, match=r"not kept in example\.com any more"):
        put_back(panel)


def test_nothing_of_another_zone_is_put_back_in_the_one_that_got_its_number(
    panel: Panel, client: Browser
) -> None:
    deleted(panel)
    gone = changes()[-1]
    panel.save(mode=Mode.WILDCARD, zone=None)
    panel.round()
    panel.save(mode=Mode.MANAGED, zone=panel.account.add_zone("example.net"))
    reuse_number(panel)
    assert "not kept in example.com any more" in (undo.problem(gone.id) or "")
    assert "/undo" not in client.get("/dns/history").text


def test_a_record_that_is_gone_already_is_not_deleted_again(panel: Panel) -> None:
    up(panel)
    made = changes()[0]
    put_back(panel)
    with pytest.raises(Busy, match="gone already"):
        put_back(panel, made)


def test_what_the_policy_keeps_is_not_deleted_by_an_undo(panel: Panel) -> None:
    panel.save(policy=Policy.KEEP)
    up(panel)
    with pytest.raises(InvalidInput, match="never deleted"):
        put_back(panel)


def test_a_record_that_nothing_uses_is_not_changed_back(panel: Panel) -> None:
    drifted_and_healed(panel)
    healed = changes()[-1]
    panel.release()
    panel.round()
    with pytest.raises(Busy, match="Nothing uses"):
        put_back(panel, healed)


def test_a_record_of_another_type_is_not_changed_back(panel: Panel) -> None:
    up(panel)
    panel.edit(type="CNAME", content="elsewhere.example.org")
    panel.check()
    with pytest.raises(InvalidInput, match="another type"):
        put_back(panel)


def test_a_mark_that_was_put_back_is_no_change_to_undo(panel: Panel) -> None:
    up(panel)
    panel.edit(mark=None)
    panel.check()
    with pytest.raises(InvalidInput, match="Only our mark"):
        put_back(panel)


def test_a_deletion_is_not_put_back_where_the_name_is_in_use(panel: Panel) -> None:
    deleted(panel)
    gone = changes()[-1]
    up(panel)
    with pytest.raises(Busy, match="has a record again"):
        put_back(panel, gone)


def test_a_deletion_is_not_put_back_where_the_name_has_come_to_somebody_else(panel: Panel) -> None:
    panel.save(target=Target(ipv4=HERE, ipv6=HERE6))
    deleted(panel)
    gone = changes()[-1]
    panel.save(target=Target(ipv4=HERE))
    up(panel)
    assert gone.type == "AAAA"
    assert undo.problem(gone.id) == f"{NAME} is in use by the proxy of that name."


def test_a_deletion_is_not_put_back_beside_a_record_that_excludes_it(panel: Panel) -> None:
    deleted(panel)
    address = changes()[-1]
    panel.save(target=Target(cname="home.example.net"))
    deleted(panel)
    put_back(panel)
    with pytest.raises(Busy, match="has a CNAME record that was put back by hand"):
        put_back(panel, address)


def test_a_deletion_that_two_undo_at_once_is_put_back_once(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted(panel)
    gone = changes()[-1]
    put_back(panel, gone)
    monkeypatch.setattr(undo, "_check", lambda *_known: (panel.connection, None))  # as both saw it
    with pytest.raises(Busy, match="a moment ago"):
        put_back(panel, gone)


def test_a_type_that_we_do_not_make_is_not_made_again(panel: Panel) -> None:
    panel.by_hand("old.example.com", "TXT", "x", mark=panel.settings().install_id)
    panel.check()
    assert changes()[-1].kind is Kind.DELETE
    with pytest.raises(InvalidInput, match="does not make TXT"):
        put_back(panel)


def test_a_record_that_follows_the_settings_is_left_alone(panel: Panel) -> None:
    up(panel)
    version = panel.row().version
    undo.unpin(panel.row().id, at=panel.at)
    assert panel.row().version == version


def test_a_conflict_meanwhile_keeps_the_deletion_from_being_lost(panel: Panel) -> None:
    """A name whose creation was undone while the answer to that creation was under way has no record either."""
    panel.claim(NAME)
    panel.round()
    undo.undo(changes()[-1].id, at=panel.at)
    panel.by_hand(NAME, "A", ELSEWHERE)
    panel.round()
    assert panel.live() == {RECORD: ELSEWHERE}
    assert panel.row().status is Status.ABSENT
