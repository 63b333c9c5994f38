"""Two processes on one database: each record is made once, and whoever comes second finds the work done."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from tests.dns.panel_world import HERE, Panel, standalone
from tests.dns.watched import Script
from webapp import create_app
from webapp.config import Config
from webapp.db import db, reading, transaction
from webapp.dns import claims
from webapp.dns.models import DnsRecord
from webapp.dns.names import Fqdn
from webapp.dns.rounds import Rounds
from webapp.errors import Busy

NAMES = [f"n{n}.example.com" for n in range(8)]


@pytest.fixture
def other(app: Flask, config: Config) -> Iterator[Flask]:
    """A second process: an application and an engine of its own, the same file."""
    second = create_app(config)
    yield second
    with second.app_context():
        db.engine.dispose()


def together(*works: tuple[Flask, object]) -> list[BaseException]:
    """Run both at the same moment; what they raised."""
    gate, raised = threading.Barrier(len(works)), list[BaseException]()

    def run(app: Flask, work: object) -> None:
        with app.app_context():
            gate.wait(10)
            try:
                work()  # type: ignore[operator]
            except Busy as busy:
                raised.append(busy)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return raised


def test_a_round_that_is_under_way_keeps_the_other_process_out(
    panel: Panel, other: Flask, script: Script
) -> None:
    """The second one starts while the first is in the middle of its listing."""
    refused = []

    def second_comes() -> None:
        def work() -> None:
            try:
                panel.new_rounds("second").sync(connection)
            except Busy as busy:
                refused.append(busy.message)
            db.session.remove()

        def in_its_context() -> None:
            with other.app_context():
                work()

        thread = threading.Thread(target=in_its_context)
        thread.start()
        thread.join(30)

    panel.claim(*NAMES)
    connection = panel.connection.id
    script.once("after", "list_records", second_comes)
    panel.round()
    assert len(refused) == 1
    assert script.calls.count("list_records") == 1
    assert script.calls.count("ensure_record") == len(NAMES)


def test_both_at_once_make_each_record_once(app: Flask, panel: Panel, other: Flask) -> None:
    panel.claim(*NAMES)
    first, second = panel.new_rounds("first"), panel.new_rounds("second")
    together((app, first.run_due), (other, second.run_due))
    panel.round()
    assert panel.live() == {f"{name} A": HERE for name in NAMES}
    assert len(panel.records()) == panel.account.writes == len(NAMES)
    assert panel.unsettled() == 0


def test_what_one_process_made_the_other_knows(panel: Panel, other: Flask) -> None:
    panel.claim(*NAMES)
    panel.round()
    with other.app_context():
        second: Rounds = panel.new_rounds("second")
        panel.wait(601)
        assert panel.writes_during(second.run_due) == 0


def test_a_name_that_both_claim_at_once_has_one_holder(app: Flask, panel: Panel, other: Flask) -> None:
    def claiming(proxy: int) -> object:
        return lambda: claims.claim(standalone(proxy), [Fqdn(NAMES[0])], at=panel.at)

    raised = together((app, claiming(1)), (other, claiming(2)))
    # Whether the other's claim was seen, or the database had the last word, is a matter of microseconds.
    assert [type(error) for error in raised] == [Busy]
    with reading() as session:
        assert len(session.scalars(select(DnsRecord)).all()) == 1


def test_a_wish_that_one_makes_while_the_other_writes_down_what_it_read_is_kept(
    panel: Panel, other: Flask
) -> None:
    panel.round()
    panel.claim(NAMES[0])

    def wish() -> None:
        with other.app_context():
            panel.claim(NAMES[0], ttl=300)
            db.session.remove()

    with transaction() as session:
        (row,) = session.scalars(select(DnsRecord))
        thread = threading.Thread(target=wish)
        thread.start()
        thread.join(0.3)  # it waits for its turn
        row.fail("This name was refused.", None, panel.at)
    thread.join(30)
    panel.round()
    assert (panel.record(NAMES[0]).ttl, panel.row(NAMES[0]).status) == (300, "synced")
