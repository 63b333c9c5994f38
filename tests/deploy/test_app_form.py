"""The app form: what it takes, what it refuses with which words, and what it keeps to itself."""

import pytest
from werkzeug.datastructures import MultiDict

from webapp.db import now, reading, transaction
from webapp.deploy import apps, rows
from webapp.deploy.engine import Mount, MountKind, Restart
from webapp.deploy.forms import app_fields, make_app_form, registry
from webapp.deploy.recipe import Reach
from webapp.dns import ledger

pytestmark = pytest.mark.usefixtures("context")

FILLED = {
    "slug": "blog", "image": "ghcr.io/acme/web", "port": "8080", "memory": "512", "pids": "256",
    "restart": "unless-stopped", "reach": "port", "scheme": "http", "check_kind": "auto", "check_interval": "3",
    "check_timeout": "5", "check_start_period": "20", "strategy": "auto", "drain": "5", "stop_seconds": "10",
    "versions_kept": "5", "certificate_id": "0", "dns_proxied": "default",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _base(context):
    with transaction() as session:
        ledger.settings(session).base_domain = "example.com"


@pytest.fixture
def filled():
    """The form over filled fields with changes; checked."""

    def fill(app=None, **changes):
        form = make_app_form(MultiDict(FILLED | changes), app, csrf=False)
        form.validate()
        return form

    return fill


def saved(filled, **changes):
    form = filled(**changes)
    assert form.errors == {}
    return read_again(apps.add_app(form.wish(), form.fqdn, at=now()))


def changed(app, form):
    assert form.errors == {}
    return read_again(apps.change_app(app.id, form.wish(), at=now()))


def read_again(app):
    number = app.id
    with reading() as session:
        return rows.app(session, number)


def test_what_is_left_blank_gets_what_people_expect(filled):
    form = filled()
    assert form.errors == {}
    recipe = form.wish().recipe
    assert (recipe.tag, recipe.publish_on, recipe.restart) == ("latest", "127.0.0.1", Restart.UNLESS_STOPPED)
    assert form.fqdn == "blog.example.com"


def test_everything_becomes_a_wish(filled):
    form = filled(
        env="COLOUR=blue\n# a remark\n\nSIZE=a=b", mounts="data:/data\nconfig:/etc/app:ro", labels="team=web",
        command='serve --title "My blog"', cpus="0.5", reach="network", network="proxy", tag="v2",
        subdomain="journal", dns_proxied="yes", drop_all="y",
    )  # fmt: skip
    assert form.errors == {}
    wish = form.wish()
    assert wish.recipe.env == {"COLOUR": "blue", "SIZE": "a=b"}
    assert wish.recipe.mounts == (
        Mount(MountKind.VOLUME, "data", "/data"), Mount(MountKind.VOLUME, "config", "/etc/app", read_only=True),
    )  # fmt: skip
    assert wish.recipe.command == ("serve", "--title", "My blog")
    assert (wish.recipe.cpus, wish.recipe.reach, wish.recipe.network) == (0.5, Reach.NETWORK, "proxy")
    assert (wish.options["dns_proxied"], wish.recipe.drop_all) == (True, True)
    assert form.fqdn == "journal.example.com"


def test_a_tag_behind_the_image_goes_where_tags_belong(filled):
    form = filled(image="127.0.0.1:5000/acme/web:v7")
    assert (form.image.data, form.tag.data) == ("127.0.0.1:5000/acme/web", "v7")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("slug", "My App", "lower-case letters"),
        ("slug", "", "Enter a short name"),
        ("slug", "x" * 40, "28"),
        ("image", "", "Enter an image"),
        ("image", "acme/web@sha256:abc", "digest"),
        ("image", "UPPER/web", "lower"),
        ("image", "acme/web:v 1", "tag"),
        ("tag", "-x", "tag"),
        ("port", "0", "from 1 to 65535"),
        ("port", "eighty", "integer"),
        ("subdomain", "my_app", "underscore"),
        ("env", "NO EQUALS", "Line 1"),
        ("env", "A=1\nA=2", "twice"),
        ("env", "1A=x", "Line 1"),
        ("secrets", "TOKEN=", "none is saved"),
        ("mounts", "/etc:/data", "Line 1"),
        ("mounts", "data", "SOURCE:TARGET"),
        ("mounts", "data:/data:rx", "SOURCE:TARGET"),
        ("mounts", "one:/data\ntwo:/data", "mounted"),
        ("mounts", "a:/proc/x", "Line 1"),
        ("labels", "tiny-forge.install=x", "Line 1"),
        ("command", '"open', "quotation"),
        ("memory", "1", "from 6"),
        ("cpus", "-1", "0 or more"),
        ("pids", "0", "from 1"),
        ("publish_on", "0.0.0.0", "one address"),
        ("publish_on", "localhost", "address of this server"),
        ("host_port", "70000", "from 1"),
        ("check_path", "healthz", "slash"),
        ("check_path", "/a b", "slash"),
        ("check_interval", "0", "from 1"),
        ("drain", "-1", "from 0"),
        ("versions_kept", "99", "from 0"),
        ("registry_user", "ada", ""),
        ("restart", "always", "Not a valid choice"),
        ("certificate_id", "-1", "Choose a certificate"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(filled, field, value, words):
    form = filled(**{field: value})
    beside = "registry_password" if field == "registry_user" else field
    assert beside in form.errors
    assert words in " ".join(form.errors[beside])


def test_a_network_is_needed_where_containers_are_reached_by_name(filled):
    assert "network" in filled(reach="network").errors
    assert "network" in filled(reach="network", network="host").errors


def test_one_name_is_not_in_both_lists(filled):
    assert (
        "TOKEN is in the environment already" in filled(env="TOKEN=1", secrets="TOKEN=2").errors["secrets"][0]
    )


def test_without_a_base_domain_the_whole_name_is_asked_for(filled):
    with transaction() as session:
        ledger.settings(session).base_domain = ""
    assert "complete name" in filled().errors["subdomain"][0]


def test_secrets_are_sealed_kept_when_blank_and_go_when_their_line_goes(filled):
    app = saved(filled, secrets="TOKEN=planted-secret\nKEY=other-secret")
    assert "planted-secret" not in str(app.env)
    assert app_fields(app)["secrets"] == "TOKEN=\nKEY="
    form = filled(app, secrets="TOKEN=\nNEW=third-secret")
    app = changed(app, form)
    assert apps.recipe_of(app, "v1").env == {"TOKEN": "planted-secret", "NEW": "third-secret"}


def test_a_form_over_an_app_changes_nothing_when_it_is_saved_as_it_is(filled):
    app = saved(
        filled, env="A=1", secrets="S=secret-value", mounts="data:/data:ro", labels="team=web",
        command="run 'two words'", registry_user="ada", registry_password="s3cret",
    )  # fmt: skip
    before = {
        c.name: getattr(app, c.name) for c in app.__table__.columns if c.name not in ("version", "updated_at")
    }
    data = MultiDict({k: str(v) for k, v in app_fields(app).items() if v not in (None, False)})
    form = make_app_form(data, app, csrf=False)
    form.validate()
    app = changed(app, form)
    assert {name: getattr(app, name) for name in before} == before


def test_the_password_of_a_registry_is_kept_and_never_sent_to_another(filled):
    app = saved(filled, registry_user="ada", registry_password="s3cret")
    assert filled(app, registry_user="ada").errors == {}
    assert "registry_password" in filled(app, registry_user="bob").errors
    moved = filled(app, registry_user="ada", image="evil.example/acme/web")
    assert "The registry changed" in moved.errors["registry_user"][0]
    again = filled(app, registry_user="ada", image="evil.example/acme/web", registry_password="new")
    assert again.errors == {}
    assert filled(app, registry_user="").wish().registry_user == ""
    app = changed(app, filled(app, registry_user=""))
    assert app.registry_password_sealed is None


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("acme/web", ""),
        ("web", ""),
        ("ghcr.io/a/b", "ghcr.io"),
        ("localhost/a", "localhost"),
        ("h:5/a", "h:5"),
    ],
)
def test_the_registry_of_an_image_is_its_first_part_when_that_is_a_host(image, host):
    assert registry(image) == host


def test_a_folder_is_given_only_from_below_the_one_that_is_allowed(filled, app, tmp_path):
    from dataclasses import replace

    (tmp_path / "binds" / "blog").mkdir(parents=True)
    (tmp_path / "binds" / "link").symlink_to("/etc")
    app.config["FORGE"] = replace(app.config["FORGE"], binds_dir=tmp_path / "binds")
    assert filled(mounts=f"{tmp_path}/binds/blog:/data").errors == {}
    for source in ("/etc", f"{tmp_path}/binds/../..", f"{tmp_path}/binds/link", f"{tmp_path}/binds/none"):
        assert "mounts" in filled(mounts=f"{source}:/data").errors
