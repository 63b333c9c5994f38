"""Who is at work: a person at a page, the command line, or nobody but the panel itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

COMMAND_LINE = "command line"

_actor: ContextVar[str] = ContextVar("actor", default="")


def actor() -> str:
    """The name of whoever asks for what is being done; empty when the panel does it by itself."""
    return _actor.get()


@contextmanager
def acting_as(name: str) -> Iterator[None]:
    """What the block wishes for is wished by this person."""
    token = _actor.set(name[:100])
    try:
        yield
    finally:
        _actor.reset(token)
