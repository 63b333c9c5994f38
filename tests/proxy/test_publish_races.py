"""Wishes that change while the worker is at them."""

from webapp.proxy import service
from webapp.proxy.models import HostStatus
from webapp.proxy.npm_transport import Transport
from webapp.sandbox.server import Failure


def test_a_wish_that_changed_during_the_call_is_done_next(panel, npm, monkeypatch):
    panel.create()
    send = Transport.send

    def meanwhile(self, method, path, *args, **kwargs):
        answer = send(self, method, path, *args, **kwargs)
        if (method, path) == ("POST", "/nginx/proxy-hosts"):
            panel.update(1, forward_port=9999)
        return answer

    monkeypatch.setattr(Transport, "send", meanwhile)
    panel.run()
    assert panel.row().status is HostStatus.PENDING
    panel.run()
    (host,) = npm.hosts()
    assert (host["forward_port"], panel.row().status) == (9999, HostStatus.ONLINE)


def test_a_removal_during_the_creation_leaves_nothing(panel, npm, monkeypatch):
    panel.create()
    send = Transport.send

    def meanwhile(self, method, path, *args, **kwargs):
        answer = send(self, method, path, *args, **kwargs)
        if (method, path) == ("POST", "/nginx/proxy-hosts"):
            service.remove(1, at=panel.now)
        return answer

    monkeypatch.setattr(Transport, "send", meanwhile)
    panel.run(passes=2)
    assert (npm.hosts(), panel.row()) == ([], None)


def test_a_name_given_up_and_taken_again_while_the_removal_waits(panel, npm):
    panel.create()
    panel.run()
    npm.fail(Failure.RESET_BEFORE, matches=lambda r: r.method == "DELETE")
    service.remove(1, at=panel.now)
    panel.run()
    new = panel.create(forward_port=1234)
    panel.run_until_settled()
    (host,) = npm.hosts()
    assert (host["forward_port"], panel.row(new).status) == (1234, HostStatus.ONLINE)
    assert panel.row(1) is None


def test_two_proxies_swap_their_names_while_nobody_is_looking(panel, npm):
    first, second = panel.create("a.example.com", forward_port=1), panel.create(
        "b.example.com", forward_port=2
    )  # fmt: skip
    panel.run()
    panel.update(first, "c.example.com", forward_port=1)
    panel.update(second, "a.example.com", forward_port=2)
    panel.update(first, "b.example.com", forward_port=1)
    panel.run_until_settled()
    ports = {host["domain_names"][0]: host["forward_port"] for host in npm.hosts()}
    assert ports == {"a.example.com": 2, "b.example.com": 1}
    assert {row.status for row in panel.rows()} == {HostStatus.ONLINE}
