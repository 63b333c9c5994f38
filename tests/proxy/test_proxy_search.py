"""International names are found as people write them."""

import pytest

from tests.proxy.publish_world import START, wish
from webapp.db import reading
from webapp.proxy import service


@pytest.mark.parametrize("text", ["bücher", "BÜCHER", "xn--bcher", "bücher.example"])
def test_an_international_name_is_found_as_people_write_it(context, text):
    service.create(wish("xn--bcher-kva.example.com"), at=START)
    with reading() as session:
        assert len(service.listing(session, text)) == 1
