"""Certificates run out: when somebody is warned, in which words, and once a day in the log."""

import logging
from datetime import timedelta

import pytest

from tests.proxy.publish_world import START
from webapp.db import reading, transaction
from webapp.proxy.certificates import expiry
from webapp.proxy.certificates.expiry import Urgency
from webapp.proxy.service import npm_settings


def facts(days, provider="letsencrypt", **more):
    until = (START + timedelta(days=days)).isoformat()
    return {
        "id": 1,
        "name": "a",
        "domains": ["a.example.com"],
        "provider": provider,
        "expires_on": until,
    } | more


@pytest.mark.parametrize(
    ("days", "provider", "urgency"),
    [
        (15, "letsencrypt", Urgency.FINE),
        (14, "letsencrypt", Urgency.SOON),
        (31, "other", Urgency.FINE),
        (30, "other", Urgency.SOON),
        (0, "other", Urgency.EXPIRED),
        (-1, "letsencrypt", Urgency.EXPIRED),
    ],
)
def test_the_warning_comes_sooner_where_nobody_renews(days, provider, urgency):
    assert expiry.urgency(facts(days, provider), START) is urgency


@pytest.mark.parametrize("odd", [{"made": False}, {"expires_on": None}])
def test_a_row_without_a_certificate_is_unfinished(odd):
    assert expiry.urgency(facts(90) | odd, START) is Urgency.UNFINISHED


def test_what_to_do_depends_on_who_renews():
    assert "should have renewed it" in expiry.warning(facts(3), START)
    assert "Upload a new one" in expiry.warning(facts(-3, "other"), START)
    assert expiry.warning(facts(60), START) == ""


@pytest.fixture
def settings(context):
    def save(*certificates):
        with transaction() as session:
            npm_settings(session).certificates = list(certificates)

    return save


def warned(caplog, at):
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        expiry.warn_daily(at)
    return [record.getMessage() for record in caplog.records]


def test_the_log_says_it_once_a_day(settings, caplog):
    settings(facts(3), facts(80))
    first, again = warned(caplog, START), warned(caplog, START + timedelta(hours=23))
    assert ([("runs out" in line) for line in first], again) == ([True], [])
    assert len(warned(caplog, START + timedelta(hours=24))) == 1


def test_the_log_says_nothing_where_all_is_well(settings, caplog):
    assert warned(caplog, START) == []  # nothing is set up
    settings(facts(80))
    assert warned(caplog, START) == []
    with reading() as session:
        assert npm_settings(session).certificates_warned_at is None


def test_only_the_first_of_two_processes_says_it(settings, caplog, monkeypatch):
    settings(facts(3))
    warned(caplog, START)
    looks = iter([False, True])
    monkeypatch.setattr(expiry, "_warned", lambda *_: next(looks))
    assert warned(caplog, START) == []
