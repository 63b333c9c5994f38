"""The nginx behind the Nginx Proxy Manager stand-in: files on disk, the test of all of them, what is live."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from webapp.sandbox.npm_dialect import Refusal, Row

CHALLENGE = "include conf.d/include/letsencrypt-acme-challenge.conf;"
_ALIASES = re.compile(r"^\s*server_name\s+([^;]*);", re.MULTILINE)


@dataclass(frozen=True)
class Conf:
    """The configuration file of one host: what of it can turn bad later, and where requests go.

    `aliases` are names that its advanced configuration adds; `challenge`: it answers Let's Encrypt's challenge.
    """

    domains: tuple[str, ...]
    certificate: int
    upstreams: frozenset[str]
    forward: tuple[str, str, int] = ("http", "", 0)
    aliases: tuple[str, ...] = ()
    challenge: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All that it answers for."""
        return self.domains + self.aliases


@dataclass
class Nginx:
    """Tests all files before every change, as the real one; only a good test is followed by a reload.

    `broken` is a bad file that belongs to nobody. A name in `unresolvable` is refused as the upstream of a
    host being written, and breaks files already on disk that use it in a custom location. Text in `refused`
    makes an advanced configuration bad. `automatic` are the certificates of Let's Encrypt; `asking` the names for
    which NPM's own site, read after those of hosts, answers the challenge and 404 for all else.
    """

    broken: bool = False
    unresolvable: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=lambda: {"nginx_says_no"})
    lost_certificates: set[int] = field(default_factory=set)
    automatic: set[int] = field(default_factory=set)
    asking: set[str] = field(default_factory=set)
    files: dict[int, Conf] = field(default_factory=dict)
    loaded: dict[int, Conf] = field(default_factory=dict)

    def test(self) -> None:
        """Raise Refusal (500) when any file is bad."""
        if self.broken or any(self._spoilt(conf) for conf in self.files.values()):
            raise Refusal(500)

    def reload(self) -> None:
        """Test, then make the files live. Raises Refusal (500) and keeps the old ones when one is bad."""
        self.test()
        self.loaded = dict(self.files)

    def write(self, row: Row, certificate: int, uploaded: bool, now: datetime) -> str | None:
        """Write the file of a host and reload; returns nginx's complaint when this host's file was bad.

        `certificate` is 0 when the host's certificate does not exist. Raises Refusal (500), with nothing
        changed, when another file is bad.
        """
        self.test()
        complaint = self._complaint(row, certificate, uploaded)
        self.files.pop(row["id"], None)
        if complaint is None and row["enabled"]:
            upstreams = frozenset(place["forward_host"] for place in row["locations"] or [])
            forward = (row["forward_scheme"], row["forward_host"], row["forward_port"])
            aliases = _ALIASES.findall(row["advanced_config"])
            shows = CHALLENGE in row["advanced_config"] or certificate in self.automatic
            self.files[row["id"]] = Conf(
                tuple(row["domain_names"]),
                certificate,
                upstreams,
                forward,
                tuple(" ".join(aliases).split()),
                shows,
            )
        self.reload()
        if complaint is None:
            return None
        stamp = now.strftime("%Y/%m/%d %H:%M:%S")
        place = f"in /data/nginx/proxy_host/{row['id']}.conf:37"
        tail = "nginx: configuration file /etc/nginx/nginx.conf test failed\n"
        return f"{stamp} [emerg] 97#97: {complaint} {place}\n{tail}"

    def remove(self, number: int) -> None:
        """Delete the file of a host and reload. Raises Refusal (500) after deleting when another is bad."""
        self.files.pop(number, None)
        self.reload()

    def served(self) -> set[str]:
        """The names nginx answers for at the moment."""
        return {name for conf in self.loaded.values() for name in conf.names}

    def site_of(self, name: str) -> Conf | None:
        """The site that answers for a name: the first that has it, by the names of the files."""
        sites = (self.loaded[number] for number in sorted(self.loaded, key=str))
        return next((conf for conf in sites if name in conf.names), None)

    def shows_challenge(self, name: str) -> bool:
        """Whether the world sees the answer to a challenge."""
        site = self.site_of(name)
        return site.challenge if site else name in self.asking

    def _spoilt(self, conf: Conf) -> bool:
        return conf.certificate in self.lost_certificates or bool(conf.upstreams & self.unresolvable)

    def _complaint(self, row: Row, certificate: int, uploaded: bool) -> str | None:
        """What nginx has against the file of this host."""
        places = row["locations"] or []
        paths = [place["path"] for place in places]
        upstreams = [row["forward_host"], *(place["forward_host"] for place in places)]
        twice = CHALLENGE in row["advanced_config"] and certificate in self.automatic
        complaints = [
            *(['duplicate location "/.well-known/acme-challenge/"'] if twice else []),
            *(f'unknown directive "{text}"' for text in self.refused if text in row["advanced_config"]),
            *(f'duplicate location "{path}"' for path in paths if paths.count(path) > 1),
            *(f'host not found in upstream "{name}"' for name in upstreams if name in self.unresolvable),
            *(f'invalid server name or wildcard "{name}"' for name in row["domain_names"] if _odd(name)),
        ]
        if certificate and not uploaded:
            complaints.append(f'cannot load certificate "/data/custom_ssl/npm-{certificate}/fullchain.pem"')
        return next(iter(complaints), None)


def _odd(domain: str) -> bool:
    """Whether a star is where nginx takes none."""
    return "*" in domain.removeprefix("*.").removesuffix(".*")
