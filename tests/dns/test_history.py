"""Every change at a provider is written down: when, why, by whom, what it was and became, and what came of it."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select

from tests.dns.panel_world import ELSEWHERE, HERE, HERE6, THERE, Panel
from tests.dns.sky_world import NEW, Sky, turn, twice
from tests.dns.undo_world import reuse_number
from tests.dns.watched import Script
from webapp.actor import acting_as
from webapp.db import reading
from webapp.dns import service
from webapp.dns.address_watch import AddressWatcher
from webapp.dns.changes import Answer
from webapp.dns.desired import Mode
from webapp.dns.journal import KEPT_FOR, Kind, RecordChange, Result
from webapp.dns.models import ConsumerType
from webapp.dns.records import Target
from webapp.errors import Outage, Rejected

NAME = "app.example.com"


def fails(error: Exception) -> Callable[..., None]:
    def act(*_args: object) -> None:
        raise error

    return act


def changes() -> list[RecordChange]:
    """The history, the oldest first."""
    with reading() as session:
        return list(session.scalars(select(RecordChange).order_by(RecordChange.id)))


def last() -> RecordChange:
    return changes()[-1]


def up(panel: Panel, *names: str) -> None:
    panel.claim(*(names or [NAME]))
    panel.round()


def test_a_new_record_is_told_with_its_consumer_and_the_person(panel: Panel) -> None:
    with acting_as("ada"):
        up(panel)
    change = last()
    assert (change.kind, change.result, change.by) == (Kind.CREATE, Result.DONE, "ada")
    assert (change.consumer_type, change.consumer_id) == (ConsumerType.STANDALONE, 1)
    assert change.before is None
    assert change.after == {"type": "A", "content": HERE, "ttl": 1, "proxied": False}
    assert (change.at, change.ended_at) == (panel.at, panel.at)


def test_a_new_target_is_told_with_old_and_new_and_its_reason(panel: Panel) -> None:
    up(panel)
    with acting_as("ada"):
        panel.save(target=Target(ipv4=THERE))
    panel.round()
    change = last()
    assert (change.kind, change.by, change.why) == (Kind.UPDATE, "ada", "the settings changed: content")
    assert (change.before or {})["content"] == HERE
    assert (change.after or {})["content"] == THERE


def test_a_new_public_address_is_told_as_the_reason(panel: Panel) -> None:
    up(panel)
    turn(on=True)
    sky = Sky()
    sky.move()
    twice(panel, AddressWatcher("test", [], sky, lambda: panel.at))
    panel.round()
    assert (last().by, last().why) == ("", "the public address changed: content")
    assert (last().after or {})["content"] == NEW


def test_who_changes_a_wish_while_the_provider_is_at_it_is_named(panel: Panel, script: Script) -> None:
    def meanwhile(*_args: object) -> None:
        with acting_as("grace"):
            panel.claim(NAME, ttl=600)

    script.once("after", "ensure_record", meanwhile)
    with acting_as("ada"):
        up(panel)
    panel.round()
    assert [(c.kind, c.by) for c in changes()] == [(Kind.CREATE, "ada"), (Kind.UPDATE, "grace")]


def test_who_wants_a_name_back_while_its_record_goes_is_named(panel: Panel, script: Script) -> None:
    def meanwhile(*_args: object) -> None:
        with acting_as("grace"):
            panel.claim(NAME)

    up(panel)
    script.once("after", "delete_record", meanwhile)
    panel.release()
    panel.round(2)
    assert (last().kind, last().by) == (Kind.CREATE, "grace")


def test_drift_that_is_healed_is_told_as_the_work_of_the_panel(panel: Panel) -> None:
    with acting_as("ada"):
        up(panel)
    panel.edit(content=ELSEWHERE)
    panel.check()
    change = last()
    assert (change.kind, change.by, change.why) == (Kind.UPDATE, "", "content")
    assert (change.before or {})["content"] == ELSEWHERE


def test_whoever_applies_a_plan_is_named(panel: Panel) -> None:
    up(panel)
    panel.edit(content=ELSEWHERE)
    service.request_check(at=panel.at)
    panel.round()
    assert panel.connection.review is not None
    with acting_as("grace"):
        service.request_apply(panel.connection.review["hash"])
    panel.round()
    assert last().by == "grace"


def test_a_deletion_keeps_what_the_record_was(panel: Panel) -> None:
    up(panel)
    with acting_as("ada"):
        panel.release()
    panel.round()
    change = last()
    assert (change.kind, change.result, change.by, change.after) == (Kind.DELETE, Result.DONE, "ada", None)
    assert (change.before or {})["content"] == HERE


def test_an_orphan_is_told_without_a_consumer(panel: Panel) -> None:
    up(panel)
    panel.by_hand("old.example.com", "A", HERE, mark=panel.settings().install_id)
    panel.check()
    change = last()
    assert (change.fqdn, change.kind, change.consumer_type) == ("old.example.com", Kind.DELETE, None)
    assert change.why == "carries our mark, but nothing uses it"


def test_a_conflict_that_was_decided_says_how(panel: Panel) -> None:
    panel.by_hand(NAME, "A", ELSEWHERE)
    up(panel)
    with acting_as("ada"):
        service.answer(panel.row().id, Answer.ADOPT, panel.row().answered, at=panel.at)
    panel.round()
    change = last()
    assert (change.kind, change.by) == (Kind.UPDATE, "ada")
    assert change.why.startswith("conflict: adopt: ")


def test_a_round_without_changes_writes_nothing(panel: Panel) -> None:
    up(panel)
    before = len(changes())
    panel.check()
    assert len(changes()) == before


def test_a_refusal_is_told_with_its_reason_and_once(panel: Panel, script: Script) -> None:
    def no(call: str) -> None:
        if call == "ensure_record":
            raise Rejected("No.")

    script.before = no
    up(panel)
    panel.wait(3600)
    panel.round()
    (change,) = changes()
    assert (change.result, change.error) == (Result.REFUSED, "No.")


def test_refusals_of_both_types_of_a_name_are_told(panel: Panel, script: Script) -> None:
    def no(call: str) -> None:
        if call == "ensure_record":
            raise Rejected("No.")

    panel.save(target=Target(ipv4=HERE, ipv6=HERE6))
    script.before = no
    for _ in range(2):
        up(panel)
        panel.wait(3600)
    assert [(c.type, c.result) for c in changes()] == [("A", Result.REFUSED), ("AAAA", Result.REFUSED)]


def test_a_lost_answer_is_told_and_found_out_at_the_next_listing(panel: Panel, script: Script) -> None:
    script.once("after", "ensure_record", fails(Outage("No answer.")))
    up(panel)
    assert (last().result, last().error) == (Result.UNDER_WAY, "No answer.")
    panel.wait(3600)
    panel.round()
    (change,) = changes()
    assert (change.result, change.error) == (Result.DONE, None)


def test_what_was_never_made_is_no_history(panel: Panel, script: Script) -> None:
    script.once("before", "ensure_record", fails(Outage("Down.")))
    up(panel)
    assert last().result is Result.UNDER_WAY
    panel.wait(3600)
    panel.round()
    (change,) = changes()
    assert (change.result, change.at) == (Result.DONE, panel.at)


def test_lost_answers_of_changes_and_deletions_are_found_out_too(panel: Panel, script: Script) -> None:
    up(panel, NAME, "two.example.com")
    panel.save(target=Target(ipv4=THERE))
    script.once("after", "ensure_record", fails(Outage("No answer.")))
    panel.round()
    panel.wait(3600)
    panel.round()
    assert [c.result for c in changes()] == [Result.DONE] * 4
    panel.release()
    script.once("after", "delete_record", fails(Outage("No answer.")))
    panel.round()
    panel.wait(3600)
    panel.round()
    assert [(c.kind, c.result) for c in changes()[4:]] == [(Kind.DELETE, Result.DONE)] * 2


def test_a_lost_answer_of_an_abandoned_zone_is_not_found_out_from_another(
    panel: Panel, script: Script
) -> None:
    up(panel)
    panel.save(mode=Mode.WILDCARD, zone=None)
    script.once("before", "delete_record", fails(Outage("Down.")))
    panel.round()
    service.abandon(panel.connection.id)
    panel.save(mode=Mode.MANAGED, zone=panel.account.add_zone("example.net"))
    reuse_number(panel)
    panel.round()
    assert (last().kind, last().result) == (Kind.DELETE, Result.UNDER_WAY)


def test_what_is_older_than_a_year_is_forgotten(panel: Panel) -> None:
    up(panel)
    panel.at += KEPT_FOR + timedelta(days=1)
    panel.release()
    panel.round()
    (change,) = changes()
    assert change.kind is Kind.DELETE
