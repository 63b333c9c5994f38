"""Faults on the way to Cloudflare: outages, in doubt where a change may have been made, healed by repeating."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.dns.cloudflare_answers import error_of
from tests.dns.provider_world import (
    OWNER,
    ZONE,
    CloudflareWorld,
    applied,
    ensured,
    listed,
    reconciled,
    record,
)
from webapp.dns.changes import Create, Delete, Update, Wish
from webapp.dns.providers import cloudflare_http
from webapp.errors import Outage, ProviderError
from webapp.sandbox.cloudflare import CloudflareStandIn
from webapp.sandbox.server import Failure, Reply

pytestmark = pytest.mark.matrix

OLD, UNUSED, NEW = record("old"), record("unused"), record("new")
CHANGED = replace(OLD, content="192.0.2.2")
FAULTS = [
    (Failure.RESET_BEFORE, {}),
    (Failure.RESET_AFTER, {}),
    (Failure.HANG_BEFORE, {}),
    (Failure.HANG_AFTER, {}),
    (Failure.ANSWER, {"reply": Reply(502, "<html>")}),
    (Failure.ANSWER_AFTER, {"reply": Reply(504, "<html>")}),
    (Failure.ANSWER_AFTER, {"reply": Reply(200, b"")}),
    (Failure.TRUNCATE, {}),
]
every_fault = pytest.mark.parametrize(("failure", "options"), FAULTS)
METHODS = {"list": "GET", "create": "POST", "update": "PATCH", "delete": "DELETE", "batch": "POST"}


@pytest.fixture
def world(cloudflare: CloudflareStandIn) -> CloudflareWorld:
    return CloudflareWorld(cloudflare)


def error_when(
    operation: str,
    failure: Failure,
    options: dict[str, Reply],
    world: CloudflareWorld,
    call: Callable[[], Any],
) -> ProviderError:
    """The error of a call in which one request of this kind fails."""
    method, ending = METHODS[operation], "/batch" if operation == "batch" else ""
    world.standin.fail(failure, matches=lambda r: r.method == method and r.path.endswith(ending), **options)
    with pytest.MonkeyPatch.context() as patch:
        if failure in (Failure.HANG_BEFORE, Failure.HANG_AFTER):
            patch.setattr(cloudflare_http, "READ", 0.4)
        return error_of(call)


def contents(world: CloudflareWorld) -> dict[str, str]:
    return {live.name.split(".")[0]: live.content for live in listed(world).values()}


@every_fault
def test_a_listing_that_fails_is_an_outage_and_the_next_one_is_complete(world, failure, options):
    ensured(world, OLD)
    error = error_when("list", failure, options, world, lambda: world.provider.list_records(world.zone))
    assert (type(error), error.unconfirmed) == (Outage, False)
    assert contents(world) == {"old": OLD.content}


@every_fault
def test_a_create_that_fails_is_in_doubt_and_repeating_it_makes_one_record(world, failure, options):
    error = error_when("create", failure, options, world, lambda: ensured(world, NEW))
    assert (type(error), error.unconfirmed) == (Outage, True)
    [made] = ensured(world, NEW)
    assert listed(world) == {(NEW.name, "A"): made}
    assert made.mark == OWNER


@every_fault
def test_a_change_that_fails_is_in_doubt_and_repeating_it_makes_it(world, failure, options):
    [old] = ensured(world, OLD)
    error = error_when(
        "update", failure, options, world, lambda: world.provider.ensure_record(world.zone, CHANGED, old)
    )
    assert (type(error), error.unconfirmed) == (Outage, True)
    world.provider.ensure_record(world.zone, CHANGED, old)
    assert contents(world) == {"old": CHANGED.content}


@every_fault
def test_a_delete_that_fails_is_in_doubt_and_repeating_it_makes_it(world, failure, options):
    [old] = ensured(world, OLD)
    error = error_when(
        "delete", failure, options, world, lambda: world.provider.delete_record(world.zone, old)
    )
    assert (type(error), error.unconfirmed) == (Outage, True)
    world.provider.delete_record(world.zone, old)
    assert contents(world) == {}


@every_fault
def test_a_batch_that_fails_is_in_doubt_and_repeating_it_makes_it(world, failure, options):
    old, unused = ensured(world, OLD, UNUSED)
    changes = [Create(1, NEW), Update(2, CHANGED, old, ("content",)), Delete(3, unused, "unused")]
    error = error_when("batch", failure, options, world, lambda: applied(world, changes))
    assert (type(error), error.unconfirmed) == (Outage, True)
    assert [outcome.error for outcome in applied(world, changes)] == [None] * 3
    assert contents(world) == {"old": CHANGED.content, "new": NEW.content}


@every_fault
@pytest.mark.parametrize("operation", ["list", "batch"])
def test_a_round_that_fails_anywhere_is_healed_by_the_next(world, operation, failure, options):
    ensured(world, OLD, UNUSED)
    wishes = [Wish(1, CHANGED), Wish(2, NEW), Wish(3, record("old", "AAAA", "2001:db8::1"))]
    error_when(operation, failure, options, world, lambda: reconciled(world, wishes))
    reconciled(world, wishes)
    assert reconciled(world, wishes) == 0
    assert {(live.name, live.type) for live in listed(world).values()} == {
        (wish.record.name, str(wish.record.type)) for wish in wishes
    }


@every_fault
def test_a_second_batch_that_fails_does_not_undo_the_first(world, failure, options):
    for number in range(60):
        world.put(f"unused{number}.{ZONE}", "A", "192.0.2.1", mark=OWNER)
    unused = [Delete(None, live, "unused") for live in listed(world).values()]
    parts = world.provider.apply(world.zone, [*(Create(n, record(f"app{n}")) for n in range(150)), *unused])
    first = next(parts)
    error = error_when("batch", failure, options, world, lambda: next(parts))
    assert isinstance(error, Outage)
    assert {o.live.id for o in first if o.live} <= {live.id for live in listed(world).values()}


def test_the_rate_limit_is_an_outage_that_says_how_long(world):
    world.standin.limit_requests(0, 30)
    error = error_of(lambda: world.provider.list_records(world.zone))
    assert isinstance(error, Outage)
    assert 1 <= error.retry_after.total_seconds() <= 30


def test_the_rate_limit_without_a_time_is_an_outage_too(world):
    world.standin.limit_requests(0, 30, retry_after=False)
    error = error_of(lambda: ensured(world, NEW))
    assert (type(error), error.retry_after, error.unconfirmed) == (Outage, None, False)


@pytest.mark.parametrize("cap", [1, 2, 3, 7])
def test_a_listing_in_small_pages_is_complete(world, cap):
    ensured(world, *(record(f"app{n}") for n in range(6)))
    world.standin.page_cap = cap
    assert len(world.provider.list_records(world.zone)) == 6


def test_a_record_that_was_deleted_before_its_change_is_made_anew_by_the_next_round(world):
    [old] = ensured(world, OLD)
    world.delete(old)
    [outcome] = applied(world, [Update(1, CHANGED, old, ("content",))])
    assert outcome.error.codes == {81044}
    reconciled(world, [Wish(1, CHANGED, live_id=old.id)])
    assert contents(world) == {"old": CHANGED.content}


def test_a_create_that_was_made_before_the_answer_was_lost_is_found_with_its_spelling(world):
    alias = record("alias", "CNAME", "server.example.net")
    world.put(alias.name, "CNAME", "Server.Example.NET", mark=OWNER)
    assert ensured(world, alias)[0].mark == OWNER
    assert len(listed(world)) == 1


def test_a_zone_that_fills_up_unseen_costs_few_calls_and_takes_what_fits(world):
    """As where the quota is the account's, which nobody tells: one refused record answers for those after it."""
    old, unused = ensured(world, OLD, UNUSED)
    world.fill(42)
    changes = [Create(n, record(f"new{n}")) for n in range(1000)]
    before = len(world.standin.log)
    done = applied(
        world, [*changes, Update(2000, CHANGED, old, ("content",)), Delete(2001, unused, "unused")]
    )
    assert len(world.standin.log) - before < 20
    assert sum(outcome.error is None for outcome in done) == 40 + 2
    assert {sorted(o.error.codes)[0] for o in done if o.error} == {81045}
    assert len(done) == 1002
    assert len(listed(world)) == 41
