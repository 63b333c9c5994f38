"""A panel and a stand-in that can be put back to where they were, as often as a fault is to be tried."""

import copy
from datetime import timedelta

from sqlalchemy import delete, insert, select

from tests.proxy.npm_faults import FAULTS, Crash, Wire
from tests.proxy.publish_world import Panel
from webapp import outgoing
from webapp.db import db, reading, transaction
from webapp.dns import ledger
from webapp.lease import LENGTH, Lease
from webapp.proxy.jobs import Job
from webapp.proxy.models import HostStatus

FINE = {HostStatus.ONLINE, HostStatus.OFF}


class MatrixWorld:
    """Ours: a, b and c, and `off`; by hand: one that the panel could not keep, and one that it could."""

    def __init__(self, npm, monkeypatch):
        self.npm = npm
        self.wire = Wire(npm, outgoing.session().get_adapter("http://"))
        monkeypatch.setattr(outgoing, "session", self._session)
        self.panel = Panel(npm).connect()
        self.restarts = 0
        self._furnish()

    def _session(self):
        session = ORIGINAL()
        session.mount("http://", self.wire)
        return session

    def _furnish(self):
        self.npm.add_certificate("theirs", ["kept.example.com"], self.npm.now())
        self.certificate = self.npm.add_certificate("wild", ["*.example.com"], self.npm.now())
        self.npm.host_by_hand("kept.example.com", certificate_id=1, access_list_id=3)
        self.npm.host_by_hand("hand.example.com", certificate_id=self.certificate, ssl_forced=True)
        for number, name in enumerate(("a", "b", "c"), 1):
            self.panel.create(f"{name}.example.com", forward_port=number)
        self.panel.create("off.example.com", enabled=False)
        self.panel.run(passes=2)
        self.before = copy.deepcopy(self.npm.proxy_hosts.rows)

    def look(self):
        """A regular look."""
        self.panel.run(minutes=11)

    def keep(self):
        """Remember how everything is."""
        with reading() as session:
            tables = db.metadata.sorted_tables
            self.rows = {t: [dict(r) for r in session.execute(select(t)).mappings()] for t in tables}
        hosts, nginx, certificates = self.npm.proxy_hosts, self.npm.nginx, self.npm.certificates
        self.state = copy.deepcopy((hosts.rows, hosts.count, nginx.files, nginx.loaded, certificates.rows))
        self.wishes = self.wished()

    def restore(self):
        """Put everything back, with a panel that has just started."""
        with transaction() as session:
            for table in reversed(db.metadata.sorted_tables):
                session.execute(delete(table))
            for table, rows in self.rows.items():
                if rows:
                    session.execute(insert(table), rows)
        hosts, nginx, certificates = self.npm.proxy_hosts, self.npm.nginx, self.npm.certificates
        state = copy.deepcopy(self.state)
        (hosts.rows, hosts.count, nginx.files, nginx.loaded, certificates.rows) = state
        nginx.lost_certificates.clear()
        self.npm.faults.clear()
        self.npm.log.clear()
        self.wire.arm(None)
        self.restart()

    def restart(self):
        """Another process goes on."""
        self.restarts += 1
        at = self.panel.now
        self.panel = Panel(self.npm, holder=f"process {self.restarts}")
        self.panel.now = at

    def cases(self):
        """Every fault at every request that is made when all goes well, where it makes a difference."""
        self.restore()
        self.suffer(None, 0)
        for at, method in enumerate(list(self.wire.methods), 1):
            yield from ((fault, at) for fault in FAULTS if method != "GET" or not fault.after)

    def suffer(self, fault, at):
        """Passes until the fault has come, or until there is nothing to do."""
        self.wire.arm(fault, at)
        for _ in range(4):
            try:
                self.panel.run(seconds=1)
            except Crash:
                self._died()
            if self.wire.fired:
                return

    def _died(self):
        """Nobody gave back the lease."""
        with transaction() as session:
            session.add(Lease(name="nginx proxy manager", holder="dead", until=self.panel.now + LENGTH))
        self.restart()

    def mend(self):
        """The fault is over."""
        self.npm.certificates.rows = copy.deepcopy(self.state[4])
        if self.npm.nginx.lost_certificates:
            self.npm.nginx.lost_certificates.clear()
            self.npm.nginx.reload()  # whoever mends it does so by a write
        self.npm.faults.clear()
        self.wire.arm(None)

    def heal(self, passes=6):
        """Passes with all the time they want in between; the last of them writes nothing when all is well."""
        for _ in range(passes):
            writes = self.npm.writes
            self.panel.run(minutes=16)
            if self.npm.writes == writes and self.is_settled():
                return
        self.panel.now += timedelta(minutes=1)

    def is_settled(self):
        """Whether every row says that it is as wished."""
        return {row.status for row in self.panel.rows()} <= FINE

    def wished(self):
        """Name and all fields of every host that is wanted."""
        with reading() as session:
            install = ledger.settings(session).install_id
            jobs = [Job.of(row, install) for row in self.panel.rows()]
            claims = sorted(row.fqdn for row in ledger.wanted(session))
        return sorted((str(job.spec), str(job.mark)) for job in jobs if not job.is_over), claims

    def wrong(self):
        """What is not as it should be, in words; empty when all is."""
        found = []
        if self.wished() != self.wishes:
            found.append("a wish was lost")
        if not self.is_settled():
            found.append(f"not settled: {[(r.fqdn, str(r.status), r.error) for r in self.panel.rows()]}")
        return found + self._wrong_there() + (["writes overlapped"] if self.wire.overlaps else [])

    def misnamed(self):
        """Where nginx refused because of a host of theirs, and that is not named."""
        errors = [row.error or "" for row in self.panel.rows()]
        return [
            e for e in errors if "refuses every change" in e and "kept.example.com (proxy host 1)" not in e
        ]

    def _wrong_there(self):
        rows = [row for row in self.panel.rows() if not row.removing]
        ours = {host["domain_names"][0]: host for host in self.npm.hosts() if "tiny_forge" in host["meta"]}
        found = []
        if len(ours) != len(self.panel.ours()) or set(ours) != {row.fqdn for row in rows}:
            found.append(f"ours: {[host['domain_names'] for host in self.panel.ours()]}")
        for row in rows:
            host = ours.get(row.fqdn, {"meta": {}})
            same = (host.get("forward_port"), host.get("enabled")) == (row.forward_port, row.enabled)
            if not same or (row.enabled and host["meta"].get("nginx_online") is not True):
                found.append(f"{row.fqdn} is {host}")
        theirs = {host["id"]: host for host in self.npm.hosts() if "tiny_forge" not in host["meta"]}
        if theirs != {n: h for n, h in self.state[0].items() if n in theirs} or 1 not in theirs:
            found.append(f"by hand: {theirs}")
        wanted = {row.fqdn for row in rows if row.enabled}
        wanted |= {name for host in theirs.values() for name in host["domain_names"]}
        return found + ([f"served: {self.npm.served()}"] if self.npm.served() != wanted else [])


ORIGINAL = outgoing.session
