"""Where a proxy may lead: the check that stands between what is entered and nginx's configuration. Pure."""

import ipaddress
import re

from webapp.errors import InvalidInput

HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")


def parse_host(text: str) -> str:
    """Where traffic goes: an IPv4 address, an IPv6 address (stored in brackets), or a host or container name.

    Nginx Proxy Manager pastes this into nginx's configuration without a look at it, so nothing else passes.
    Raises InvalidInput.
    """
    host = text.strip().lower()
    if "://" in host or "/" in host:
        raise InvalidInput(
            "Enter only the host, without http:// and path; scheme and port have their own fields."
        )
    bare = host.removeprefix("[").removesuffix("]")
    if ":" in bare:
        try:
            address = ipaddress.IPv6Address(bare)
        except ValueError as error:
            raise InvalidInput("This is not an IPv6 address. The port has its own field.") from error
        if address.scope_id:  # it may hold anything, and nginx takes none
            raise InvalidInput("Enter the IPv6 address without the part from the percent sign on.")
        return f"[{address}]"
    if re.fullmatch(r"[0-9.]+", host):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as error:
            raise InvalidInput("This is not an IPv4 address: it needs four numbers from 0 to 255.") from error
    if len(host) > 253 or not HOST.fullmatch(host):
        raise InvalidInput("Enter an address or a host name, such as 192.168.1.20 or my-container.")
    return host
