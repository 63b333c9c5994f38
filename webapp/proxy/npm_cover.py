"""A cover: the copy of a host that serves its names while Nginx Proxy Manager takes the host itself out. Pure.

To ask for a certificate NPM removes the files of the hosts that have its names, and answers 404 in their place. nginx
reads the files of proxy hosts before that answer, and of two sites with one name it takes the first. So a site whose
names stand where NPM does not look for them, in its advanced configuration, goes on serving them, and shows Let's
Encrypt the answers to its challenge. Measured with NPM 2.15 and nginx; the order of files is the same since 2.9.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from webapp.proxy.npm_mark import Mark, body_of
from webapp.proxy.npm_proof import config_of
from webapp.proxy.npm_wire import Host, Row

COVER = "cover"
"""What its mark calls the consumer; the id is that of the request for the certificate."""

CHALLENGE = "include conf.d/include/letsencrypt-acme-challenge.conf;"
STALE = timedelta(days=1)
"""Nothing takes so long: a cover of that age was forgotten, as by a database that was put back."""

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


def is_stale(host: Host, install: str, at: datetime) -> bool:
    """Whether this is a cover of ours that was forgotten."""
    old = host.created_on is not None and host.created_on + STALE < at
    return old and host.mark is not None and (host.mark.install, host.mark.consumer_type) == (install, COVER)
