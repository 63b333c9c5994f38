"""Visitors notice nothing while a certificate is asked for: a real nginx, and a stand-in that takes the host out."""

import http.server
import threading
import time

import pytest

from tests.deploy.engine_world import eventually
from tests.engine.nginx import NginxServer, steadily, visited
from tests.engine.real_nginx import attach
from tests.proxy.certificates.certificates_world import CertificatePanel
from tests.proxy.npm_world import stand_in
from webapp.proxy.certificates.client import CertificateClient
from webapp.proxy.certificates.models import Phase

PORT = 15081
NAME = "app.example.com"


class App(http.server.BaseHTTPRequestHandler):
    """What the host leads to."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"the app")

    def log_message(self, *_args):
        """Say nothing."""


@pytest.fixture
def app_port():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), App)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


@pytest.fixture
def panel(context, tmp_path):
    server = NginxServer(tmp_path / "nginx", PORT)
    server.start()
    with stand_in("2.15.1") as npm:
        attach(npm, server)
        yield CertificatePanel(npm).connect()
    server.stop()


def asked(path=""):
    return visited(PORT, NAME, path)


@pytest.mark.parametrize("covered", [True, False])
def test_no_visitor_misses_a_host_that_gets_its_first_certificate(panel, app_port, covered, monkeypatch):
    """Without its cover every one does, for as long as it takes: so the cover is what does it."""
    row = panel.create(NAME, forward_host="127.0.0.1", forward_port=app_port)
    panel.run()
    assert eventually(lambda: steadily(lambda: asked() == "the app"))
    if not covered:
        monkeypatch.setattr(CertificateClient, "cover", lambda *_a, **_k: False)
    enough, answers, challenged = threading.Event(), [], []

    def visit():
        while not enough.is_set():
            answers.append(asked())

    def ask_around(_seconds):
        eventually(lambda: steadily(lambda: asked(".well-known/acme-challenge/x") == "the answer"))
        challenged.append(asked(".well-known/acme-challenge/x"))
        time.sleep(0.5)

    panel.npm.certbot.pause = ask_around
    visitors = [threading.Thread(target=visit) for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    panel.ask(NAME, proxy=row)
    panel.settle()
    enough.set()
    for visitor in visitors:
        visitor.join()
    assert (panel.request().phase, challenged) == (Phase.DONE, ["the answer"])
    assert ("the app" in answers, len(set(answers)) == 1) == (True, covered)
