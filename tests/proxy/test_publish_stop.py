"""Stopping between jobs, and a lease that outlives the slowest write."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import update

from webapp import lease
from webapp.db import now, transaction
from webapp.errors import Busy
from webapp.lease import Lease, leased
from webapp.proxy.models import HostStatus
from webapp.proxy.npm_transport import Transport


def test_a_pass_ends_before_its_next_job_when_it_is_to_stop(panel, npm):
    panel.create("a.example.com")
    panel.create("b.example.com")
    panel.publisher.stopping = lambda: bool(npm.hosts())
    panel.run()
    assert npm.served() == {"a.example.com"}
    assert panel.row(2).next_try_at == panel.now, "what is left stays due"

    panel.publisher.stopping = lambda: False
    panel.run()
    assert npm.served() == {"a.example.com", "b.example.com"}


def test_no_other_process_takes_over_during_a_slow_job(panel, npm, monkeypatch):
    """One answer takes longer than the lease would last by itself."""
    panel.create()
    send, refused = Transport.send, []
    monkeypatch.setattr(lease, "LENGTH", timedelta(milliseconds=400))
    monkeypatch.setattr(panel.publisher, "clock", now)

    def slow(self, method, path, *args, **kwargs):
        answer = send(self, method, path, *args, **kwargs)
        if not refused:
            time.sleep(0.6)
            with pytest.raises(Busy), leased("nginx proxy manager", "other"):
                pass
            refused.append(path)
        return answer

    monkeypatch.setattr(Transport, "send", slow)
    panel.run()
    assert refused
    assert panel.row().status is HostStatus.ONLINE


def test_nothing_more_is_sent_once_somebody_else_took_over(panel, npm, monkeypatch):
    panel.create()
    send = Transport.send

    def stolen(self, method, path, *args, **kwargs):
        answer = send(self, method, path, *args, **kwargs)
        if path == "/nginx/proxy-hosts":
            with transaction() as session:
                session.execute(update(Lease).values(holder="other"))
        return answer

    monkeypatch.setattr(Transport, "send", stolen)
    panel.run()
    assert npm.writes == 0
    assert panel.row().status is HostStatus.PENDING
