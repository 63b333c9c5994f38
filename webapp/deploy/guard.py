"""The allow-list over the whole request that makes a container: the engine's socket is root on the machine. Pure."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from webapp.deploy import power
from webapp.deploy.engine import Restart
from webapp.errors import InvalidInput

INSTALL, APP, INSTANCE, VERSION = (power.MARK + word for word in ("install", "app", "instance", "version"))
MARKS = frozenset({INSTALL, APP, INSTANCE, VERSION})

NO_NEW_PRIVILEGES = ["no-new-privileges:true"]
LOG = {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}
DROPPED = ["AUDIT_WRITE", "FSETID", "MKNOD", "NET_RAW", "SETFCAP", "SETPCAP", "SYS_CHROOT"]
"""What hardly any image needs: making device files, raw packets, changing root, passing capabilities on."""

Body = dict[str, Any]

_IMAGE_ID = re.compile(r"sha256:[0-9a-f]{64}")
_PORT = re.compile(r"([0-9]{1,5})/tcp")
_MOST_MEMORY = 2**50


def guard(body: Mapping[str, Any], binds_dir: Path | None) -> Body:
    """The body with the real paths of its folders, when nothing in it is more than a container may be given.

    Raises InvalidInput for every key that is not in the lists below, and for every value that is not allowed.
    """
    checked = _each("", body, _CONFIG, {"Image", "Labels", "HostConfig"})
    host = _each("HostConfig.", body["HostConfig"], _HOST_CONFIG, _NEEDED)
    host["Mounts"] = [_mount(mount, binds_dir) for mount in host.get("Mounts", [])]
    if host.get("Memory") != host.get("MemorySwap"):
        raise _refused("HostConfig.MemorySwap")
    return {**checked, "HostConfig": host}


def _each(place: str, body: Any, allowed: Mapping[str, Callable[[Any], bool]], needed: set[str]) -> Body:
    if not isinstance(body, Mapping):
        raise _refused(place)
    for key, value in body.items():
        check = allowed.get(key)
        if check is None or not _holds(check, value):
            raise _refused(f"{place}{key}")
    if missing := needed - set(body):
        raise _refused(f"{place}{min(missing)}")
    return dict(body)


def _holds(check: Callable[[Any], Any], value: Any) -> bool:
    """Whether a value is allowed; one of another shape than expected is not."""
    try:
        return bool(check(value))
    except (InvalidInput, TypeError, ValueError, AttributeError, KeyError):
        return False


def _refused(key: str) -> InvalidInput:
    return InvalidInput(f"A container is never given this by Tiny Forge: {key[:80]}.")


def _image(value: str) -> bool:
    return bool(_IMAGE_ID.fullmatch(value)) or ":".join(power.parse_image(value)) == value


def _env(value: list[str]) -> bool:
    for entry in value:
        key, equals, text = entry.partition("=")
        if not equals or power.parse_env_key(key) != key:
            return False
        power.parse_env_value(text)
    return isinstance(value, list)


def _command(value: list[str]) -> bool:
    return isinstance(value, list) and bool(value) and all("\0" not in word for word in value)


def _labels(value: dict[str, str]) -> bool:
    others = set(value) - MARKS
    return (
        set(value) >= MARKS
        and all(power.parse_label_key(key) == key for key in others)
        and all(text.isprintable() and len(text) <= power.MAX_VALUE for text in value.values())
    )


def _is_port(value: str) -> bool:
    found = _PORT.fullmatch(value)
    return found is not None and 1 <= int(found[1]) <= 65535


def _exposed(value: dict[str, Body]) -> bool:
    return all(_is_port(port) and empty == {} for port, empty in value.items())


def _bindings(value: dict[str, list[dict[str, str]]]) -> bool:
    return all(_is_port(port) and len(places) == 1 and _binding(places[0]) for port, places in value.items())


def _binding(place: dict[str, str]) -> bool:
    """A blank address, like 0.0.0.0, would be every address of the machine."""
    return (
        set(place) == {"HostIp", "HostPort"}
        and power.parse_address(place["HostIp"]) == place["HostIp"]
        and _is_port(f"{place['HostPort']}/tcp")
    )


def _dropped(value: list[str]) -> bool:
    return value in (["ALL"], DROPPED)


def _restart(value: Body) -> bool:
    return set(value) == {"Name"} and value["Name"] in set(Restart)


def _whole(most: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and 1 <= value <= most


def _exactly(wanted: Any) -> Callable[[Any], bool]:
    return lambda value: type(value) is type(wanted) and value == wanted


def _mount(mount: Any, binds_dir: Path | None) -> Body:
    """One volume or folder, a folder with its real path."""
    allowed = {
        "Type": lambda value: value in ("volume", "bind"),
        "Source": lambda value: isinstance(value, str),
        "Target": lambda value: power.parse_mount_target(value) == value,
        "ReadOnly": lambda value: isinstance(value, bool),
        "VolumeOptions": _volume_options,
    }
    checked = _each("HostConfig.Mounts.", mount, allowed, {"Type", "Source", "Target"})
    if checked["Type"] == "bind":
        if "VolumeOptions" in checked:
            raise _refused("HostConfig.Mounts.VolumeOptions")
        return {**checked, "Source": power.parse_bind_source(checked["Source"], binds_dir)}
    return {**checked, "Source": power.parse_volume_name(checked["Source"])}


def _volume_options(value: Body) -> bool:
    return (
        set(value) == {"Labels"}
        and set(value["Labels"]) == {INSTALL}
        and value["Labels"][INSTALL].isprintable()
    )


_CONFIG: Mapping[str, Callable[[Any], Any]] = {
    "Image": _image,
    "Env": _env,
    "Cmd": _command,
    "Labels": _labels,
    "ExposedPorts": _exposed,
    "HostConfig": lambda value: isinstance(value, Mapping),
}
_NEEDED = {"SecurityOpt", "CapDrop", "LogConfig", "NetworkMode"}
_HOST_CONFIG: Mapping[str, Callable[[Any], Any]] = {
    "SecurityOpt": _exactly(NO_NEW_PRIVILEGES),
    "CapDrop": _dropped,
    "Init": _exactly(True),
    "LogConfig": _exactly(LOG),
    "RestartPolicy": _restart,
    "NetworkMode": lambda value: value == "bridge" or power.parse_network(value) == value,
    "PortBindings": _bindings,
    "Mounts": lambda value: isinstance(value, list),
    "Memory": _whole(_MOST_MEMORY),
    "MemorySwap": _whole(_MOST_MEMORY),
    "NanoCpus": _whole(10**13),
    "PidsLimit": _whole(2**22),
}
