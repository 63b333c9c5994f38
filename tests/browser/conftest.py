"""A real panel in a process of its own, stand-ins for the services, and a real browser in front of it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from webapp.sandbox.cloudflare import CloudflareStandIn
from webapp.sandbox.npm import NpmStandIn

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PORTS = iter(range(18100 + os.getpid() % 500 * 10, 32000))


@dataclass
class Panel:
    """Where the panel is, the code it printed, and the services it can be connected to."""

    url: str
    code: str
    cloudflare: CloudflareStandIn
    npm: NpmStandIn


def free_port() -> int:
    """A port below the range that outgoing connections use."""
    for port in PORTS:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise RuntimeError("no free port")


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[Panel]:
    """`python app.py serve` on an empty data directory."""
    with CloudflareStandIn() as cloudflare, NpmStandIn() as npm:
        environ = {"TINY_FORGE_DATA_DIR": str(tmp_path / "data"), "CLOUDFLARE_API_URL": cloudflare.url}
        with serving(tmp_path / "log", r"enter this code: (\S+)", environ) as (url, code):
            yield Panel(url, code, cloudflare, npm)


@dataclass
class Sandbox:
    """Where a sandbox is, and the password it printed."""

    url: str
    password: str


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """`python app.py serve --sandbox`, as `make run` starts it."""
    with serving(tmp_path / "log", r"with the password (\S+)", {}, "--sandbox") as (url, password):
        yield Sandbox(url, password)


@contextmanager
def serving(log: Path, wanted: str, environ: dict[str, str], *options: str) -> Iterator[tuple[str, str]]:
    """A panel in a process of its own; yields its address, and what it printed where `wanted` matches."""
    port = free_port()
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "app.py", "serve", "--port", str(port), *options],
            cwd=ROOT, env=os.environ | environ, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        printed = _printed(log, process, wanted)
        _printed(log, process, r"Tiny Forge is at")
        yield f"http://127.0.0.1:{port}", printed
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, log.read_text()


def _printed(log: Path, process: subprocess.Popen[bytes], pattern: str) -> str:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(pattern, log.read_text()):
            return found[1] if found.groups() else found[0]
        time.sleep(0.05)
    raise AssertionError(f"the panel did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, panel: Panel) -> Iterator[Page]:
    """A page of the panel."""
    with strict_page(chromium, panel.url) as page:
        yield page


@pytest.fixture
def sandbox_page(chromium: Browser, sandbox: Sandbox) -> Iterator[Page]:
    """A page of the sandbox."""
    with strict_page(chromium, sandbox.url) as page:
        yield page


@contextmanager
def strict_page(chromium: Browser, url: str) -> Iterator[Page]:
    """A page that fails the test on any error in its console: that is where CSP violations show up."""
    context = chromium.new_context(base_url=url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    expected = [text for text in complaints if "422" not in text]
    assert expected == []
