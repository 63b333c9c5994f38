"""Nothing but what is on the list reaches the engine, whatever made the request."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.deploy.engine_world import OWNER
from webapp.deploy.docker_wire import create_body
from webapp.deploy.engine import ContainerSpec, Mount, MountKind, Restart
from webapp.deploy.guard import guard
from webapp.errors import InvalidInput

SPEC = ContainerSpec(
    name="forge-blog-prod-3",
    image="sha256:" + "a" * 64,
    owner=OWNER,
    port=8080,
    env={"TOKEN": "x=y"},
    command=("serve", "--all"),
    mounts=(Mount(MountKind.VOLUME, "blog-data", "/data"),),
    labels={"team": "web"},
    network="proxy",
    publish=("127.0.0.1", 20000),
    memory=64 * 1024 * 1024,
    cpus=0.5,
    pids=50,
    restart=Restart.UNLESS_STOPPED,
    drop_all=True,
)
BODY = create_body(SPEC)


def changed(place, value):
    """The body with one more or another value."""
    body = deepcopy(BODY)
    *path, key = place.split(".")
    at = body
    for step in path:
        at = at[int(step)] if step.isdigit() else at[step]
    at[key] = value
    return body


@pytest.mark.parametrize(
    "spec", [SPEC, ContainerSpec("forge-1", "127.0.0.1:5000/acme/web:v1", OWNER, 80)], ids=["all", "least"]
)
def test_what_the_panel_makes_passes_unchanged(spec):
    assert guard(create_body(spec), None) == create_body(spec)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("HostConfig.Privileged", True),
        ("HostConfig.Privileged", False),
        ("HostConfig.CapAdd", ["SYS_ADMIN"]),
        ("HostConfig.CapDrop", []),
        ("HostConfig.CapDrop", ["MKNOD"]),
        ("HostConfig.SecurityOpt", []),
        ("HostConfig.SecurityOpt", ["seccomp=unconfined"]),
        ("HostConfig.SecurityOpt", ["no-new-privileges:true", "apparmor=unconfined"]),
        ("HostConfig.NetworkMode", "host"),
        ("HostConfig.NetworkMode", "container:abc"),
        ("HostConfig.NetworkMode", "none"),
        ("HostConfig.NetworkMode", ""),
        ("HostConfig.PidMode", "host"),
        ("HostConfig.IpcMode", "host"),
        ("HostConfig.UTSMode", "host"),
        ("HostConfig.UsernsMode", "host"),
        ("HostConfig.CgroupnsMode", "host"),
        ("HostConfig.CgroupParent", "/"),
        ("HostConfig.Devices", [{"PathOnHost": "/dev/sda"}]),
        ("HostConfig.DeviceRequests", [{"Count": -1}]),
        ("HostConfig.DeviceCgroupRules", ["a *:* rwm"]),
        ("HostConfig.Runtime", "runc"),
        ("HostConfig.Sysctls", {"kernel.msgmax": "1"}),
        ("HostConfig.VolumesFrom", ["other"]),
        ("HostConfig.GroupAdd", ["0"]),
        ("HostConfig.OomKillDisable", True),
        ("HostConfig.OomScoreAdj", -1000),
        ("HostConfig.Binds", ["/:/host"]),
        ("HostConfig.Binds", []),
        ("HostConfig.Tmpfs", {"/tmp": ""}),
        ("HostConfig.PublishAllPorts", True),
        ("HostConfig.MaskedPaths", []),
        ("HostConfig.Init", False),
        ("HostConfig.LogConfig", {"Type": "syslog", "Config": {}}),
        ("HostConfig.RestartPolicy", {"Name": "always"}),
        ("HostConfig.RestartPolicy", {"Name": "no", "MaximumRetryCount": 1}),
        ("HostConfig.Memory", -1),
        ("HostConfig.Memory", True),
        ("HostConfig.MemorySwap", -1),
        ("HostConfig.MemorySwap", 1),
        ("HostConfig.PidsLimit", -1),
        ("HostConfig.PortBindings.8080/tcp", [{"HostIp": "", "HostPort": "80"}]),
        ("HostConfig.PortBindings.8080/tcp", [{"HostIp": "0.0.0.0", "HostPort": "80"}]),
        ("HostConfig.PortBindings.8080/tcp", [{"HostIp": "::", "HostPort": "80"}]),
        ("HostConfig.PortBindings.8080/tcp", [{"HostPort": "80"}]),
        ("HostConfig.PortBindings.8080/tcp", [{"HostIp": "127.0.0.1", "HostPort": ""}]),
        ("HostConfig.PortBindings.8080/tcp", [{"HostIp": "127.0.0.1", "HostPort": "80-90"}]),
        ("HostConfig.PortBindings.8080/tcp", []),
        ("HostConfig.PortBindings.8080/udp", [{"HostIp": "127.0.0.1", "HostPort": "80"}]),
        ("HostConfig.Mounts", [{"Type": "tmpfs", "Source": "", "Target": "/tmp"}]),
        ("HostConfig.Mounts", [{"Type": "bind", "Source": "/var/run/docker.sock", "Target": "/x"}]),
        ("HostConfig.Mounts", [{"Type": "volume", "Source": "/etc", "Target": "/x"}]),
        ("HostConfig.Mounts", [{"Type": "volume", "Source": "ab", "Target": "/"}]),
        ("HostConfig.Mounts", ["/:/host"]),
        ("HostConfig.Mounts.0.VolumeOptions", {"DriverConfig": {"Options": {"device": "/"}}}),
        ("HostConfig.Mounts.0.BindOptions", {"Propagation": "shared"}),
        ("HostConfig", []),
        ("Image", "--privileged"),
        ("Image", "nginx"),
        ("Env", ["=x"]),
        ("Env", ["TOKEN"]),
        ("Env", "A=b"),
        ("Cmd", []),
        ("Cmd", "sh"),
        ("Cmd", ["a\0"]),
        ("Labels.tiny-forge.other", "x"),
        ("Labels", {}),
        ("Labels", {"tiny-forge.install": "other"}),
        ("ExposedPorts", {"80/udp": {}}),
        ("User", "0"),
        ("Entrypoint", ["/bin/sh"]),
        ("Tty", True),
        ("NetworkingConfig", {"EndpointsConfig": {"host": {}}}),
    ],
)
def test_more_than_a_container_may_be_given_is_refused(place, value):
    with pytest.raises(InvalidInput):
        guard(changed_at(place, value), None)


def changed_at(place, value):
    """As `changed`, for label names that have a dot themselves."""
    if place.startswith("Labels."):
        return changed("Labels", {**BODY["Labels"], place.removeprefix("Labels."): value})
    if ".8080/" in place:
        return changed("HostConfig.PortBindings", {place.rpartition(".")[2]: value})
    return changed(place, value)


@pytest.mark.parametrize("place", ["Image", "Labels", "HostConfig"])
def test_what_every_container_has_may_not_be_missing(place):
    body = deepcopy(BODY)
    del body[place]
    with pytest.raises(InvalidInput):
        guard(body, None)


@pytest.mark.parametrize("key", ["SecurityOpt", "CapDrop", "LogConfig", "NetworkMode"])
def test_no_protection_may_be_missing(key):
    body = deepcopy(BODY)
    del body["HostConfig"][key]
    with pytest.raises(InvalidInput):
        guard(body, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.text(min_size=1).filter(lambda key: key not in BODY["HostConfig"]), JSON)
def test_no_unknown_key_passes_whatever_it_says(key, value):
    with pytest.raises(InvalidInput):
        guard(changed("HostConfig", {**BODY["HostConfig"], key: value}), None)


@given(st.sampled_from(sorted(BODY["HostConfig"])), JSON)
def test_a_value_of_another_shape_is_refused_and_never_breaks(key, value):
    body = changed("HostConfig", {**BODY["HostConfig"], key: value})
    harmless = (key == "Mounts" and value == []) or (key == "PortBindings" and value == {})
    try:
        guard(body, None)
    except InvalidInput:
        return
    assert harmless or isinstance(value, int | str), (key, value)
