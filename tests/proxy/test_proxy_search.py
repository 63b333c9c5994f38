"""Finding proxies: international names as people write them, and many in pages."""

import pytest

from tests.proxy.publish_world import START, wish
from webapp.db import reading, transaction
from webapp.proxy import listing, service
from webapp.proxy.listing import SIZE


@pytest.mark.parametrize("text", ["bücher", "BÜCHER", "xn--bcher", "bücher.example"])
def test_an_international_name_is_found_as_people_write_it(context, text):
    service.create(wish("xn--bcher-kva.example.com"), at=START)
    with reading() as session:
        assert len(listing.matching(session, text)) == 1


def test_many_proxies_come_in_pages_that_keep_the_filters(app, client):
    with app.app_context(), transaction():
        for number in range(SIZE + 7):
            service.create(wish(f"n{number:03}.example.com"), at=START)
        service.create(wish("other.example.com"), at=START)
    first, second = client.get("/proxies?q=n").text, client.get("/proxies?q=n&page=2").text
    assert first.count('id="proxy-') - first.count('id="proxy-s') == SIZE
    assert "57 proxies, page 1 of 2" in first
    assert 'href="/proxies?q=n&amp;page=2">Next' in first
    assert "n056.example.com" in second
    assert "n049.example.com" not in second
    assert 'href="/proxies?q=n">Previous' in second
    assert "page 2 of 2" in client.get("/proxies?q=n&page=99").text


def test_a_short_list_has_no_pages(app, client):
    with app.app_context():
        service.create(wish(), at=START)
    assert "page 1 of 1</span>" not in client.get("/proxies").text
