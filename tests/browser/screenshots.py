"""Takes the README's picture, and all pages in both widths and themes: python -m tests.browser.screenshots DIR."""

import sys
import threading
from pathlib import Path

import waitress
from playwright.sync_api import Page, sync_playwright

from webapp.db import now
from webapp.dns import service as dns
from webapp.sandbox.engine import LAYERS
from webapp.sandbox.world import IMAGE, ZONE, World
from webapp.worker import Worker

LOOKS = (("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390))
PAGES = {
    "overview": "/", "proxies": "/proxies", "proxy-new": "/proxies/new", "proxy-edit": "/proxies/1",
    "proxy-remove": "/proxies/1/remove", "dns": "/dns?foreign=1", "settings": "/settings", "account": "/account",
    "missing": "/no-such-page", "apps": "/apps", "app": "/apps/shop", "app-new": "/apps/new",
    "app-edit": "/apps/shop/edit", "app-remove": "/apps/shop/remove", "instance-new": "/apps/shop/instances/new",
    "instance-remove": "/instances/1/remove", "log": "/instances/1/log", "deploy-failed": "/actions/3",
    "deploy-under-way": "/actions/4", "history": "/dns/history", "undo": "/dns/history/1/undo",
    "certificates": "/certificates", "adopt": "/proxies/adopt",
}  # fmt: skip


def furnish(world: World) -> None:
    """A zone with something of everything: synced, drifted, conflicting, foreign, and a host nginx refuses."""
    with world.app.app_context():
        for label, port in (("blog", 2368), ("cloud", 8081), ("git", 3000), ("wiki", 3001)):
            world.add_proxy(f"{label}.{ZONE}", "192.168.1.20", port)
        world.settle()
        world.cloudflare.put_by_hand(f"photos.{ZONE}", "A", "198.51.100.7", comment="made by hand")
        world.add_proxy(f"photos.{ZONE}", "192.168.1.20", 2342)
        world.npm.unresolvable.add("gone.internal")
        world.add_proxy(f"old.{ZONE}", "gone.internal", 80)
        world.settle()
        record = world.cloudflare.find(f"git.{ZONE}")[0]
        world.cloudflare.edit_by_hand(record["id"], content="198.51.100.99")
        world.cloudflare.delete_by_hand(world.cloudflare.find(f"wiki.{ZONE}")[0]["id"])
        dns.request_check(at=now())
        for tag in ("v2", "v3-broken"):
            world.deploy(1, tag)
            world.settle()
        dns.request_check(at=now())
        Worker(world.app, ask=world.resolve, probe=world.engine.probe).pass_once()
        under_way(world, world.deploy(1, "v1"))


def under_way(world: World, action_id: int) -> None:
    """A deploy that waits for its container, for as long as the pictures take."""
    from webapp.deploy import journal
    from webapp.deploy.actions import Phase

    ref = f"{IMAGE}:v1"
    layers = [
        {"id": f"{n}f3a9c", "status": "Pull complete", "done": b, "total": b} for n, b in enumerate(LAYERS)
    ]
    journal.enter(action_id, Phase.CHECKING, f"Deploying {ref} to shop.{ZONE}.", at=now())
    journal.enter(action_id, Phase.PULLING, f"Pulling {ref}.", at=now())
    journal.progress(action_id, {"layers": layers, "of": len(layers)})
    journal.say(action_id, f"Pulled: {world.engine.registry[ref].digest}.", at=now())
    text = "Starting version 4: blue-green, the new version starts beside the old one."
    journal.enter(action_id, Phase.STARTING, text, at=now())
    journal.enter(action_id, Phase.WAITING, "Waiting until it is healthy.", at=now())


def sign_in(page: Page, base: str, password: str) -> None:
    """As a person does."""
    page.goto(base)
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(password)
    page.locator("main form button").click()
    page.get_by_role("heading", name="Overview").wait_for()


def take(folder: Path) -> None:
    """All pictures, and a complaint for each page that scrolls sideways."""
    with World() as world, sync_playwright() as playwright:
        password = world.prepare(say=lambda _line: None)
        furnish(world)
        server = waitress.create_server(world.app, host="127.0.0.1", port=18099)
        threading.Thread(target=server.run, daemon=True).start()
        base = "http://127.0.0.1:18099"
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for scheme, width in LOOKS:
            context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
            page = context.new_page()
            page.on("console", lambda m: print("console:", m.text) if m.type == "error" else None)
            sign_in(page, base, password)
            for name, path in PAGES.items():
                page.goto(base + path)
                page.screenshot(path=folder / f"{name}-{scheme}-{width}.png", full_page=True)
                if page.evaluate("document.documentElement.scrollWidth") > width:
                    print(f"{name} scrolls sideways at {width}")
            context.close()
        server.close()


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    take(target)
