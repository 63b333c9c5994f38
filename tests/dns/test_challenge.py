"""What a DNS challenge needs of the zone: its token, its names, and whether our own records are there yet."""

import json

import pytest

from webapp import vault
from webapp.db import now, reading, transaction
from webapp.dns import challenge
from webapp.dns.connections import Connection
from webapp.dns.models import ConsumerType, DnsRecord, Status
from webapp.dns.records import RecordType
from webapp.errors import InvalidInput, KeyLost

pytestmark = pytest.mark.usefixtures("context")
NAMES = ["app.example.com", "*.example.com"]


def connect(provider="cloudflare", sealed=None, **fields):
    with transaction() as session:
        session.add(
            Connection(
                provider=provider, credentials_sealed=sealed or vault.seal(json.dumps({"token": "t0ken"})),
                zone_id="z", zone_name="example.com", **fields,
            )
        )  # fmt: skip


def claim(status, error=None, wanted=True):
    with transaction() as session:
        session.add(
            DnsRecord(
                fqdn="app.example.com", type=RecordType.A, consumer_type=ConsumerType.STANDALONE, consumer_id=1,
                status=status, error=error, wanted=wanted, created_at=now(), updated_at=now(),
            )
        )  # fmt: skip


def zone():
    with reading() as session:
        return challenge.zone_name(session)


def unready():
    with reading() as session:
        return challenge.unready(session, NAMES)


def test_the_token_of_the_zone_is_found():
    connect()
    assert (challenge.token(NAMES), zone()) == ("t0ken", "example.com")


def test_without_a_zone_at_cloudflare_there_is_no_challenge():
    with pytest.raises(InvalidInput, match="Connect a zone"):
        challenge.token(NAMES)
    assert zone() == ""


@pytest.mark.parametrize("fields", [{"provider": "memory"}, {"active": False}])
def test_another_provider_or_an_old_zone_does_not_count(fields):
    connect(**fields)
    with pytest.raises(InvalidInput, match="Connect a zone"):
        challenge.token(NAMES)
    assert zone() == ""


def test_a_name_outside_the_zone_is_refused():
    connect()
    with pytest.raises(InvalidInput, match=r"app.example.net is outside"):
        challenge.token(["app.example.com", "*.app.example.net"])


def test_a_token_sealed_with_another_key_is_told():
    connect(sealed="gAAAAAB-not-ours")
    with pytest.raises(KeyLost):
        challenge.token(NAMES)


@pytest.mark.parametrize("status", [Status.SYNCED, Status.COVERED])
def test_a_record_that_is_there_is_ready(status):
    claim(status)
    assert unready() is None


def test_a_record_that_is_on_its_way_is_not_ready():
    claim(Status.PENDING)
    assert unready() == "The record of app.example.com is not there yet: pending."


def test_a_record_that_failed_says_why():
    claim(Status.FAILED, "Cloudflare says no.")
    assert unready() == "The record of app.example.com is not there yet: Cloudflare says no."


def test_a_record_that_goes_does_not_count():
    claim(Status.PENDING, wanted=False)
    assert unready() is None
