"""What is done at Cloudflare while faults happen: each leaves wishes behind, and says what has to come of them."""

from sqlalchemy import select

from tests.dns.fault_world import MEMORY, NAMES, SHOP, FaultWorld
from tests.dns.panel_world import ELSEWHERE, THERE
from tests.dns.provider_world import TOKEN
from webapp.db import reading
from webapp.dns import service, undo
from webapp.dns.changes import Answer
from webapp.dns.desired import Mode
from webapp.dns.journal import Kind, RecordChange
from webapp.dns.records import Target

OTHER_TOKEN = "cfut_" + "b" * 40
NEW = f"new.{SHOP}"
EXAMPLE = "example.com"


def _up(world: FaultWorld, *names: str) -> None:
    world.connect()
    world.panel.claim(*(names or NAMES))
    world.panel.round()
    assert not world.panel.unsettled()


def first_sync(world: FaultWorld) -> None:
    world.connect()
    world.panel.claim(*NAMES)
    world.expect(EXAMPLE)


def new_target(world: FaultWorld) -> None:
    _up(world)
    world.panel.save(target=Target(ipv4=THERE))
    world.expect(EXAMPLE, content=THERE)


def address_to_name(world: FaultWorld) -> None:
    _up(world)
    world.panel.save(target=Target(cname="home.example.net"))
    world.expect(EXAMPLE, kind="CNAME", content="home.example.net")


def rename(world: FaultWorld) -> None:
    _up(world)
    world.panel.claim(*NAMES[:4], NEW)
    world.expect(EXAMPLE, *NAMES[:4], NEW)


def to_managed(world: FaultWorld) -> None:
    world.panel.claim(*NAMES)
    world.panel.round()
    first_sync(world)


def to_wildcard(world: FaultWorld) -> None:
    _up(world)
    world.panel.save(mode=Mode.WILDCARD, zone=None)
    world.expect(None)


def other_zone(world: FaultWorld) -> None:
    _up(world)
    world.connect(world.add_zone(SHOP))
    world.expect(SHOP)


def other_account(world: FaultWorld) -> None:
    """Each token sees one of the two zones."""
    world.standin.add_token(TOKEN, zones=[EXAMPLE])
    _up(world)
    world.standin.add_token(OTHER_TOKEN, zones=[SHOP])
    world.connect(world.add_zone(SHOP), OTHER_TOKEN)
    world.expect(SHOP)


def from_cloudflare(world: FaultWorld) -> None:
    _up(world)
    panel = world.panel
    panel.save(provider="memory", zone=panel.zone, credentials={"token": panel.token})
    world.expect(MEMORY)


def to_cloudflare(world: FaultWorld) -> None:
    panel = world.panel
    panel.save(mode=Mode.MANAGED, zone=panel.zone)
    panel.claim(*NAMES)
    panel.round()
    world.connect()
    world.expect(EXAMPLE)


def adopt(world: FaultWorld) -> None:
    """Two records of somebody become ours, and two are replaced."""
    for name in NAMES[:2]:
        world.standin.put_by_hand(name, "A", ELSEWHERE)
    for name in NAMES[2:4]:
        world.standin.put_by_hand(name, "CNAME", "elsewhere.example.net")
    world.connect()
    world.panel.claim(*NAMES)
    world.panel.round()
    for number, name in enumerate(NAMES[:4]):
        row = world.panel.row(name)
        decision = Answer.ADOPT if number < 2 else Answer.REPLACE
        service.answer(row.id, decision, row.answered, at=world.panel.at)
    world.expect(EXAMPLE)


def bulk_delete(world: FaultWorld) -> None:
    _up(world, *NAMES, NEW)
    world.panel.claim(NAMES[0])
    world.expect(EXAMPLE, NAMES[0])


def put_back(world: FaultWorld) -> None:
    """The undo of a change, of a creation and of a deletion."""
    _up(world)
    (drifted,) = world.standin.find(NAMES[1], "A")
    world.standin.edit_by_hand(drifted["id"], content=ELSEWHERE)
    world.panel.check()
    world.panel.claim(*NAMES[:5])
    world.panel.round()
    for kind, name in ((Kind.UPDATE, NAMES[1]), (Kind.CREATE, NAMES[2]), (Kind.DELETE, NAMES[5])):
        undo.undo(_entry(kind, name), at=world.panel.at)
    world.expect(EXAMPLE)
    world.wanted[EXAMPLE] |= {f"{NAMES[1]} A": ELSEWHERE}
    del world.wanted[EXAMPLE][f"{NAMES[2]} A"]


def _entry(kind: Kind, name: str) -> int:
    with reading() as session:
        found = select(RecordChange.id).where(RecordChange.kind == kind, RecordChange.fqdn == name)
        return session.scalars(found).one()


SCENARIOS = [
    first_sync, new_target, address_to_name, rename, to_managed, to_wildcard, other_zone, other_account,
    from_cloudflare, to_cloudflare, adopt, bulk_delete, put_back,
]  # fmt: skip
