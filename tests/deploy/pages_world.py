"""What the tests of the app pages share: rows in every state, made without an engine."""

import re
from html import unescape

from sqlalchemy import event, select

from tests.deploy.deploy_world import IMAGE, START, wish
from webapp import vault
from webapp.db import db, reading, transaction
from webapp.deploy import apps, rows
from webapp.deploy.actions import Action, ActionLine, Kind, Level, Phase
from webapp.deploy.models import Instance, Seen, Version, VersionState
from webapp.deploy.recipe import Recipe
from webapp.dns.connections import Connection
from webapp.dns.models import ConsumerType, DnsRecord, Status
from webapp.dns.names import Fqdn
from webapp.dns.records import RecordType
from webapp.proxy.instances import host_of
from webapp.proxy.models import HostStatus

FORM = {
    "slug": "blog", "image": IMAGE, "tag": "v1", "port": "8080", "subdomain": "blog.example.com", "memory": "512",
    "cpus": "0", "pids": "256", "restart": "unless-stopped", "reach": "port", "publish_on": "127.0.0.1",
    "scheme": "http", "check_kind": "auto", "check_path": "/", "check_status": "200", "check_interval": "3",
    "check_timeout": "5", "check_start_period": "20", "strategy": "auto", "drain": "5", "stop_seconds": "10",
    "versions_kept": "5", "certificate_id": "0", "dns_proxied": "default", "use_dns": "y", "version": "1",
}  # fmt: skip
HOSTILE = "<img src=x onerror=alert(1)>"


def add(slug="blog", **fields):
    """An app with one instance, never deployed; returns the instance's id."""
    app = apps.add_app(wish(slug, **fields), Fqdn(f"{slug}.example.com"), at=START)
    with reading() as session:
        return session.scalars(select(Instance.id).where(Instance.app_id == app.id)).one()


def deployed(slug="blog", *, versions=2, seen=Seen.RUNNING, **fields):
    """The same, with versions, the last of which serves the name; host and record are up."""
    number = add(slug, **fields)
    with transaction() as session:
        for one in range(1, versions + 1):
            session.add(_version(number, one, VersionState.CURRENT if one == versions else VersionState.KEPT))
        instance = session.get_one(Instance, number)
        instance.saw(seen, "", START)
        host = host_of(session, number)
        host.published, host.forward_host, host.forward_port, host.npm_host_id = True, "127.0.0.1", 20001, 7
        host.settle(HostStatus.ONLINE, START)
        session.add(_record(session, instance))
    return number


RECIPE = Recipe(image="registry.example/acme/web", tag="v1", port=8080)


def _version(instance, number, state):
    return Version(
        instance_id=instance, number=number, state=state, reference=f"{IMAGE}:v{number}",
        recipe_sealed=vault.seal(RECIPE.dumps()),
        image_id=f"sha256:{number:064}", container_id=f"{instance}-{number}", created_at=START,
        container_name=f"forge-{instance}-{number}", current_since=START,
    )  # fmt: skip


def _record(session, instance):
    zone = session.scalar(select(Connection)) or Connection(
        provider="memory", credentials_sealed="", zone_id="z", zone_name="example.com", zones=["example.com"]
    )
    return DnsRecord(
        fqdn=instance.fqdn, type=RecordType.A, consumer_type=ConsumerType.INSTANCE, consumer_id=instance.id,
        connection=zone, provider_record_id="r1", written_content="203.0.113.10", status=Status.SYNCED,
        created_at=START, updated_at=START,
    )  # fmt: skip


def act(instance, phase, kind=Kind.DEPLOY, **fields):
    """An action on an instance in a phase, with a line for the phase; returns its id."""
    with transaction() as session:
        found = session.get_one(Instance, instance)
        over = phase in (Phase.DONE, Phase.FAILED, Phase.CANCELLED)
        values = {
            "asked_by": "ada",
            "created_at": START,
            "started_at": START,
            "reference": f"{IMAGE}:v9",
        } | fields
        action = Action(
            kind=kind, title=found.title, app_id=found.app_id, instance_id=instance, phase=phase,
            version_number=9, finished_at=START if over else None, **values,
        )  # fmt: skip
        session.add(action)
        session.flush()
        if phase is not Phase.QUEUED:
            line = {"at": START, "phase": Phase.CHECKING if over else phase, "text": f"It is {phase}."}
            session.add(ActionLine(action_id=action.id, **line))
        return action.id


def tell(action, text, level=Level.INFO):
    """A line in an action's log."""
    with transaction() as session:
        session.add(ActionLine(action_id=action, at=START, phase=Phase.WAITING, level=level, text=text))


def set_engine(**facts):
    """What is known of the engine."""
    with transaction() as session:
        state = rows.engine_state(session)
        for name, value in facts.items():
            setattr(state, name, value)


def all_actions():
    """Every action, oldest first."""
    with reading() as session:
        return list(session.scalars(select(Action).order_by(Action.id)))


def beside(page, name):
    """The message beside a field."""
    found = re.search(rf'id="{name}-errors">(.*?)</div>', page.text, re.DOTALL)
    return unescape(found[1]) if found else None


def keys(page):
    """What tells a double click from a second wish, of each form of the page."""
    return re.findall(r'name="key" value="([^"]+)"', page.text)


def polls(page):
    """Whether the page looks again by itself."""
    return 'hx-trigger="every' in page.text


def leads_to(page, place, htmx):
    """Whether the answer sends the browser there."""
    if htmx:
        return page.headers.get("HX-Redirect") == place
    return (page.status_code, page.location) == (303, place)


class Queries:
    """Counts what is asked of the database."""

    def __init__(self, app):
        self.app, self.count = app, 0

    def __enter__(self):
        with self.app.app_context():
            self.engine = db.engine
        event.listen(self.engine, "before_cursor_execute", self._one)
        return self

    def __exit__(self, *_error):
        event.remove(self.engine, "before_cursor_execute", self._one)

    def _one(self, *_what):
        self.count += 1
