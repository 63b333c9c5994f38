"""The engine's JSON as values and back, in the forms that different releases have."""

from datetime import UTC, datetime

import pytest

from tests.deploy.engine_world import OWNER
from webapp.deploy import docker_wire as wire
from webapp.deploy.engine import (
    Container,
    ContainerSpec,
    Event,
    Health,
    Image,
    Layer,
    Mount,
    MountKind,
    State,
    Usage,
)
from webapp.errors import InvalidInput

LABELS = wire.marks(OWNER)
LISTED = {
    "Id": "abc",
    "Names": ["/other/alias", "/forge-blog-prod-3"],
    "ImageID": "sha256:1",
    "State": "running",
    "Status": "Up 2 minutes (healthy)",
    "Labels": LABELS,
    "NetworkSettings": {"Networks": {"proxy": {"IPAddress": "172.18.0.2"}, "off": {"IPAddress": ""}}},
    "Mounts": [
        {"Type": "volume", "Name": "blog-data", "Source": "/var/x", "Destination": "/data", "RW": True},
        {"Type": "bind", "Source": "/srv/a", "Destination": "/a", "RW": False},
        {"Type": "tmpfs", "Destination": "/tmp"},
    ],
}
INSPECTED = {
    "Id": "abc",
    "Name": "/forge-blog-prod-3",
    "Image": "sha256:1",
    "RestartCount": 2,
    "State": {"Status": "exited", "ExitCode": 137, "OOMKilled": True, "Error": ""},
    "Config": {"Labels": LABELS},
    "NetworkSettings": {"Networks": {}},
    "Mounts": [],
}
MOUNTS = (
    Mount(MountKind.VOLUME, "blog-data", "/data"),
    Mount(MountKind.BIND, "/srv/a", "/a", read_only=True),
)


def test_a_container_in_a_list_is_read():
    assert wire.listed(LISTED) == Container(
        "abc", "forge-blog-prod-3", "sha256:1", State.RUNNING, Health.HEALTHY, OWNER,
        addresses={"proxy": "172.18.0.2"}, mounts=MOUNTS,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "health", "code"),
    [
        ("Up 2 seconds (health: starting)", Health.STARTING, None),
        ("Up 2 minutes (unhealthy)", Health.UNHEALTHY, None),
        ("Up 2 minutes", Health.NONE, None),
        ("Exited (3) 4 minutes ago", Health.NONE, 3),
        ("Restarting (1) 2 seconds ago", Health.NONE, 1),
        ("Created", Health.NONE, None),
    ],
)
def test_the_words_about_its_state_tell_health_and_exit_code(status, health, code):
    found = wire.listed({**LISTED, "Status": status})
    assert (found.health, found.exit_code) == (health, code)


def test_a_close_look_tells_how_it_ended():
    found = wire.container(INSPECTED)
    assert (found.state, found.exit_code, found.out_of_memory, found.restarts) == (State.EXITED, 137, True, 2)


@pytest.mark.parametrize("status", ["created", "running", "paused"])
def test_one_that_has_not_ended_has_no_exit_code(status):
    assert wire.container({**INSPECTED, "State": {"Status": status, "ExitCode": 0}}).exit_code is None


@pytest.mark.parametrize("status", ["removing", "stopping", None, 7])
def test_a_state_without_a_name_here_counts_as_dead(status):
    assert wire.container({**INSPECTED, "State": {"Status": status}}).state is State.DEAD


def test_the_last_words_of_a_health_check_are_plain_text():
    health = {"Status": "unhealthy", "Log": [{"Output": "old"}, {"Output": "\x1b[31mnot ready\x1b[0m\r\n"}]}
    found = wire.container({**INSPECTED, "State": {"Status": "running", "Health": health}})
    assert (found.health, found.health_output) == (Health.UNHEALTHY, "not ready")


@pytest.mark.parametrize(
    "labels",
    [None, {}, {**LABELS, "tiny-forge.instance": "x"}, {k: v for k, v in LABELS.items() if "app" not in k}],
)
def test_a_container_whose_labels_are_not_complete_is_nobodys(labels):
    assert wire.owner(labels) is None


def test_an_image_is_read_with_the_digest_of_the_repository_it_was_asked_by():
    details = {
        "Id": "sha256:1",
        "RepoDigests": ["a.example/x@sha256:2", "b.example/x@sha256:3"],
        "Config": {
            "Healthcheck": {"Test": ["CMD", "true"]},
            "ExposedPorts": {"8080/tcp": {}, "53/udp": {}, "80/tcp": {}},
        },
    }
    assert wire.image(details, "b.example/x") == Image("sha256:1", "b.example/x@sha256:3", True, (80, 8080))
    assert wire.image(details).digest == "a.example/x@sha256:2"


@pytest.mark.parametrize("config", [None, {}, {"Healthcheck": {"Test": ["NONE"]}}, {"Healthcheck": {}}])
def test_an_image_without_a_check_of_its_own(config):
    assert wire.image({"Id": "sha256:1", "Config": config}) == Image("sha256:1")


def stats(**changes):
    return {
        "memory_stats": {"usage": 5000, "limit": 9000, "stats": {"total_inactive_file": 1000}},
        "cpu_stats": {"cpu_usage": {"total_usage": 300}, "system_cpu_usage": 2000, "online_cpus": 2},
        "precpu_stats": {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 1000},
        "pids_stats": {"current": 3},
        **changes,
    }


def test_use_is_counted_in_cores_and_without_the_cache_of_files():
    assert wire.usage(stats()) == Usage(0.4, 4000, 9000, 3)


def test_use_on_the_newer_kind_of_control_groups():
    memory = {"usage": 5000, "limit": 2**63, "stats": {"inactive_file": 2000}}
    assert wire.usage(stats(memory_stats=memory)) == Usage(0.4, 3000, 0, 3)


def test_what_does_not_run_uses_nothing():
    assert wire.usage(stats(memory_stats={}, pids_stats={})) is None


def test_a_first_look_has_nothing_to_compare_with():
    assert wire.usage(stats(precpu_stats={"cpu_usage": {"total_usage": 0}})).cpus == 0.3
    assert wire.usage(stats(cpu_stats={"cpu_usage": {"total_usage": 0}})).cpus == 0.0


@pytest.mark.parametrize(
    ("message", "layer"),
    [
        ({"status": "Pulling from acme/web", "id": "v1"}, None),
        ({"status": "Digest: sha256:1"}, None),
        ({"status": "Pull complete", "id": "abc", "progressDetail": {}}, Layer("abc", "Pull complete")),
        (
            {"status": "Downloading", "id": "abc", "progressDetail": {"current": 5, "total": 9}},
            Layer("abc", "Downloading", 5, 9),
        ),
        (
            {"status": "Extracting", "id": "abc", "progressDetail": {"current": 12, "total": 9}},
            Layer("abc", "Extracting", 9, 9),
        ),
        (
            {"status": "Extracting", "id": "abc", "progressDetail": {"current": 3}},
            Layer("abc", "Extracting", 3),
        ),
    ],
)
def test_messages_of_a_pull_tell_about_layers(message, layer):
    assert wire.layer(message) == layer


@pytest.mark.parametrize(
    ("kind", "action", "event"),
    [
        ("container", "start", Event("abc", "start")),
        ("container", "health_status: healthy", Event("abc", "health_status: healthy")),
        ("container", "exec_create: wget", None),
        ("container", "exec_die", None),
        ("network", "connect", None),
    ],
)
def test_events_about_containers_are_told_but_not_the_looks_at_their_health(kind, action, event):
    assert wire.event({"Type": kind, "Action": action, "Actor": {"ID": "abc"}}) == event


def test_a_container_is_made_hardened_and_without_a_restart_policy():
    host = wire.create_body(ContainerSpec("forge-1", "sha256:" + "a" * 64, OWNER, 80))["HostConfig"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert {"MKNOD", "NET_RAW", "SETFCAP", "SETPCAP", "SYS_CHROOT", "AUDIT_WRITE", "FSETID"} == set(
        host["CapDrop"]
    )
    assert host["RestartPolicy"] == {"Name": "no"}
    assert "PortBindings" not in host


@pytest.mark.parametrize(
    "fields", [{"labels": {"tiny-forge.app": "x"}}, {"network": "host"}, {"network": "bridge"}]
)
def test_a_spec_cannot_name_what_is_not_its_own(fields):
    with pytest.raises(InvalidInput):
        wire.create_body(ContainerSpec("forge-1", "sha256:" + "a" * 64, OWNER, 80, **fields))


def test_an_engine_says_its_release():
    info = wire.info({"Version": "20.10.24", "ApiVersion": "1.41", "Platform": {"Name": "Docker Engine"}})
    assert (info.version, info.api, info.name) == ("20.10.24", "1.41", "Docker Engine")
    assert wire.info({"Version": "5.0", "ApiVersion": "1.41"}).name == ""


def test_times_are_read_to_the_microsecond():
    from webapp.deploy.docker_text import moment

    assert moment("2026-11-24T10:00:00.123456789Z") == datetime(2026, 11, 24, 10, 0, 0, 123456, UTC)
    assert moment("2026-11-24T10:00:00Z") == datetime(2026, 11, 24, 10, tzinfo=UTC)
    assert moment("yesterday") is None
