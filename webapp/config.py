"""Reads the environment, and nothing else does."""

import ipaddress
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from webapp.errors import InvalidInput

CLOUDFLARE_API_URL = "https://api.cloudflare.com/client/v4"
ADDRESS_SOURCES = ("https://www.cloudflare.com/cdn-cgi/trace", "https://api64.ipify.org")
"""Two that are run by different people; both answer over IPv4 and IPv6."""

DOCKER_HOST = "unix:///var/run/docker.sock"


@dataclass(frozen=True)
class Config:
    """All that can be set from outside; see the table in the README.

    `check_every` is the pause between two looks at a provider or proxy that has nothing pending, in seconds.
    `binds_dir` is the one folder whose content containers may be given; without it none. `name_servers`
    ("address:port") are asked what names answer, instead of the zone's own; `public_side` is where public names
    are reached instead of at their addresses: stand-ins, or None. `address_sources` say under which address this
    machine is seen; two or more.
    """

    data_dir: Path
    secret_key: str = field(repr=False)
    database_url: str
    cloudflare_api_url: str = CLOUDFLARE_API_URL
    docker_host: str = DOCKER_HOST
    binds_dir: Path | None = None
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    proxy_count: int = 1
    secure_cookies: bool = False
    admin_user: str | None = None
    admin_password: str | None = field(default=None, repr=False)
    check_every: int = 600
    name_servers: tuple[str, ...] = ()
    public_side: tuple[str, int] | None = None
    address_sources: tuple[str, ...] = ADDRESS_SOURCES
    sandbox: bool = False
    testing: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Config":
        """Read NAME, or the file that NAME_FILE names. Raises InvalidInput for values that cannot be used."""
        env = _Environment(os.environ if environ is None else environ)
        data_dir = Path(env.text("TINY_FORGE_DATA_DIR", "data")).expanduser().absolute()
        make_data_dir(data_dir)
        return cls(
            data_dir=data_dir,
            secret_key=env.text("TINY_FORGE_SECRET_KEY", "") or kept_secret_key(data_dir),
            database_url=env.text("DATABASE_URL", "") or sqlite_url(data_dir),
            cloudflare_api_url=env.text("CLOUDFLARE_API_URL", CLOUDFLARE_API_URL).rstrip("/"),
            docker_host=env.one_of("DOCKER_HOST", DOCKER_HOST, ("unix://", "tcp://", "http://")),
            binds_dir=env.folder("TINY_FORGE_BINDS_DIR"),
            allowed_hosts=env.words("TINY_FORGE_ALLOWED_HOSTS"),
            trusted_proxies=env.words("TINY_FORGE_TRUSTED_PROXIES"),
            proxy_count=env.number("TINY_FORGE_PROXY_COUNT", 1, 1, 5),
            secure_cookies=env.switch("TINY_FORGE_SECURE_COOKIES", False),
            admin_user=env.text("TINY_FORGE_ADMIN_USER", "") or None,
            admin_password=env.text("TINY_FORGE_ADMIN_PASSWORD", "") or None,
            check_every=env.number("TINY_FORGE_CHECK_EVERY", 600, 10, 86400),
            name_servers=env.places("TINY_FORGE_NAME_SERVERS"),
            address_sources=env.sources("TINY_FORGE_ADDRESS_SOURCES", ADDRESS_SOURCES),
        )


def sqlite_url(data_dir: Path) -> str:
    """Where the database lives unless told otherwise."""
    return f"sqlite:///{data_dir / 'tiny-forge.sqlite3'}"


def make_data_dir(data_dir: Path) -> None:
    """Create the data directory, for the owner only. Raises InvalidInput where that cannot be done."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = data_dir / f".write-test-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InvalidInput(
            f"The data directory {data_dir} cannot be written ({error.strerror}). "
            "Change its owner, or set TINY_FORGE_DATA_DIR to another one."
        ) from error


def kept_secret_key(data_dir: Path) -> str:
    """The key kept in the data directory, made at first use and readable by the owner only.

    Raises InvalidInput when there is nothing in the file.
    """
    path = data_dir / "secret-key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if kept := path.read_text().strip():
            return kept
        raise InvalidInput(f"{path} is empty. Restore it, or delete it to start with a new key.") from None
    key = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w") as file:
        file.write(key + "\n")
    return key


class _Environment:
    """Typed look-ups; each error names the variable."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str) -> str:
        path = self._environ.get(f"{name}_FILE")
        if path:
            try:
                return Path(path).read_text().strip()
            except OSError as error:
                raise InvalidInput(f"{name}_FILE: {path} cannot be read ({error.strerror}).") from error
        return self._environ.get(name, default).strip()

    def one_of(self, name: str, default: str, starts: tuple[str, ...]) -> str:
        text = self.text(name, "") or default
        if not text.startswith(starts):
            raise InvalidInput(f"{name} must start with one of: {', '.join(starts)}.")
        return text

    def folder(self, name: str) -> Path | None:
        """An absolute path, resolved; never the root of the machine."""
        text = self.text(name, "")
        if not text:
            return None
        path = Path(text)
        if not path.is_absolute() or path.resolve() == Path("/"):
            raise InvalidInput(f"{name} must be the absolute path of a folder, and not the whole machine.")
        return path.resolve()

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(self.text(name, "").replace(",", " ").split())

    def places(self, name: str) -> tuple[str, ...]:
        """IP addresses with a port, or with that of DNS; IPv6 in brackets."""
        return tuple(_place(word, name) for word in self.words(name))

    def sources(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Addresses of at least two different hosts."""
        urls = self.words(name) or default
        hosts = {urlsplit(url).netloc for url in urls if url.startswith(("http://", "https://"))}
        if len(hosts - {""}) < len(urls) or len(urls) < 2:
            raise InvalidInput(f"{name} must name two or more http(s) addresses, each at another host.")
        return urls

    def number(self, name: str, default: int, least: int, most: int) -> int:
        text = self.text(name, str(default))
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise InvalidInput(f"{name} must be a whole number from {least} to {most}.")
        return int(text)

    def switch(self, name: str, default: bool) -> bool:
        text = self.text(name, "yes" if default else "no").lower()
        if text not in {"yes", "no", "true", "false", "1", "0", "on", "off"}:
            raise InvalidInput(f"{name} must be yes or no.")
        return text in {"yes", "true", "1", "on"}


def _place(text: str, name: str) -> str:
    try:
        parts = urlsplit(f"//{text}")
        address = ipaddress.ip_address(parts.hostname or "")
        port = parts.port or 53
    except ValueError as error:
        raise InvalidInput(
            f"{name} must name IP addresses, such as 192.0.2.53 or [2001:db8::53]:5353."
        ) from error
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
