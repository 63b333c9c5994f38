"""What other tools need for the same: runs with their interpreter, and prints what each step took as JSON lines.

peer_tools.py TOOL URL TOKEN ZONE_ID ZONE COUNT BATCH; after each step it waits for a line on standard input.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

OLD, NEW = "203.0.113.10", "203.0.113.20"
Step = tuple[str, Callable[[], Any]]


def names(count: int, zone: str) -> list[str]:
    """The names of the records."""
    return [f"app{number}.{zone}" for number in range(count)]


def octodns(url: str, token: str, _zone_id: str, zone: str, count: int, _batch: int) -> Iterator[Step]:
    """octoDNS with its Cloudflare provider: plan and apply."""
    from octodns.record import Record
    from octodns.zone import Zone
    from octodns_cloudflare import CloudflareProvider

    provider = CloudflareProvider("cloudflare", token=token, api_url=url, pagerules=False)

    def sync(content: str, records: int) -> None:
        wanted = Zone(f"{zone}.", [])
        for name in names(records, zone):
            data = {"type": "A", "ttl": 300, "value": content}
            wanted.add_record(Record.new(wanted, name.removesuffix(f".{zone}"), data))
        if plan := provider.plan(wanted):
            provider.apply(plan)

    yield "first sync", lambda: sync(OLD, count)
    yield "no-op", lambda: sync(OLD, count)
    yield "new target", lambda: sync(NEW, count)
    yield "delete all", lambda: sync(NEW, 0)


def lexicon(url: str, token: str, zone_id: str, zone: str, count: int, _batch: int) -> Iterator[Step]:
    """dns-lexicon, which knows one record at a time."""
    from lexicon._private.providers.cloudflare import Provider
    from lexicon.config import ConfigResolver

    config = ConfigResolver().with_dict(
        {
            "provider_name": "cloudflare",
            "domain": zone,
            "cloudflare": {"auth_token": token, "zone_id": zone_id},
        }
    )
    provider = Provider(config)
    provider.api_endpoint = url
    provider.authenticate()

    def each(act: Callable[[str, str], Any]) -> None:
        for record in provider.list_records("A"):
            act(record["id"], record["name"])

    yield "first sync", lambda: [provider.create_record("A", name, OLD) for name in names(count, zone)]
    yield "no-op", lambda: provider.list_records("A")
    yield "new target", lambda: each(lambda id, name: provider.update_record(id, "A", name, NEW))
    yield "delete all", lambda: each(lambda id, _name: provider.delete_record(id))


def sdk(url: str, token: str, zone_id: str, zone: str, count: int, batch: int) -> Iterator[Step]:
    """Cloudflare's own SDK, driven with batches by hand."""
    from cloudflare import Cloudflare

    client = Cloudflare(api_token=token, base_url=url, max_retries=0)

    def listed() -> list[Any]:
        return list(client.dns.records.list(zone_id=zone_id, per_page=5000))

    def batches(kind: str, items: list[dict[str, Any]]) -> None:
        for start in range(0, len(items), batch):
            client.dns.records.batch(zone_id=zone_id, **{kind: items[start : start + batch]})

    def made(name: str) -> dict[str, Any]:
        return {"type": "A", "name": name, "content": OLD, "ttl": 1, "proxied": False}

    def changed(record: Any) -> dict[str, Any]:
        return {"id": record.id, "type": "A", "name": record.name, "content": NEW}

    yield "first sync", lambda: (listed(), batches("posts", [made(name) for name in names(count, zone)]))
    yield "no-op", listed
    yield "new target", lambda: batches("patches", [changed(record) for record in listed()])
    yield "delete all", lambda: batches("deletes", [{"id": record.id} for record in listed()])


def bare(url: str, token: str, zone_id: str, zone: str, count: int, batch: int) -> Iterator[Step]:
    """The least that could possibly do it: requests, and no thought."""
    import requests

    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    address = f"{url}/zones/{zone_id}/dns_records"

    def listed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            answer = session.get(address, params={"page": page, "per_page": 5000}).json()
            found += answer["result"]
            if len(found) >= answer["result_info"]["total_count"]:
                return found
            page += 1

    def batches(kind: str, items: list[dict[str, Any]]) -> None:
        for start in range(0, len(items), batch):
            session.post(f"{address}/batch", json={kind: items[start : start + batch]}).raise_for_status()

    def made(name: str) -> dict[str, Any]:
        return {"type": "A", "name": name, "content": OLD, "ttl": 1, "proxied": False}

    yield "first sync", lambda: (listed(), batches("posts", [made(name) for name in names(count, zone)]))
    yield "no-op", listed
    yield (
        "new target",
        lambda: batches("patches", [{"id": r["id"], "content": NEW} for r in listed()]),
    )
    yield "delete all", lambda: batches("deletes", [{"id": r["id"]} for r in listed()])


TOOLS = {"octodns": octodns, "lexicon": lexicon, "sdk": sdk, "bare": bare}


def main(tool: str, url: str, token: str, zone_id: str, zone: str, count: str, batch: str) -> None:
    """Take the steps one by one."""
    for step, act in TOOLS[tool](url, token, zone_id, zone, int(count), int(batch)):
        sys.stdin.readline()
        begun = time.perf_counter()
        act()
        print(json.dumps({"step": step, "seconds": time.perf_counter() - begun}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
