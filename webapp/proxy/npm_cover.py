"""A cover: the copy of a host that serves its names while Nginx Proxy Manager takes the host itself out. Pure.

To ask for a certificate NPM removes the files of the hosts that have its names, and answers 404 in their place. nginx
reads the files of proxy hosts before that answer, and of two sites with one name it takes the first. So a site whose
names stand where NPM does not look for them, in its advanced configuration, goes on serving them, and shows Let's
Encrypt the answers to its challenge. Measured with NPM 2.15 and nginx; the order of files is the same since 2.9.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from webapp.proxy.npm_mark import Mark, body_of
from webapp.proxy.npm_proof import config_of
from webapp.proxy.npm_wire import Host, Row

COVER = "cover"
"""What its mark calls the consumer; the id is that of the request for the certificate."""

CHALLENGE = "include conf.d/include/letsencrypt-acme-challenge.conf;"
_NAME = re.compile(rf"{COVER}-\d+-(\d+)\.invalid")
_PLAIN = ("forward_scheme", "forward_host", "forward_port", "access_list_id")
_FLAGS = ("block_exploits", "caching_enabled", "allow_websocket_upgrade", "trust_forwarded_proto")
_SSL = ("ssl_forced", "http2_support", "hsts_enabled", "hsts_subdomains")


def body(row: Mapping[str, Any], mark: Mark, *, shows_challenge: bool) -> Row:
    """The body that creates the cover of a host; `shows_challenge` where the host's own certificate has it do so."""
    certificate = int(row.get("certificate_id") or 0)
    flags = (*_FLAGS, *(_SSL if certificate else ()))
    made: Row = {key: row[key] for key in _PLAIN if key in row}
    made |= {key: bool(row[key]) for key in flags if key in row}
    made |= {"certificate_id": certificate} if certificate else {}
    made |= {"locations": row["locations"]} if row.get("locations") else {}
    lines = [f"server_name {' '.join(row['domain_names'])};", *([] if shows_challenge else [CHALLENGE])]
    return made | {
        "domain_names": [f"{COVER}-{mark.consumer_id}-{row['id']}.invalid"],
        "advanced_config": "\n".join([*lines, config_of(row)]),
        "meta": body_of(mark),
    }


def of_host(hosts: Iterable[Host], install: str | None, host_id: int) -> list[Host]:
    """The covers of a host that an installation made. They may sort before it, and hide what it is by now."""
    return [host for host in hosts if _is_cover(host, install) and _covered(host) == str(host_id)]


def forgotten(hosts: Iterable[Host], install: str, requests: Collection[int]) -> list[Host]:
    """The covers of an installation that none of these requests needs, as after a database was put back."""
    return [h for h in hosts if _is_cover(h, install) and h.mark and h.mark.consumer_id not in requests]


def _is_cover(host: Host, install: str | None) -> bool:
    return host.mark is not None and (host.mark.install, host.mark.consumer_type) == (install, COVER)


def _covered(host: Host) -> str:
    found = _NAME.fullmatch(host.domains[0])
    return found[1] if found else ""
