"""Listening with the chance to do something else meanwhile."""

import threading
import time

import pytest

from webapp.deploy.ticking import ticking


def test_what_comes_is_passed_on_in_order():
    assert list(ticking(lambda: iter("abc"), 1, ())) == ["a", "b", "c"]


def test_silence_is_told():
    def slow():
        time.sleep(0.2)
        yield "late"

    assert list(ticking(slow, 0.05, ()))[0::9] == [None]
    assert list(ticking(slow, 0.05, ()))[-1] == "late"


def test_a_fault_of_the_source_is_raised_after_what_came_before():
    def broken():
        yield 1
        raise ValueError("no more")

    found = ticking(broken, 1, (ValueError,))
    assert next(found) == 1
    with pytest.raises(ValueError, match="no more"):
        next(found)


def test_the_source_is_given_up_when_nobody_wants_more():
    closed = threading.Event()

    def endless():
        try:
            while True:
                time.sleep(0.01)
                yield 1
        finally:
            closed.set()

    found = ticking(endless, 1, ())
    next(found)
    found.close()
    assert closed.wait(3)
