"""The network that a container is put on: made when it is missing, and refused when it is no plain bridge."""

from webapp.deploy.docker_errors import Call
from webapp.deploy.docker_http import Http
from webapp.deploy.guard import INSTALL
from webapp.errors import EngineError


def make_network(http: Http, name: str, install: str) -> None:
    """See to it that the network is there; one at a time, for the engine would make two of the same name.

    The engine takes ids for names, too, so that a name could mean the machine's own network: only one with just
    this name counts.
    """
    look = Call(f"look for the network {name}", "GET /networks")
    make = Call(f"make the network {name}", "POST /networks/create", changing=True)
    listed = http.ask(look, lambda client: client.networks(names=[name]))
    found = next((network for network in listed if network["Name"] == name), None)
    if found is None:
        labels = {INSTALL: install}
        http.ask(
            make, lambda client: client.create_network(name, "bridge", check_duplicate=True, labels=labels)
        )
    elif found["Driver"] != "bridge":
        raise EngineError(f"The network {name} is no bridge. Choose a bridge that the proxy is on, too.")
