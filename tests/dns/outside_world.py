"""The world outside the panel, made up: two name servers that answer what is at the provider, and names to visit."""

from collections.abc import Collection, Sequence

from tests.dns.panel_world import Panel
from webapp.dns.live import Content, Liveness, Question, Said, Verdict
from webapp.dns.proof import Proof
from webapp.errors import Outage

EDGE = {("A", "104.16.132.229"), ("AAAA", "2606:4700::1")}
SERVERS = ("ns1.example.net", "ns2.example.net")
PROVEN = Verdict(Liveness.LIVE, "Proven.")


class Outside:
    """Answers as the provider's records are; `late` names are missing at the second server.

    `lost` is why no server can be found. `visits` notes who was visited, and `found` is what that showed.
    """

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.late: set[str] = set()
        self.lost = ""
        self.found = PROVEN
        self.asked: list[Question] = []
        self.visits: list[tuple[str, tuple[str, ...]]] = []

    def ask(self, zone: str, questions: Collection[Question]) -> dict[str, dict[Question, Said]]:
        if self.lost:
            raise Outage(self.lost)
        self.asked += questions
        return {server: {q: self._said(server, *q) for q in questions} for server in SERVERS}

    def zone_of(self, name: str) -> str:
        return name

    def addresses(self, _name: str) -> frozenset[str]:
        return frozenset()

    def visit(self, proof: Proof, addresses: Sequence[str]) -> Verdict:
        self.visits.append((proof.host, tuple(addresses)))
        return self.found

    def _said(self, server: str, name: str, kind: str) -> Said:
        if name in self.late and server == SERVERS[1]:
            return Said()
        here = [record for record in self.panel.records() if record.name == name]
        told: set[Content] = {(r.type, r.content) for r in here if r.type in (kind, "CNAME")}
        if any(record.proxied for record in here):
            told = {content for content in EDGE if content[0] == kind}
        return Said(frozenset(told))
