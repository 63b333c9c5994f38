"""Two installations at work in one zone at the same moment, each over HTTP, each with its own database."""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.dns.logged_cloudflare import LoggedCloudflare
from tests.dns.neighbours import Neighbour, apps
from tests.dns.panel_world import ELSEWHERE
from tests.dns.provider_world import TOKEN
from webapp.db import db, reading
from webapp.dns.journal import RecordChange, Result
from webapp.dns.records import Target, Zone

pytestmark = pytest.mark.matrix

BOTH = "both.example.com"
MOVED = "192.0.2.77"


@pytest.fixture
def standin() -> Iterator[LoggedCloudflare]:
    with LoggedCloudflare() as standin:
        standin.add_token(TOKEN)
        standin.page_cap = 5
        standin.latency = 0.002
        yield standin


@pytest.fixture
def pair(standin: LoggedCloudflare, tmp_path: Path, tables: Path) -> Iterator[list[Neighbour]]:
    zone = Zone(standin.add_zone("example.com"), "example.com", plan="free")
    with apps(tmp_path, tables) as made:
        pair = [Neighbour(app, number) for number, app in enumerate(made)]
        for one in pair:
            one.panel.api_url = standin.url
            one.panel.rounds = one.panel.new_rounds()
            save = {"provider": "cloudflare", "zone": zone, "credentials": {"token": TOKEN}}
            one.tell(lambda one=one, save=save: one.panel.save(**save))  # type: ignore[misc]
        yield pair


def names(number: int, of: int = 8) -> list[str]:
    return [f"n{n}.of{number}.example.com" for n in range(of)]


def live(one: Neighbour, number: int, gate: threading.Barrier) -> None:
    """Some days of one installation: it claims, moves, renames and deletes, and works all the time."""
    panel = one.panel
    acts = [
        lambda: panel.claim(*names(number), BOTH),
        lambda: panel.save(target=Target(MOVED if number else one.address)),
        lambda: panel.claim(*names(number, 4), f"new.of{number}.example.com", BOTH),
        lambda: None,
    ]
    with one.app.app_context():
        for act in acts:
            act()
            panel.wait(1000)
            gate.wait(30)
            panel.round()
        db.session.remove()


def done(one: Neighbour) -> list[tuple[object, object]]:
    def look() -> list[tuple[object, object]]:
        with reading() as session:
            entries = session.scalars(select(RecordChange).where(RecordChange.result == Result.DONE))
            return [(_told(e, e.before), _told(e, e.after)) for e in entries]

    return one.tell(look)


def _told(entry: RecordChange, facts: dict[str, object] | None) -> object:
    keys = ("type", "content", "ttl", "proxied")
    return facts and (entry.fqdn, *(facts[key] for key in keys))


def marks(standin: LoggedCloudflare) -> dict[str, set[str]]:
    """Names by the installation that keeps them."""
    found: dict[str, set[str]] = {}
    for record in standin.records("example.com"):
        found.setdefault((record["comment"] or "").removeprefix("tiny-forge:"), set()).add(record["name"])
    return found


@pytest.mark.parametrize("turn", range(3))
def test_both_at_work_at_once_leave_each_other_alone(
    pair: list[Neighbour], standin: LoggedCloudflare, turn: int
) -> None:
    theirs = [standin.put_by_hand(f"old{n}.example.com", "A", ELSEWHERE, comment="by hand") for n in range(4)]
    gate = threading.Barrier(2)
    threads = [threading.Thread(target=live, args=(one, n, gate)) for n, one in enumerate(pair)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for one in pair:
        one.check()
    kept = marks(standin)
    for number, one in enumerate(pair):
        own = {*names(number, 4), f"new.of{number}.example.com"}
        assert kept[one.id] - {BOTH} == own
        assert {s for name, s in one.statuses().items() if name != BOTH} == {"synced"}
        assert {r["content"] for r in standin.find(names(number)[0])} == {MOVED if number else one.address}
    assert "conflict" in {one.statuses()[BOTH] for one in pair}
    assert [r for r in standin.records("example.com") if r["comment"] == "by hand"] == theirs
    assert Counter(done(pair[0]) + done(pair[1])) == Counter(standin.accepted)


def test_whoever_stays_gets_the_name_that_both_made_at_once(
    pair: list[Neighbour], standin: LoggedCloudflare
) -> None:
    test_both_at_work_at_once_leave_each_other_alone(pair, standin, 0)
    she, he = pair
    he.tell(he.panel.release)
    for one in (he, she, he):
        one.check()
    assert (she.statuses()[BOTH], marks(standin).get(he.id)) == ("synced", None)
    assert [record["content"] for record in standin.find(BOTH)] == [she.address]
