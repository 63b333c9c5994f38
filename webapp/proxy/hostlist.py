"""The proxy hosts as one listing reported them, to be asked by id, by mark and by name. Pure."""

from collections.abc import Iterable

from webapp.proxy.npm_mark import Mark
from webapp.proxy.npm_wire import Host


class HostList:
    """One listing; every question is answered without going through all of it."""

    def __init__(self, hosts: Iterable[Host]) -> None:
        self.all = tuple(hosts)
        self._by_id = {host.id: host for host in self.all}
        self._by_mark: dict[Mark | None, Host] = {}
        self._by_name: dict[str, list[Host]] = {}
        for host in self.all:
            self._by_mark.setdefault(host.mark, host)
            for name in host.domains:
                self._by_name.setdefault(name, []).append(host)

    def by_id(self, number: int | None) -> Host | None:
        """The host with that id."""
        return self._by_id.get(number or 0)

    def marked(self, mark: Mark, number: int | None) -> Host | None:
        """The host with that mark: the one with the id that is known, else the first, as after a lost answer."""
        known = self.by_id(number)
        return known if known is not None and known.mark == mark else self._by_mark.get(mark)

    def rival(self, name: str, mark: Mark) -> Host | None:
        """The host that has the name and not the mark; one that is not of the mark's installation goes first."""
        taken = [host for host in self._by_name.get(name, ()) if host.mark != mark]
        return min(taken, key=lambda host: host.is_of(mark.install), default=None)
