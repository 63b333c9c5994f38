"""What an app may ask for, by type: images, variables, volumes, networks, labels, and folders of this machine."""

import ipaddress
import re
from pathlib import Path

from webapp.errors import InvalidInput

MARK = "tiny-forge."
"""Labels that begin like this are ours; nobody else may write them."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,127}")
_ENV_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,254}")
_LABEL_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./\[\]-]{0,199}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.(?!:|$)|(?=:|$)))+(?::[0-9]{1,5})?")
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*")
_ID = re.compile(r"[0-9a-f]{64}")

_RESERVED_NETWORKS = {"host", "none", "bridge", "default", "ingress", "docker_gwbridge", "nat"}
_KERNEL_FOLDERS = ("/proc", "/sys", "/dev")
_ENGINE_SOCKETS = ("/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock")

MAX_REPOSITORY = 255
MAX_TARGET = 255
MAX_VALUE = 32 * 1024


def parse_image(text: str) -> tuple[str, str]:
    """Repository and tag of an image; the tag is `latest` where none is named.

    Source: the reference grammar of the distribution project (github.com/distribution/reference).
    """
    text = text.strip()
    if "@" in text:
        raise InvalidInput("Enter the image with a tag, not with a digest.")
    head, slash, last = text.rpartition("/")
    name, colon, tag = last.partition(":")
    return parse_repository(head + slash + name), parse_tag(tag) if colon else "latest"


def registry(image: str) -> str:
    """The registry an image comes from: its first part, when that is a host."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else ""


def parse_repository(text: str) -> str:
    """An image without its tag, such as `ghcr.io/owner/app`."""
    text = text.strip()
    if not text:
        raise InvalidInput("Enter an image, for example ghcr.io/owner/app.")
    if "://" in text:
        raise InvalidInput("Enter the image without http:// or https://.")
    if len(text) > MAX_REPOSITORY:
        raise InvalidInput(f"The name of an image has at most {MAX_REPOSITORY} characters.")
    first, slash, rest = text.partition("/")
    has_host = bool(slash) and (first == "localhost" or "." in first or ":" in first)
    if has_host and not _is_host(first):
        raise InvalidInput(f"«{_shown(first)}» is not the address of a registry.")
    path = rest if has_host else text
    if path != path.lower():
        raise InvalidInput("The name of an image is written in lower case.")
    if not all(_COMPONENT.fullmatch(part) for part in path.split("/")) or _ID.fullmatch(path):
        raise InvalidInput(f"«{_shown(text)}» is not the name of an image, such as ghcr.io/owner/app.")
    return text


def parse_tag(text: str) -> str:
    """A tag, such as `v1.2`."""
    text = text.strip()
    if not _TAG.fullmatch(text):
        raise InvalidInput(
            "A tag has letters, digits, dots, hyphens and underscores, and at most 128 of them."
        )
    return text


def parse_env_key(text: str) -> str:
    """The name of an environment variable. The message does not repeat it: it may be a misplaced secret."""
    text = text.strip()
    if not _ENV_KEY.fullmatch(text):
        raise InvalidInput(
            "This cannot be the name of a variable: it has letters, digits and underscores, and does not begin "
            "with a digit."
        )
    return text


def parse_env_value(text: str) -> str:
    """What an environment variable says; the sentence does not repeat it."""
    if "\0" in text or len(text) > MAX_VALUE:
        raise InvalidInput("The value of a variable has at most 32768 characters, and no NUL.")
    return text


def parse_volume_name(text: str) -> str:
    """The name of a volume."""
    text = text.strip()
    if not _NAME.fullmatch(text):
        raise InvalidInput(f"«{_shown(text)}» cannot be the name of a volume. {_NAME_RULE}")
    return text


def parse_network(text: str) -> str:
    """The name of a user-made network; those that come with the engine are refused."""
    text = text.strip()
    if text.lower() in _RESERVED_NETWORKS:
        raise InvalidInput(f"The network «{text}» belongs to the engine. Choose the one your proxy is on.")
    if not _NAME.fullmatch(text) or _ID.fullmatch(text):
        raise InvalidInput(f"«{_shown(text)}» cannot be the name of a network. {_NAME_RULE}")
    return text


def parse_container_name(text: str) -> str:
    """The name of a container."""
    if not _NAME.fullmatch(text):
        raise InvalidInput(f"«{_shown(text)}» cannot be the name of a container. {_NAME_RULE}")
    return text


def parse_address(text: str) -> str:
    """One address of this machine, in normal form: a port that is open on all of them is open to everybody."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError as error:
        raise InvalidInput("Enter an address of this server, such as 127.0.0.1 or 172.17.0.1.") from error
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_unspecified or address.is_multicast or getattr(address, "scope_id", None):
        raise InvalidInput("Enter one address: a port open on all of them could be reached from everywhere.")
    return str(address)


def parse_label_key(text: str) -> str:
    """The name of a label that a person may give."""
    text = text.strip()
    if text.lower().startswith(MARK):
        raise InvalidInput(f"Labels that begin with {MARK} are how Tiny Forge knows its containers.")
    if not _LABEL_KEY.fullmatch(text):
        raise InvalidInput(
            f"«{_shown(text)}» cannot be a label: use letters, digits, dots, hyphens and slashes."
        )
    return text


def parse_mount_target(text: str) -> str:
    """Where a container sees a volume or folder: an absolute path, without a final slash."""
    text = text.strip()
    path = text.rstrip("/")
    if not text.startswith("/") or "//" in text or not text.isprintable() or set(text) & set(":,"):
        raise InvalidInput(f"«{_shown(text)}» is not a path in the container, such as /data.")
    if len(text) > MAX_TARGET or {".", ".."} & set(path.split("/")):
        raise InvalidInput("Enter the whole path in the container, without «.» and «..».")
    if not path or any(path == folder or path.startswith(f"{folder}/") for folder in _KERNEL_FOLDERS):
        raise InvalidInput(f"Nothing can be put at {text} in a container.")
    return path


def parse_bind_source(text: str, binds_dir: Path | None) -> str:
    """A folder or file of this machine as its real path, which lies below the one folder that is allowed.

    Raises InvalidInput also for one that is not there: a link made later could lead anywhere.
    """
    if binds_dir is None:
        raise InvalidInput(
            "Folders of this machine cannot be used: no folder is set up for them. Use a volume."
        )
    if not text.startswith("/") or not text.isprintable():
        raise InvalidInput(f"«{_shown(text)}» is not the absolute path of a folder.")
    try:
        real, base = Path(text).resolve(strict=True), binds_dir.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise InvalidInput(f"There is no {_shown(text)} on this machine. Make the folder first.") from error
    if base not in real.parents:
        raise InvalidInput(
            f"{_shown(text)} is not in {binds_dir}, the only folder that containers may be given."
        )
    holds_engine = any(real in Path(socket).parents for socket in _ENGINE_SOCKETS)
    if holds_engine or not (real.is_dir() or real.is_file()):
        raise InvalidInput(
            f"{_shown(text)} cannot be given to a container: only plain folders and files can."
        )
    return str(real)


_NAME_RULE = "It has letters, digits, dots, hyphens and underscores, and begins with a letter or digit."


def _is_host(text: str) -> bool:
    return bool(_HOST.fullmatch(text)) or bool(re.fullmatch(r"\[[0-9a-fA-F:]+\](?::[0-9]{1,5})?", text))


def _shown(text: str) -> str:
    """Hostile text as it may stand in a sentence."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:80])
