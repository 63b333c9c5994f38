"""Whether the wildcard works, as a resolver tells it; nothing else is asked."""

from collections.abc import Mapping
from datetime import timedelta

import dns.exception
import dns.resolver
import pytest

from tests.dns.panel_world import ELSEWHERE, HERE, HERE6, Panel
from webapp.db import transaction, work_committed
from webapp.dns import ledger, wildcard
from webapp.dns.desired import Mode
from webapp.dns.records import Target
from webapp.dns.wildcard import MOST_NAMES, Verdict, WildcardCheck, check

BASE = "example.com"
OURS = Target(ipv4=HERE)


class Resolver:
    """Answers by name and type; `*` answers for every other name. Remembers what it was asked."""

    def __init__(self, answers: Mapping[tuple[str, str], str | None]) -> None:
        self.answers, self.asked = answers, list[tuple[str, str]]()

    def __call__(self, name: str, kind: str) -> frozenset[str]:
        self.asked.append((name, kind))
        found = self.answers.get((name, kind), self.answers.get(("*", kind), ""))
        if found is None:
            raise dns.exception.Timeout
        return frozenset(found.split())


def test_a_wildcard_that_points_here_works() -> None:
    resolver = Resolver({("*", "A"): HERE})
    assert check(BASE, OURS, [], resolver) == Verdict(True, "*.example.com resolves to the server.")


def test_the_name_it_asks_for_is_a_new_one_each_time() -> None:
    """No cache can have kept an answer for it, and nobody has made it."""
    names = set()
    for _ in range(2):
        resolver = Resolver({("*", "A"): HERE})
        check(BASE, OURS, [], resolver)
        names |= {name for name, _ in resolver.asked}
    assert len(names) == 2
    assert all(name.endswith(".example.com") and name.count(".") == 2 for name in names)


def test_an_address_of_the_other_family_is_enough() -> None:
    assert check(BASE, Target(HERE, HERE6), [], Resolver({("*", "AAAA"): HERE6})).works


def test_a_missing_wildcard_is_told() -> None:
    verdict = check(BASE, OURS, [], Resolver({}))
    assert verdict.works is False
    assert "does not exist in DNS" in verdict.message


def test_a_wildcard_that_points_elsewhere_is_told_with_where() -> None:
    verdict = check(BASE, OURS, [], Resolver({("*", "A"): f"{ELSEWHERE} 198.51.100.8"}))
    assert verdict.works is False
    assert f"points at {ELSEWHERE}, 198.51.100.8" in verdict.message


def test_a_resolver_that_does_not_answer_is_no_verdict() -> None:
    verdict = check(BASE, OURS, [], Resolver({("*", "A"): None}))
    assert verdict.works is None
    assert "could not be looked up" in verdict.message


def test_a_target_name_is_looked_up_too() -> None:
    target = Target(cname="Home.example.net")
    assert check(BASE, target, [], Resolver({("*", "A"): HERE, ("home.example.net", "A"): HERE})).works
    assert (
        check(BASE, target, [], Resolver({("*", "A"): HERE, ("home.example.net", "A"): ELSEWHERE})).works
        is False
    )


def test_a_target_name_that_cannot_be_looked_up_is_not_held_against_the_wildcard() -> None:
    resolver = Resolver({("*", "A"): HERE, ("home.example.net", "A"): None})
    assert check(BASE, Target(cname="home.example.net"), [], resolver).works


def test_without_a_known_address_any_answer_will_do() -> None:
    assert check(BASE, Target(), [], Resolver({("*", "A"): HERE})).works


def test_names_with_records_of_their_own_are_exceptions() -> None:
    resolver = Resolver(
        {("*", "A"): HERE, ("own.example.com", "A"): ELSEWHERE, ("six.example.com", "AAAA"): HERE6}
    )
    verdict = check(BASE, OURS, ["app.example.com", "own.example.com", "six.example.com"], resolver)
    assert verdict.exceptions == ("own.example.com", "six.example.com")


def test_a_resolver_that_breaks_off_leaves_the_rest_unsaid() -> None:
    resolver = Resolver({("*", "A"): HERE, ("b.example.com", "A"): None, ("c.example.com", "A"): ELSEWHERE})
    verdict = check(BASE, OURS, ["a.example.com", "b.example.com", "c.example.com"], resolver)
    assert (verdict.works, verdict.exceptions) == (True, ())


def test_not_all_of_very_many_names_are_looked_up() -> None:
    resolver = Resolver({("*", "A"): HERE})
    check(BASE, OURS, [f"n{n}.example.com" for n in range(MOST_NAMES + 50)], resolver)
    assert len({name for name, _ in resolver.asked}) == MOST_NAMES + 1


def test_the_resolver_of_the_system_is_asked_with_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(_self: object, name: str, kind: str, lifetime: float) -> list[str]:
        assert lifetime <= 5
        return {"a": ["192.0.2.1"], "c": ["Home.Example.Net."]}[name] if kind else []

    monkeypatch.setattr(dns.resolver.Resolver, "resolve", resolve)
    assert wildcard.ask("a", "A") == {"192.0.2.1"}
    assert wildcard.ask("c", "CNAME") == {"home.example.net"}


@pytest.mark.parametrize("error", [dns.resolver.NXDOMAIN, dns.resolver.NoAnswer])
def test_a_name_without_records_is_an_empty_answer(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def resolve(*_args: object, **_options: object) -> None:
        raise error.__new__(error)

    monkeypatch.setattr(dns.resolver.Resolver, "resolve", resolve)
    assert wildcard.ask("a.example.com", "A") == frozenset()


@pytest.fixture
def panel(context: None) -> Panel:
    panel = Panel(managed=False)
    panel.save()
    return panel


@pytest.fixture
def resolver() -> Resolver:
    return Resolver({("*", "A"): HERE})


@pytest.fixture
def checking(panel: Panel, resolver: Resolver) -> WildcardCheck:
    return WildcardCheck(timedelta(minutes=10), lambda: panel.at, resolver)


def test_the_worker_writes_the_verdict_and_asks_again_in_time(
    panel: Panel, checking: WildcardCheck, resolver: Resolver
) -> None:
    resolver.answers = {("*", "A"): HERE, ("own.example.com", "A"): ELSEWHERE}
    panel.claim("own.example.com", "a.b.example.com")
    checking.run_due()
    settings = panel.settings()
    assert (settings.wildcard_works, settings.wildcard_checked_at) == (True, panel.at)
    assert settings.wildcard_exceptions == ["own.example.com"]
    assert "a.b.example.com" not in {name for name, _ in resolver.asked}, (
        "the wildcard cannot cover it anyway"
    )
    asked = len(resolver.asked)
    panel.wait(599)
    checking.run_due()
    assert len(resolver.asked) == asked
    panel.wait(1)
    checking.run_due()
    assert len(resolver.asked) > asked


def test_a_request_has_it_looked_up_at_once(
    panel: Panel, checking: WildcardCheck, resolver: Resolver
) -> None:
    checking.run_due()
    asked = len(resolver.asked)
    rings = work_committed.rings
    wildcard.request_check()
    assert work_committed.rings > rings
    checking.run_due()
    assert len(resolver.asked) == 2 * asked


@pytest.mark.parametrize("reason", ["managed mode", "no base domain", "no settings"])
def test_there_is_not_always_something_to_look_up(
    panel: Panel, checking: WildcardCheck, resolver: Resolver, reason: str
) -> None:
    if reason == "managed mode":
        panel.save(mode=Mode.MANAGED, zone=panel.zone)
    elif reason == "no base domain":
        panel.save(base_domain="")
    else:
        with transaction() as session:
            session.delete(ledger.settings(session))
    checking.run_due()
    assert resolver.asked == []


def test_a_verdict_about_older_settings_is_dropped(panel: Panel, checking: WildcardCheck) -> None:
    def saves(_name: str, _kind: str) -> frozenset[str]:
        if panel.settings().version == 2:
            panel.save(base_domain="other.example.com")
        return frozenset({HERE})

    checking.ask = saves
    checking.run_due()
    assert panel.settings().wildcard_checked_at is None


def test_new_settings_forget_the_old_verdict(
    panel: Panel, checking: WildcardCheck, resolver: Resolver
) -> None:
    resolver.answers = {("*", "A"): HERE, ("own.example.com", "A"): ELSEWHERE}
    panel.claim("own.example.com")
    checking.run_due()
    panel.save(base_domain="example.org")
    settings = panel.settings()
    assert (settings.wildcard_works, settings.wildcard_message, settings.wildcard_exceptions) == (
        None,
        "",
        [],
    )
