"""What a host at Nginx Proxy Manager can have beyond what the panel keeps: named in words, never its content."""

import re
from collections.abc import Mapping
from typing import Any

from webapp.proxy.npm_proof import config_of, weave

_EXTRAS = {
    "access_list_id": "an access list",
    "locations": "custom locations",
    "advanced_config": "an advanced configuration",
    "caching_enabled": "caching of assets",
    "trust_forwarded_proto": "trust in the forwarded protocol",
}
_ADDRESS = re.compile(r"[0-9.]*|\[.*\]")


def extras(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What of it is set on a host; our own piece of its configuration is not meant."""
    rest = {**row, "advanced_config": weave(config_of(row), "").strip()}
    return tuple(words for key, words in _EXTRAS.items() if rest.get(key))


def named_upstreams(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The hosts of its custom locations that nginx has to look up by name."""
    found = row.get("locations")
    places = found if isinstance(found, list) else []
    names = [str(place.get("forward_host") or "") for place in places if isinstance(place, dict)]
    return tuple(name for name in names if not _ADDRESS.fullmatch(name))
