"""The client of Nginx Proxy Manager: proxy hosts made, changed and deleted so that the outcome is known."""

from typing import Any

from webapp.errors import ProxyError
from webapp.proxy import npm_refusals as refusals
from webapp.proxy import npm_wire as wire
from webapp.proxy.npm_certificate import Certificate
from webapp.proxy.npm_mark import Mark
from webapp.proxy.npm_reader import HOSTS, NpmReader
from webapp.proxy.npm_transport import Answer, Lost
from webapp.proxy.npm_wire import Account, Host, HostSpec

__all__ = ["Account", "Certificate", "Host", "HostSpec", "Mark", "NpmClient"]


class NpmClient(NpmReader):
    """One account of one NPM, any release from 2.9 to 2.15. Every method may raise ProxyError.

    It changes a host only when that carries our mark, unless told to `adopt`. Writes must go one at a time
    for each NPM, which is up to the caller. Timeouts are in seconds: connect, read.
    """

    def create_host(self, spec: HostSpec, mark: Mark) -> Host:
        """Make a proxy host, or finish one with this very mark that an earlier attempt left behind.

        Returns it as read afterwards: `online` may be False, which `nginx_error` explains.
        """
        spec = wire.checked(spec)
        try:
            answer = self._npm.call("POST", HOSTS, wire.new_host(spec, mark))
        except Lost as lost:
            return self._settled(spec, mark, None, lost.timed_out)
        if answer.status == 201 and isinstance(answer.data, dict) and "id" in answer.data:
            return self._read_back(int(answer.data["id"]), spec.domain)
        if answer.status == 201 or answer.status >= 500 or "already in use" in answer.message:
            return self._settled(spec, mark, answer, False)
        raise refusals.refused(answer, f"create the proxy host {spec.domain}", self._npm.email)

    def update_host(self, host_id: int, spec: HostSpec, mark: Mark, *, adopt: bool = False) -> Host:
        """Make a host as the spec says; sends only what differs. Returns it as read afterwards.

        `adopt` takes over a host that carries another mark or none.
        """
        spec = wire.checked(spec)
        row = self._row(host_id)
        if row is None:
            raise refusals.lost(spec.domain)
        if not adopt and wire.host(row).mark != mark:
            raise refusals.foreign(wire.host(row))
        try:
            self._apply(row, spec, mark)
        except Lost as lost:
            return self._confirmed(host_id, spec, mark, lost.timed_out)
        return self._read_back(host_id, spec.domain)

    def mark_host(self, host_id: int, mark: Mark, *, of: str | None = None) -> None:
        """Make a host ours that carries no mark, or that of the installation `of`; change nothing else of it."""
        row = self._row(host_id)
        if row is None:
            raise refusals.lost(f"id {host_id}")
        host = wire.host(row)
        if host.mark == mark:
            return
        if host.mark is not None and host.mark.install != of:
            raise refusals.foreign(host)
        try:
            answer = self._npm.call("PUT", f"{HOSTS}/{host_id}", wire.untested(row, mark))
        except Lost as lost:
            raise refusals.unconfirmed(f"the mark of the proxy host {host.domains[0]}") from lost
        self._accept(answer, f"change the proxy host {host.domains[0]}")

    def rewrite_host(self, host_id: int) -> None:
        """Have NPM write a host of ours anew as its row says; one that is gone, or not ours, is left alone."""
        row = self._row(host_id)
        mark = wire.host(row).mark if row is not None else None
        if row is None or mark is None or mark.install != self._install:
            return
        try:
            answer = self._npm.call("PUT", f"{HOSTS}/{host_id}", wire.untested(row, mark))
        except Lost as lost:
            raise refusals.unconfirmed(f"the state of the proxy host {wire.host(row).domains[0]}") from lost
        self._accept(answer, "change proxy hosts")

    def delete_host(self, host_id: int, *, adopt: bool = False) -> bool:
        """Delete a host; one that is gone already is no error.

        Returns False when NPM deleted it but nginx, refusing because of another site, still serves it.
        """
        row = self._row(host_id)
        if row is None:
            return True
        host = wire.host(row)
        if not adopt and (host.mark is None or host.mark.install != self._install):
            raise refusals.foreign(host)
        try:
            answer = self._npm.call("DELETE", f"{HOSTS}/{host_id}")
        except Lost as lost:
            if not self._gone(host):
                raise refusals.undone(_deletion(host), lost.timed_out) from lost
            return True
        if answer.status == 200:
            return True
        if answer.status in (404, 500) and not answer.denied and self._gone(host):
            return answer.status == 404
        raise refusals.refused(answer, "delete proxy hosts", self._npm.email)

    def _apply(self, row: dict[str, Any], spec: HostSpec, mark: Mark) -> None:
        """Disable first and enable last, so that nginx only ever sees the host in its final form."""
        host, path = wire.host(row), f"{HOSTS}/{row['id']}"
        switched_on = spec.enabled and not host.enabled
        body = wire.changes(row, spec, mark)
        if not body and (switched_on or (spec.enabled and not host.online)):
            body = wire.untested(row, mark)
        if host.enabled and not spec.enabled:
            self._accept(self._npm.call("POST", f"{path}/disable"), "disable proxy hosts")
        if body:
            self._accept(self._npm.call("PUT", path, body), f"change the proxy host {spec.domain}")
        if switched_on:
            self._accept(self._npm.call("POST", f"{path}/enable"), "enable proxy hosts")

    def _accept(self, answer: Answer, action: str) -> None:
        if answer.status == 200 or answer.message.startswith("Host is already"):
            return
        if answer.status == 500:
            raise self._blocked()
        raise refusals.refused(answer, action, self._npm.email)

    def _blocked(self) -> ProxyError:
        """NPM failed with the row already changed: nginx refuses, and perhaps it can be seen why."""
        try:
            if self._me().get("permissions", {}).get("visibility") == "all":
                return refusals.blocked(self.list_hosts(), self.list_certificates())
        except ProxyError:
            pass
        return refusals.blocked([], [])

    def _settled(self, spec: HostSpec, mark: Mark, answer: Answer | None, timed_out: bool) -> Host:
        """Find out what a creation without a clear answer left behind, and finish it if it is ours."""
        try:
            holders = [host for host in self.list_hosts() if spec.domain.lower() in host.domains]
        except ProxyError as error:
            raise refusals.unconfirmed(f"the creation of the proxy host {spec.domain}", error) from error
        found = min(holders, key=lambda host: host.mark != mark, default=None)
        if found is not None and found.mark == mark:
            return self.update_host(found.id, spec, mark)
        if found is not None or (answer and answer.status == 400):
            raise refusals.taken(spec.domain, found)
        if answer is not None and not self.account().may_edit_hosts:
            raise refusals.denied("create proxy hosts", self._npm.email)
        raise refusals.undone(f"the creation of the proxy host {spec.domain}", timed_out)

    def _confirmed(self, host_id: int, spec: HostSpec, mark: Mark, timed_out: bool) -> Host:
        """Read whether an update without an answer was carried out."""
        what = f"the change of the proxy host {spec.domain}"
        try:
            row = self._row(host_id)
        except ProxyError as error:
            raise refusals.unconfirmed(what, error) from error
        if row is not None and not wire.changes(row, spec, mark):
            host = wire.host(row)
            if host.enabled == spec.enabled and (host.online or not host.enabled):
                return host
            raise refusals.unconfirmed(what)
        raise refusals.undone(what, timed_out)

    def _gone(self, host: Host) -> bool:
        """Read whether a deletion was carried out."""
        try:
            return self._row(host.id) is None
        except ProxyError as error:
            raise refusals.unconfirmed(_deletion(host), error) from error

    def _read_back(self, host_id: int, domain: str) -> Host:
        what = f"the state of the proxy host {domain}"
        try:
            row = self._row(host_id)
        except ProxyError as error:
            raise refusals.unconfirmed(what, error) from error
        if row is None:
            raise refusals.unconfirmed(what)
        return wire.host(row)


def _deletion(host: Host) -> str:
    return f"the deletion of the proxy host {host.domains[0]}"
