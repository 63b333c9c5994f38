"""What the test buttons do: the real clients, the values in the form, nothing written, an answer in time."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from typing import TypeVar

from flask import current_app

from webapp import outgoing, vault
from webapp.db import reading
from webapp.deploy import rows
from webapp.deploy.connection import engine
from webapp.dns import service as dns
from webapp.dns.providers.base import Finding
from webapp.dns.providers.public_address import look
from webapp.dns.records import Zone
from webapp.errors import ForgeError, InvalidInput, Outage
from webapp.proxy.models import NpmSettings
from webapp.proxy.npm import NpmClient
from webapp.settings.forms import SettingsForm

PATIENCE = 9.0
"""Seconds for a whole test; the page promises ten."""

T = TypeVar("T")


def within(work: Callable[[], T]) -> T:
    """The result of the work, or Outage when it takes too long; it then ends by its own time-outs."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def run() -> T:
        with app.app_context():
            return work()

    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(run).result(PATIENCE)
    except TooSlow:
        raise Outage(f"No complete answer within {PATIENCE:.0f} seconds. Try again later.") from None
    finally:
        pool.shutdown(wait=False)


def container_engine() -> list[Finding]:
    """Which engine answers; without any app none is needed."""
    with reading() as session:
        needed = bool(rows.apps(session))
    try:
        info = within(lambda: engine().info())
        message = f"Docker {info.version} answers (interface {info.api})."
        return [Finding("Container engine", True, message)]
    except ForgeError as error:
        return [Finding("Container engine", False if needed else None, error.message)]


def npm(form: SettingsForm) -> list[Finding]:
    """Version, account and number of hosts, or what is wrong."""
    try:
        form.require_npm()
        client = NpmClient(
            form.npm_url.data,
            form.npm_email.data,
            form.npm_password.data or _saved_npm_password(),
            "",
            verify_tls=bool(form.npm_verify_tls.data),
            session=outgoing.session(),
        )
        return within(lambda: _npm_findings(client))
    except ForgeError as error:
        return [Finding("Nginx Proxy Manager", False, error.message)]


def _npm_findings(client: NpmClient) -> list[Finding]:
    account = client.account()
    version = ".".join(map(str, account.version))
    findings = [
        Finding("Connection", True, f"Nginx Proxy Manager {version} answers."),
        Finding("Account", True, f"Signed in as {account.email}."),
    ]
    if not account.may_edit_hosts:
        message = "The account may not manage proxy hosts. Give it that permission in Nginx Proxy Manager."
        return [*findings, Finding("Permission", False, message)]
    count = len(client.list_hosts())
    findings.append(
        Finding("Proxy hosts", True, f"{count} proxy host{'' if count == 1 else 's'} can be seen.")
    )
    if not account.may_edit_certificates:
        message = "The account cannot request certificates, if you want that here: it needs Manage for certificates."
        findings.append(Finding("Certificates", None, message))
    if not account.may_see_all:
        message = (
            "The account sees only its own hosts. Set its visibility to «All items», or names may collide."
        )
        findings.append(Finding("Visibility", False, message))
    return findings


def _saved_npm_password() -> str:
    with reading() as session:
        sealed = session.get_one(NpmSettings, 1).password_sealed
    return vault.unseal(sealed or "")


def zones(form: SettingsForm, api_url: str) -> list[Zone]:
    """The zones of the account. Raises ForgeError with what is wrong."""
    credentials = _credentials(form)
    provider = form.provider.data
    return within(lambda: dns.list_zones(provider, credentials, api_url=api_url))


def test_dns(form: SettingsForm, api_url: str) -> list[Finding]:
    """Each permission that the token has or lacks."""
    try:
        credentials = _credentials(form)
        provider, zone = form.provider.data, form.chosen_zone()
        return within(lambda: dns.test(provider, credentials, zone, api_url=api_url))
    except ForgeError as error:
        return [Finding("Connection", False, error.message)]


def _credentials(form: SettingsForm) -> Mapping[str, str]:
    """What is entered, else what is saved for this very provider."""
    form.require_token()
    if form.token.data:
        return {"token": form.token.data}
    saved = dns.saved_credentials(form.provider.data)
    if saved is None:
        raise InvalidInput("Enter the API token first.")
    return saved


def public_address(sources: Sequence[str]) -> tuple[dict[int, str], str | None]:
    """The addresses found, or why there are none."""
    try:
        sights = within(lambda: look(sources))
    except Outage as error:
        return {}, error.message
    found = {version: sight.likely for version, sight in sights.items() if sight.likely}
    if found:
        return found, None
    if torn := [sight.words for sight in sights.values() if any(sight.said.values())]:
        return {}, f"The public address is not clear: {'; '.join(torn)}. Enter it by hand."
    return {}, "The public address could not be found out. Enter it by hand."
