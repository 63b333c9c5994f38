"""The in-memory provider with somebody at its elbow: what happens before and after each call can be told."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest

from webapp.dns import providers
from webapp.dns.changes import Change
from webapp.dns.providers.base import Finding, Outcome, one_by_one
from webapp.dns.providers.memory import Memory
from webapp.dns.records import LiveRecord, Record, Usage, Zone

Happening = Callable[[str], object]


def nothing(_call: str) -> None:
    """What happens around most calls."""


@dataclass
class Script:
    """`calls` made so far by name; `before` and `after` see the name of each; `made` may alter what is written."""

    calls: list[str] = field(default_factory=list)
    before: Happening = nothing
    after: Happening = nothing
    made: Callable[[LiveRecord], LiveRecord] = lambda record: record

    def once(self, when: str, call: str, act: Callable[[], object]) -> None:
        """Have something happen before or after the next call of that name."""

        def happening(name: str) -> None:
            if name == call:
                setattr(self, when, nothing)
                act()

        setattr(self, when, happening)


class Watched:
    """See Provider."""

    def __init__(self, script: Script, **kwargs: Any) -> None:
        self._script, self._inner = script, Memory(**kwargs)

    def list_zones(self) -> list[Zone]:
        return self._call("list_zones")

    def list_records(self, zone: Zone) -> list[LiveRecord]:
        return self._call("list_records", zone)

    def usage(self, zone: Zone) -> Usage | None:
        return self._call("usage", zone)

    def ensure_record(self, zone: Zone, record: Record, known: LiveRecord | None) -> LiveRecord:
        return self._script.made(self._call("ensure_record", zone, record, known))

    def delete_record(self, zone: Zone, live: LiveRecord) -> None:
        self._call("delete_record", zone, live)

    def apply(self, zone: Zone, changes: Sequence[Change]) -> Iterator[list[Outcome]]:
        return one_by_one(self, zone, changes)

    def probe(self, zone: Zone | None) -> list[Finding]:
        return self._inner.probe(zone)

    def _call(self, name: str, *args: Any) -> Any:
        self._script.calls.append(name)
        self._script.before(name)
        result = getattr(self._inner, name)(*args)
        self._script.after(name)
        return result


def watch(monkeypatch: pytest.MonkeyPatch) -> Script:
    """Have every in-memory provider that is made from now on follow one script."""
    script = Script()
    kind = providers.KINDS["memory"]
    monkeypatch.setitem(providers.KINDS, "memory", replace(kind, make=partial(Watched, script)))  # type: ignore[arg-type]
    return script
