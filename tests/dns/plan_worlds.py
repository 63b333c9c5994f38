"""Random worlds for the planner's laws: a legal zone, rows that know part of it, and answers to conflicts."""

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from tests.dns.plan_world import HERE, OTHER, OWNER, THERE, is_legal
from webapp.dns.changes import Answer, Plan, Wish
from webapp.dns.plan import plan
from webapp.dns.records import LiveRecord, Record, RecordType, normal_content, wanted

NAMES = ("a.example.com", "*.example.com", "xn--mnchen-3ya.example.com")
CONTENTS = {
    "A": (HERE, THERE),
    "AAAA": ("2001:db8::1", "2001:DB8:0:0::2"),
    "CNAME": ("server.example.net", "Server.Example.ORG."),
    "TXT": ("v=spf1",),
    "NS": ("ns.example.net",),
}
OURS_MOSTLY = (OWNER, OWNER, OWNER, OTHER, None, None)


@dataclass(frozen=True)
class World:
    """What a planner is given."""

    wishes: tuple[Wish, ...]
    live: tuple[LiveRecord, ...]
    delete: bool = True

    def plan(self, **changes: Any) -> Plan:
        """The plan for it, or for what it becomes with these changes."""
        world = replace(self, **changes)
        return plan(world.wishes, world.live, OWNER, delete=world.delete)


@st.composite
def zones(draw: st.DrawFn) -> tuple[LiveRecord, ...]:
    """Records that a provider keeps together, some of them ours."""
    zone: list[LiveRecord] = []
    for number in range(draw(st.integers(0, 8))):
        kind = draw(st.sampled_from([*CONTENTS, "A", "A", "CNAME"]))
        record = LiveRecord(
            f"r{number}",
            draw(st.sampled_from(NAMES)),
            kind,
            draw(st.sampled_from(CONTENTS[kind])),
            draw(st.sampled_from((1, 300))),
            kind in ("A", "AAAA", "CNAME") and draw(st.booleans()),
            draw(st.sampled_from(OURS_MOSTLY)),
            read_only=draw(st.integers(0, 9)) == 0,
        )
        if is_legal([*zone, record]):
            zone.append(record)
    return tuple(zone)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A zone and rows; what a row knows of the zone may be right, out of date or lost."""
    live = draw(zones())
    wishes: list[Wish] = []
    for name in NAMES:
        kinds = draw(st.sampled_from([(), ("A",), ("A", "AAAA"), ("CNAME",)]))
        far = [draw(st.sampled_from(live))] if live and not wishes else []  # renamed by hand
        wishes += [_row(draw, name, kind, live, far, wanted=True) for kind in kinds]
        for kind in draw(st.lists(st.sampled_from(("A", "AAAA", "CNAME")), max_size=2)):
            row = _row(draw, name, kind, live, [], wanted=False)
            wishes.append(replace(row, held=not kinds and draw(st.booleans())))
    rows = draw(st.permutations(range(1, len(wishes) + 1)))
    numbered = tuple(replace(w, row=row) for w, row in zip(wishes, rows, strict=True))
    return _answered(draw, World(numbered, live, draw(st.booleans())))


def _row(
    draw: st.DrawFn,
    name: str,
    kind: str,
    live: tuple[LiveRecord, ...],
    far: list[LiveRecord],
    *,
    wanted: bool,
) -> Wish:
    near = [r for r in live if r.name == name]
    known = draw(st.sampled_from([None, *near, *far]))
    written = Record(name, RecordType(kind), known.content) if known else None
    return Wish(
        0,
        _asked(draw, name, kind),
        wanted,
        known.id if known else draw(st.sampled_from((None, "vanished"))),
        written if draw(st.booleans()) else None,
        approved=draw(st.booleans()),
    )


def _asked(draw: st.DrawFn, name: str, kind: str) -> Record:
    return wanted(
        name,
        RecordType(kind),
        draw(st.sampled_from(CONTENTS[kind])),
        draw(st.sampled_from((1, 300))),
        draw(st.booleans()),
    )


def _answered(draw: st.DrawFn, world: World) -> World:
    """Some conflicts have an answer, some of the answers are out of date."""
    prints = {c.row: c.fingerprint for c in world.plan().conflicts}
    answers = st.sampled_from((None, *Answer))
    return replace(
        world,
        wishes=tuple(
            replace(w, answer=draw(answers), answered=draw(st.sampled_from((prints[w.row], "old"))))
            if w.row in prints
            else w
            for w in world.wishes
        ),
    )


def proves(wish: Wish, live: LiveRecord) -> bool:
    """Whether the row proves that an unmarked record is ours: by its id and unchanged content."""
    return (
        wish.live_id == live.id
        and wish.written is not None
        and (live.name, live.type) == (wish.written.name, wish.written.type)
        and normal_content(live.type, live.content) == normal_content(live.type, wish.written.content)
    )


def is_permitted(world: World, live: LiveRecord) -> bool:
    """Rule 1, said again in other words than the planner's: may this record be touched at all?"""
    if live.read_only:
        return False
    if live.mark == OWNER or (live.mark is None and any(proves(w, live) for w in world.wishes)):
        return True
    conflicts = {c.row: c for c in world.plan(wishes=_unanswered(world)).conflicts}
    return any(
        w.answer in (Answer.ADOPT, Answer.REPLACE)
        and w.row in conflicts
        and live in conflicts[w.row].live
        and w.answered == conflicts[w.row].fingerprint
        for w in world.wishes
    )


def _unanswered(world: World) -> tuple[Wish, ...]:
    return tuple(replace(w, answer=None) for w in world.wishes)
