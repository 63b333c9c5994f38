"""Listening to something that may be silent for long, without losing the chance to do something else meanwhile."""

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST_WAITING = 1000


def ticking(
    source: Callable[[], Iterable[T]], every: float, faults: tuple[type[Exception], ...]
) -> Generator[T | None, None, None]:
    """What a source yields, and None whenever nothing came for so many seconds.

    The source is read in a thread of its own, and given up there once nobody wants more. Raises its `faults`.
    """
    reader = _Reader(source, faults)
    threading.Thread(target=reader.read, name="listener", daemon=True).start()
    try:
        while True:
            try:
                found = reader.waiting.get(timeout=every)
            except queue.Empty:
                yield None
                continue
            if isinstance(found, _End):
                if found.error is not None:
                    raise found.error
                return
            yield found
    finally:
        reader.unwanted.set()


@dataclass
class _End:
    error: Exception | None = None


@dataclass
class _Reader(Generic[T]):
    source: Callable[[], Iterable[T]]
    faults: tuple[type[Exception], ...]
    waiting: "queue.Queue[T | _End]" = field(default_factory=lambda: queue.Queue(_MOST_WAITING))
    unwanted: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        """Read to the end, or until nobody wants more."""
        end = _End()
        try:
            for item in self.source():
                self._put(item)
                if self.unwanted.is_set():
                    return
        except self.faults as error:
            end = _End(error)
        finally:
            self._put(end)

    def _put(self, item: T | _End) -> None:
        while not self.unwanted.is_set():
            try:
                self.waiting.put(item, timeout=1)
            except queue.Full:
                continue
            return
