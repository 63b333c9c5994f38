"""When a new public address counts: agreed, public, and seen again after some minutes."""

from datetime import UTC, datetime, timedelta

import pytest

from webapp.dns.following import CONFIRM_AFTER, Candidate, Decision, decide, is_public

AT = datetime(2026, 3, 1, tzinfo=UTC)
OLD, NEW, OTHER = "9.9.9.9", "149.112.112.112", "8.8.4.4"
SOON = timedelta(seconds=1)


def after(pause: timedelta, agreed: str | None = NEW, seen: str | None = NEW) -> Decision:
    """What is decided when a new address was first seen that long ago."""
    before = Candidate(seen, AT - pause) if seen else None
    return decide(4, OLD, agreed, "a says 1, b says 2", before, AT)


def test_the_address_that_is_set_is_no_news() -> None:
    assert after(SOON, OLD) == Decision("IPv4: 9.9.9.9, as set.")


def test_sources_that_disagree_change_nothing_and_make_void_what_was_seen() -> None:
    assert after(CONFIRM_AFTER, None) == Decision(
        "IPv4: nothing is changed, because the sources do not agree: a says 1, b says 2."
    )


def test_a_new_address_is_remembered_first() -> None:
    decision = after(SOON, seen=None)
    assert (decision.change, decision.candidate) == (None, Candidate(NEW, AT))
    assert decision.message == f"IPv4: {NEW} is new, and has to be seen again after 3 minutes."


def test_seen_again_too_soon_it_has_to_wait_on() -> None:
    decision = after(CONFIRM_AFTER - SOON)
    assert (decision.change, decision.candidate) == (None, Candidate(NEW, AT - CONFIRM_AFTER + SOON))


def test_seen_again_after_some_minutes_it_counts() -> None:
    decision = after(CONFIRM_AFTER)
    assert (decision.change, decision.message) == (NEW, f"IPv4: changed from {OLD} to {NEW}.")


def test_another_new_address_starts_anew() -> None:
    decision = after(CONFIRM_AFTER, OTHER)
    assert (decision.change, decision.candidate) == (None, Candidate(OTHER, AT))


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "100.64.0.1", "127.0.0.1", "203.0.113.9", "224.0.0.1", "240.0.0.1"]
)
def test_an_address_that_is_not_public_never_counts(address: str) -> None:
    decision = after(CONFIRM_AFTER, address, address)
    assert decision == Decision(f"IPv4: nothing is changed, because {address} is no public address.")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        (NEW, True), ("2620:fe::fe", True), ("2001:db8::1", False), ("fc00::1", False), ("fe80::1", False),
        ("2001::1", False), ("2002:909:909::1", False), ("64:ff9b::909:909", False), ("::1", False),
        ("ff0e::1", False), ("0.0.0.0", False), ("255.255.255.255", False), ("169.254.1.1", False),
    ],
)  # fmt: skip
def test_public_is_what_everybody_can_reach(address: str, public: bool) -> None:
    assert is_public(address) is public
