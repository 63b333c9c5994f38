"""The engine's JSON as plain values and back (Docker Engine API 1.41 and later). Pure."""

import re
from collections.abc import Mapping
from typing import Any

from webapp.deploy.docker_text import clean
from webapp.deploy.engine import (
    Container,
    ContainerSpec,
    EngineInfo,
    Event,
    Health,
    Image,
    Layer,
    Mount,
    MountKind,
    Owner,
    Restart,
    State,
    Usage,
)
from webapp.deploy.guard import APP, DROPPED, INSTALL, INSTANCE, LOG, NO_NEW_PRIVILEGES, VERSION
from webapp.deploy.power import parse_label_key, parse_network

Json = Mapping[str, Any]

_STATUS_HEALTH = re.compile(r"\((?:health: )?(starting|healthy|unhealthy)\)")
_STATUS_CODE = re.compile(r"\((\d+)\)")
_NO_LIMIT = 2**60
_WORDS_KEPT = 300


def marks(owner: Owner) -> dict[str, str]:
    """The labels of a container of ours."""
    return {
        INSTALL: owner.install,
        APP: owner.app,
        INSTANCE: str(owner.instance),
        VERSION: str(owner.version),
    }


def create_body(spec: ContainerSpec) -> dict[str, Any]:
    """The request that makes a container. Raises InvalidInput for labels and networks that nobody may name.

    It is made without a restart policy: one that was never started must not run after the engine restarted.
    """
    port = f"{spec.port}/tcp"
    body: dict[str, Any] = {
        "Image": spec.image,
        "Env": [f"{key}={value}" for key, value in spec.env.items()],
        "Labels": {parse_label_key(key): value for key, value in spec.labels.items()} | marks(spec.owner),
        "ExposedPorts": {port: {}},
        "HostConfig": _host_config(spec),
    }
    if spec.command:
        body["Cmd"] = list(spec.command)
    return body


def _host_config(spec: ContainerSpec) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "SecurityOpt": list(NO_NEW_PRIVILEGES),
        "CapDrop": ["ALL"] if spec.drop_all else list(DROPPED),
        "Init": True,
        "LogConfig": LOG,
        "RestartPolicy": {"Name": Restart.NO.value},
        "NetworkMode": parse_network(spec.network) if spec.network else "bridge",
        "Mounts": [_mount_body(mount, spec.owner.install) for mount in spec.mounts],
    }
    if spec.publish is not None:
        address, port = spec.publish
        wanted["PortBindings"] = {f"{spec.port}/tcp": [{"HostIp": address, "HostPort": str(port)}]}
    if spec.memory:
        wanted |= {"Memory": spec.memory, "MemorySwap": spec.memory}
    if spec.cpus:
        wanted["NanoCpus"] = round(spec.cpus * 1e9)
    if spec.pids:
        wanted["PidsLimit"] = spec.pids
    return wanted


def _mount_body(mount: Mount, install: str) -> dict[str, Any]:
    """A volume that does not exist yet is made with our mark, so that only such ones are ever removed."""
    body: dict[str, Any] = {
        "Type": mount.kind.value,
        "Source": mount.source,
        "Target": mount.target,
        "ReadOnly": mount.read_only,
    }
    if mount.kind is MountKind.VOLUME:
        body["VolumeOptions"] = {"Labels": {INSTALL: install}}
    return body


def owner(labels: Json | None) -> Owner | None:
    """Whose container it is; None when the labels do not say so completely."""
    found = labels or {}
    try:
        return Owner(str(found[INSTALL]), str(found[APP]), int(found[INSTANCE]), int(found[VERSION]))
    except (KeyError, TypeError, ValueError):
        return None


def container(details: Json) -> Container:
    """A container from a close look at it."""
    state = details["State"]
    health = state.get("Health") or {}
    last = (health.get("Log") or [{}])[-1]
    where = _state(state.get("Status"))
    return Container(
        id=details["Id"],
        name=name(details),
        image_id=details["Image"],
        state=where,
        health=_health(health.get("Status")),
        owner=owner(details["Config"].get("Labels")),
        exit_code=state.get("ExitCode") if where in (State.EXITED, State.DEAD, State.RESTARTING) else None,
        out_of_memory=bool(state.get("OOMKilled")),
        restarts=int(details.get("RestartCount") or 0),
        addresses=_addresses(details),
        health_output=clean(last.get("Output") or "", _WORDS_KEPT).strip(),
        error=clean(state.get("Error") or "", _WORDS_KEPT).strip(),
        mounts=_mounts(details),
    )


def name(details: Json) -> str:
    """The name of a container."""
    return str(details["Name"]).lstrip("/")


def listed(item: Json) -> Container:
    """A container from the list; its health and exit code are only in the words about its state there."""
    status = str(item.get("Status") or "")
    health = _STATUS_HEALTH.search(status)
    code = _STATUS_CODE.search(status)
    names = [str(name).lstrip("/") for name in item.get("Names") or []]
    return Container(
        id=item["Id"],
        name=next((name for name in names if "/" not in name), ""),
        image_id=item["ImageID"],
        state=_state(item.get("State")),
        health=_health(health[1] if health else None),
        owner=owner(item.get("Labels")),
        exit_code=int(code[1]) if code else None,
        addresses=_addresses(item),
        mounts=_mounts(item),
    )


def image(details: Json, repository: str = "") -> Image:
    """An image; of several names at registries, the one at `repository`."""
    config = details.get("Config") or {}
    digests = [str(name) for name in details.get("RepoDigests") or []]
    test = (config.get("Healthcheck") or {}).get("Test") or []
    ports = [port.partition("/") for port in config.get("ExposedPorts") or {}]
    return Image(
        id=details["Id"],
        digest=next((name for name in digests if name.startswith(f"{repository}@")), next(iter(digests), "")),
        has_health_check=bool(test) and test[0] not in ("NONE", ""),
        ports=tuple(
            sorted(int(number) for number, _, kind in ports if kind in ("tcp", "") and number.isdigit())
        ),
    )


def usage(stats: Json) -> Usage | None:
    """What a container uses, from two looks a second apart; None when it does not run.

    Cores, and memory without the cache of files, as `docker stats` counts them (cgroup v1 and v2).
    """
    memory, processor, before = stats["memory_stats"], stats["cpu_stats"], stats["precpu_stats"]
    pids = (stats.get("pids_stats") or {}).get("current") or 0
    if "usage" not in memory or not pids:
        return None
    details = memory.get("stats") or {}
    cache = details.get("total_inactive_file", details.get("inactive_file", 0))
    spent = processor["cpu_usage"]["total_usage"] - before["cpu_usage"]["total_usage"]
    passed = processor.get("system_cpu_usage", 0) - before.get("system_cpu_usage", 0)
    count = processor.get("online_cpus") or len(processor["cpu_usage"].get("percpu_usage") or []) or 1
    limit = int(memory.get("limit") or 0)
    return Usage(
        cpus=round(max(0.0, spent / passed * count), 3) if passed > 0 else 0.0,
        memory=max(0, int(memory["usage"]) - int(cache)),
        memory_limit=limit if limit < _NO_LIMIT else 0,
        pids=int(pids),
    )


def info(version: Json) -> EngineInfo:
    """Which engine it is."""
    name = (version.get("Platform") or {}).get("Name") or ""
    return EngineInfo(
        clean(str(version["Version"]), 64), clean(str(version["ApiVersion"]), 16), clean(name, 64)
    )


def layer(message: Json) -> Layer | None:
    """How far a layer is; None for messages about something else."""
    number, status = message.get("id"), clean(str(message.get("status") or ""), 80)
    if not number or status.startswith("Pulling from"):
        return None
    detail = message.get("progressDetail") or {}
    total = int(detail.get("total") or 0)
    done = int(detail.get("current") or 0)
    return Layer(clean(str(number), 80), status, min(done, total) if total else done, total)


def event(message: Json) -> Event | None:
    """What happened to a container; None for what happens with every look at its health."""
    actor, action = message.get("Actor") or {}, str(message.get("Action") or "")
    if message.get("Type") != "container" or action.startswith("exec_") or not actor.get("ID"):
        return None
    return Event(str(actor["ID"]), clean(action, 80))


def _state(text: object) -> State:
    return next((state for state in State if state == text), State.DEAD)


def _health(text: object) -> Health:
    return next((health for health in Health if health == text), Health.NONE)


def _addresses(item: Json) -> dict[str, str]:
    networks = (item.get("NetworkSettings") or {}).get("Networks") or {}
    return {name: at["IPAddress"] for name, at in networks.items() if at and at.get("IPAddress")}


def _mounts(item: Json) -> tuple[Mount, ...]:
    return tuple(
        Mount(
            kind=MountKind(mount["Type"]),
            source=mount["Name"] if mount["Type"] == "volume" else mount["Source"],
            target=mount["Destination"],
            read_only=not mount.get("RW", True),
        )
        for mount in item.get("Mounts") or []
        if mount["Type"] in set(MountKind)
    )
