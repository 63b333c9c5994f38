"""The connection test for Cloudflare: proves each permission needed and changes nothing."""

from collections.abc import Callable

from webapp.dns.providers.base import Finding, finding
from webapp.dns.providers.cloudflare_http import NO_SUCH_RECORD, CloudflareHttp
from webapp.dns.providers.cloudflare_wire import as_object, records_path
from webapp.dns.records import Zone
from webapp.errors import Denied, ProviderError, Rejected

NOBODY = "0" * 32
"""An id that no record has."""

NO_PERMISSION = frozenset({9109, 10000})


class CloudflareProbe:
    """One test of one token against one zone (or none yet)."""

    def __init__(self, http: CloudflareHttp, list_zones: Callable[[], list[Zone]], zone: Zone | None) -> None:
        self._http, self._list_zones, self._zone = http, list_zones, zone

    def run(self) -> list[Finding]:
        """Four findings. Writing is proven by a change to a record that cannot exist: 404 means allowed."""
        steps = (
            ("Token", "The token is valid.", self._prove_token),
            ("Zone", f"The zone {self._zone.name if self._zone else ''} is visible.", self._prove_zone),
            ("Read records", "Records can be read.", self._prove_read),
            ("Write records", "Records can be written.", self._prove_write),
        )
        findings: list[Finding] = []
        for name, message, step in steps:
            if findings and findings[0].passed is False:
                findings.append(Finding(name, None, "Not looked at, because the first test failed."))
                continue
            try:
                step()
                findings.append(Finding(name, True, message))
            except ProviderError as error:
                findings.append(finding(name, error))
        return findings

    def _prove_token(self) -> None:
        """The user's verify call does not know tokens that belong to an account; those must list zones."""
        try:
            status = as_object(self._http.call("GET", "/user/tokens/verify").get("result")).get("status")
        except (Denied, Rejected) as error:
            if 1000 not in error.codes:
                raise
            try:
                self._http.call("GET", "/zones", params={"per_page": 5})
            except (Denied, Rejected):
                raise error from None
            return
        if status != "active":
            raise Denied(f"The token is {status}. Create a new one at Cloudflare.")

    def _prove_zone(self) -> None:
        zone = self._chosen()
        try:
            names = {z.name for z in self._list_zones()}
        except Denied as error:
            raise _lacks(
                error, "Zones cannot be listed. Give the token the permission Zone: Zone: Read."
            ) from None
        if zone.name not in names:
            raise Denied(f"The token cannot see {zone.name}. Add the zone to the token's zone resources.")

    def _prove_read(self) -> None:
        zone = self._chosen()
        try:
            self._http.call("GET", records_path(zone), params={"per_page": 1})
        except Denied as error:
            raise _lacks(
                error, "Records cannot be read. Give the token the permission Zone: DNS: Read or Edit."
            ) from None

    def _prove_write(self) -> None:
        zone = self._chosen()
        try:
            self._http.call("PATCH", f"{records_path(zone)}/{NOBODY}", body={"ttl": 1})
        except Rejected as error:
            if NO_SUCH_RECORD not in error.codes:
                raise
        except Denied as error:
            raise _lacks(
                error, "Records cannot be written. Give the token the permission Zone: DNS: Edit."
            ) from None

    def _chosen(self) -> Zone:
        if self._zone is None:
            raise Denied("Choose a zone first.")
        return self._zone


def _lacks(error: Denied, advice: str) -> Denied:
    """The error with better advice, unless it names another cause than a missing permission."""
    return error if error.codes - NO_PERMISSION else Denied(advice, error.codes)
