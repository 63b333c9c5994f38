"""The first page: what is set up, what is connected, and what needs a person."""

from datetime import timedelta

import pytest
from flask import Flask

from tests.deploy import pages_world
from tests.support import Browser
from webapp.db import now, reading, transaction
from webapp.deploy.models import EngineState, Seen
from webapp.dns import ledger
from webapp.dns.connections import Connection
from webapp.dns.desired import Mode
from webapp.dns.models import ConsumerType, DnsRecord, Status
from webapp.dns.records import RecordType
from webapp.overview import service
from webapp.proxy import service as proxies
from webapp.proxy.instances import host_of
from webapp.proxy.models import HostStatus, ProxyHost


def add_host(status: HostStatus, error: str | None = None, name: str = "app.example.com") -> None:
    with transaction() as session:
        session.add(
            ProxyHost(
                fqdn=name, consumer_type=ConsumerType.STANDALONE, forward_host="10.0.0.5", forward_port=80,
                status=status, error=error, created_at=now(), updated_at=now(),
            )
        )  # fmt: skip


def add_record(status: Status, error: str | None = None, name: str = "app.example.com") -> None:
    with transaction() as session:
        session.add(
            DnsRecord(
                fqdn=name, type=RecordType.A, consumer_type=ConsumerType.STANDALONE, consumer_id=1,
                status=status, error=error, created_at=now(), updated_at=now(),
            )
        )  # fmt: skip


def connect(error: str | None = None, review_state: str | None = None) -> None:
    with transaction() as session:
        dns = ledger.settings(session)
        dns.mode, dns.base_domain = Mode.MANAGED, "example.com"
        session.add(
            Connection(
                provider="memory", credentials_sealed="", zone_id="z", zone_name="example.com", active=True,
                error=error, review_state=review_state, checked_at=now() - timedelta(minutes=2),
            )
        )  # fmt: skip
        npm = proxies.npm_settings(session)
        npm.url, npm.email, npm.password_sealed = "http://npm:81", "forge@example.com", "sealed"
        npm.read_at = now()


def look() -> service.Overview:
    with reading() as session:
        return service.overview(session, now())


def test_a_new_panel_lists_all_steps_as_to_do(client: Browser) -> None:
    page = client.get("/").text
    assert page.count("To do") == 4
    assert "Open the settings" in page
    assert "Not set up" in page


@pytest.mark.usefixtures("context")
def test_the_checklist_goes_when_every_step_is_done(client: Browser) -> None:
    connect()
    add_host(HostStatus.ONLINE)
    assert look().complete
    page = client.get("/").text
    assert "Getting started" not in page
    assert "Everything is as it should be" in page


@pytest.mark.usefixtures("context")
def test_with_everything_connected_the_next_step_is_a_proxy(client: Browser) -> None:
    connect()
    page = client.get("/").text
    assert page.count("To do") == 1
    assert "Add the first proxy" in page


@pytest.mark.usefixtures("context")
def test_a_wildcard_counts_as_chosen_only_when_it_works() -> None:
    with transaction() as session:
        dns = ledger.settings(session)
        dns.base_domain, dns.wildcard_works = "example.com", False
    assert not look().steps[2].done
    with transaction() as session:
        ledger.settings(session).wildcard_works = True
    assert look().steps[2].done


@pytest.mark.usefixtures("context")
def test_trouble_is_listed_with_its_reason_and_hostile_text_stays_text(client: Browser) -> None:
    connect(error="The token is <b>wrong</b>.")
    add_host(HostStatus.REJECTED, "nginx says <script>alert(1)</script>")
    add_record(Status.CONFLICT, "A record that is not ours is in the way.", "photos.example.com")
    page = client.get("/").text
    assert "nginx says &lt;script&gt;" in page
    assert "The token is &lt;b&gt;wrong" in page
    assert "photos.example.com" in page
    assert "A record that is not ours is in the way." in page


@pytest.mark.usefixtures("context")
def test_a_plan_that_waits_is_pointed_out(client: Browser) -> None:
    connect(review_state="reckless")
    assert "A plan waits for you" in client.get("/").text


@pytest.mark.usefixtures("context")
def test_counts_per_status_lead_to_the_filtered_lists(client: Browser) -> None:
    connect()
    for number in range(3):
        add_host(HostStatus.ONLINE, name=f"{number}.example.com")
        add_record(Status.SYNCED, name=f"{number}.example.com")
    found = look()
    assert (found.hosts, found.records) == ({"online": 3}, {"synced": 3})
    page = client.get("/").text
    assert "/proxies?status=online" in page
    assert "/dns?status=synced" in page


def test_htmx_gets_the_fragment_only(app: Flask, client: Browser) -> None:
    assert "<!doctype html>" not in client.get("/", htmx=True).text


@pytest.mark.usefixtures("context")
def test_the_engine_is_a_connection_like_the_others(client: Browser) -> None:
    assert "Being looked at" in client.get("/").text
    pages_world.set_engine(version="27.1", looked_at=now())
    assert "release 27.1" in client.get("/").text
    pages_world.set_engine(error="The <b>socket</b> is not there.")
    page = client.get("/").text
    assert "The &lt;b&gt;socket" in page
    assert "How to give access" in page


@pytest.mark.usefixtures("context")
def test_apps_are_shown_with_whether_they_can_be_reached(client: Browser) -> None:
    assert 'id="apps"' not in client.get("/").text
    pages_world.deployed()
    page = client.get("/").text
    assert 'id="apps"' in page
    assert "1 of 1 instance reachable" in page


@pytest.mark.usefixtures("context")
def test_hosts_of_instances_are_not_counted_as_proxies() -> None:
    pages_world.deployed()
    assert look().hosts == {}


@pytest.mark.usefixtures("context")
def test_an_instance_that_is_away_is_not_as_it_should_be(client: Browser) -> None:
    connect()
    add_host(HostStatus.ONLINE)
    pages_world.deployed(seen=Seen.MISSING)
    assert "Everything is as it should be" not in client.get("/").text


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("broken", ["zone", "engine", "plan", "wildcard"])
def test_it_is_not_all_well_while_something_does_not_answer_or_waits(client: Browser, broken: str) -> None:
    zone_error = "The zone is gone." if broken == "zone" else None
    connect(error=zone_error, review_state="reckless" if broken == "plan" else None)
    add_host(HostStatus.ONLINE)
    with transaction() as session:
        if broken == "engine":
            session.add(EngineState(id=1, error="No answer."))
        elif broken == "wildcard":
            ledger.settings(session).wildcard_works = False
    assert look().complete
    assert "Everything is as it should be" not in client.get("/").text


@pytest.mark.usefixtures("context")
def test_a_host_of_an_instance_that_is_in_trouble_leads_to_its_app(client: Browser) -> None:
    number = pages_world.deployed()
    with transaction() as session:
        host = host_of(session, number)
        assert host is not None
        host.settle(HostStatus.REJECTED, now(), "nginx says no")
    page = client.get("/").text
    assert 'class="name" href="/apps/blog">blog.example.com</a>' in page


def test_what_needs_a_look_is_shown_first_where_not_all_can_be(context: None, client: Browser) -> None:
    for number in range(30):
        pages_world.deployed(f"app{number:02}", seen=Seen.MISSING if number == 29 else Seen.RUNNING)
    page = client.get("/").text
    assert page.count('<tr id="instance-') == service.MOST_APPS
    assert page.index(">app29<") < page.index(">app00<")
    assert ">app25<" not in page
    assert "Show all 30 apps" in page
    assert "29 of 30 instances reachable" in page
