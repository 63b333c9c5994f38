"""A zone that is left, and where no row is left, is looked at once more."""

from tests.dns.panel_world import HERE, Panel
from webapp.dns.desired import Mode
from webapp.dns.providers.memory import ACCOUNTS


def test_a_zone_is_looked_at_once_more_before_it_is_let_go(panel: Panel) -> None:
    """As after an old backup was restored: what is ours there goes, though no row knows of it."""
    panel.round()
    panel.by_hand("forgotten.example.com", "A", HERE, mark=panel.settings().install_id)
    panel.by_hand("theirs.example.com", "A", HERE)
    panel.save(mode=Mode.WILDCARD)
    panel.round()
    assert panel.live() == {"theirs.example.com A": HERE}
    assert panel.connections() == []


def test_an_empty_zone_that_cannot_be_looked_at_any_more_is_let_go(panel: Panel) -> None:
    panel.round()
    del ACCOUNTS[panel.token]
    panel.save(mode=Mode.WILDCARD)
    panel.round()
    assert panel.connections() == []


def test_an_empty_zone_that_does_not_answer_is_tried_again(panel: Panel) -> None:
    panel.round()
    panel.account.broken = True
    panel.save(mode=Mode.WILDCARD)
    panel.round()
    assert [c.error for c in panel.connections()] == ["The provider does not answer."]
    panel.account.broken = False
    panel.wait(60)
    panel.round()
    assert panel.connections() == []
