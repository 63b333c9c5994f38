"""Two workers on one database: writes to Nginx Proxy Manager go one at a time, whoever makes them."""

import threading

from tests.proxy.publish_world import Panel
from webapp.proxy.models import HostStatus


def watch_writes(npm, monkeypatch):
    """How many writes are under way at once, at most; a write is under way from its arrival to its answer."""
    answer, seen = npm.answer, {"now": 0, "most": 0, "all": 0}

    def watched(request):
        changes = request.method != "GET" and "proxy-hosts" in request.path
        seen["now"] += changes
        seen["all"] += changes
        seen["most"] = max(seen["most"], seen["now"])
        try:
            return answer(request)
        finally:
            seen["now"] -= changes

    monkeypatch.setattr(npm, "answer", watched)
    return seen


def test_writes_of_two_workers_never_overlap(app, npm, monkeypatch):
    with app.app_context():
        panel = Panel(npm).connect()
        for number in range(8):
            panel.create(f"n{number}.example.com")
    seen = watch_writes(npm, monkeypatch)
    npm.latency = 0.005

    def work(name):
        with app.app_context():
            worker = Panel(npm, holder=name)
            for _ in range(20):
                worker.run(seconds=1)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        assert {row.status for row in panel.rows()} == {HostStatus.ONLINE}
    assert (seen["most"], seen["all"]) == (1, 8)
