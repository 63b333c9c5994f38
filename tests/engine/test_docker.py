"""What only a real engine can show: limits that hold, passwords, folders, networks, many threads at once."""

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

import pytest

from tests.deploy.engine_world import eventually, made, pulled, seen, spec, started
from tests.engine.rig import LOGIN
from webapp.deploy.engine import Mount, MountKind, Restart, State
from webapp.errors import EngineError, InvalidInput

MEBIBYTE = 1024 * 1024


def inspected(world, number):
    return world.rig.docker.api.inspect_container(number)


def test_a_published_port_leads_to_the_container_and_only_from_its_address(world):
    port = world.free_port()
    started(world, publish=("127.0.0.1", port))
    assert eventually(lambda: answer(port, "version") == "v1")
    [binding] = inspected(world, "forge-blog-prod-3")["HostConfig"]["PortBindings"]["8080/tcp"]
    assert binding["HostIp"] == "127.0.0.1"


def answer(port, path):
    try:
        with urlopen(f"http://127.0.0.1:{port}/{path}", timeout=3) as response:
            return response.read().decode().strip()
    except OSError:
        return ""


def test_limits_and_hardening_reach_the_process(world):
    number = started(world, memory=64 * MEBIBYTE, cpus=0.5, pids=50, drop_all=True)
    client = world.rig.docker.api
    command = "grep -E 'CapEff|NoNewPrivs' /proc/1/status"
    run = client.exec_create(number, ["/bin/sh", "-c", command])
    text = client.exec_start(run["Id"]).decode()
    assert text.split() == ["CapEff:", "0000000000000000", "NoNewPrivs:", "1"]
    host = inspected(world, number)["HostConfig"]
    wanted = (64 * MEBIBYTE, 64 * MEBIBYTE, 500_000_000, 50)
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"], host["PidsLimit"]) == wanted


def test_a_container_that_uses_more_memory_than_it_may_is_ended_and_says_so(world):
    """The engine learns of it beside the end, and forgets to say so when the end comes first: so a few may try."""
    assert any(is_told_of_its_hunger(world, f"forge-hog-{turn}") for turn in range(5))


def is_told_of_its_hunger(world, name):
    hog = ("/bin/sh", "-c", "x=a; while :; do x=$x$x; done")
    number = started(world, name=name, command=hog, memory=32 * MEBIBYTE, restart=Restart.NO)
    assert eventually(lambda: seen(world, number).state is State.EXITED)
    assert seen(world, number).exit_code == 137
    return seen(world, number).out_of_memory


def test_a_command_that_the_image_does_not_have_is_told_in_the_log(world):
    number = started(world, command=("/bin/nothing",), restart=Restart.NO)
    assert eventually(lambda: seen(world, number).exit_code == 127)
    assert any("/bin/nothing" in line.text for line in world.engine.logs(number, 10))


def test_a_container_that_was_made_but_never_started_stays_so_when_the_engine_restarts(world):
    number = made(world, restart=Restart.UNLESS_STOPPED)
    world.rig.restart()
    assert seen(world, number).state is State.CREATED


def test_a_running_container_runs_again_after_the_engine_restarted_and_a_stopped_one_does_not(world):
    running, stopped = started(world), started(world, name="forge-blog-prod-4")
    world.engine.stop(stopped, 1)
    world.rig.restart()
    assert eventually(lambda: seen(world, running).state is State.RUNNING)
    assert seen(world, stopped).state is State.EXITED


def test_a_password_that_is_stored_on_the_machine_is_not_used(world, monkeypatch, tmp_path):
    config = {"auths": {world.rig.locked.address: {"username": LOGIN.user, "password": LOGIN.password}}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    world.forget(world.reference("locked"))
    with pytest.raises(EngineError):
        world.rig.engine().pull(world.reference("locked"), None, lambda layer: None)


def test_a_login_does_not_outlive_its_pull(world):
    world.forget(world.reference("locked"))
    world.engine.pull(world.reference("locked"), LOGIN, lambda layer: None)
    world.forget(world.reference("locked"))
    with pytest.raises(EngineError):
        world.engine.pull(world.reference("locked"), None, lambda layer: None)


def test_a_folder_below_the_allowed_one_is_given_by_its_real_path(world, tmp_path):
    base = tmp_path / "binds"
    (base / "real").mkdir(parents=True)
    (base / "link").symlink_to(base / "real")
    world.engine = world.rig.engine(binds_dir=base)
    number = made(world, mounts=(Mount(MountKind.BIND, str(base / "link"), "/data", read_only=True),))
    assert seen(world, number).mounts == (Mount(MountKind.BIND, str(base / "real"), "/data", True),)


def test_a_link_that_leads_out_of_the_allowed_folder_makes_no_container(world, tmp_path):
    base = tmp_path / "binds"
    base.mkdir()
    (base / "link").symlink_to("/etc")
    world.engine = world.rig.engine(binds_dir=base)
    with pytest.raises(InvalidInput):
        made(world, mounts=(Mount(MountKind.BIND, str(base / "link"), "/data"),))
    assert world.engine.containers() == []


def test_a_folder_that_became_a_link_to_elsewhere_is_not_started_with(world, tmp_path):
    base = tmp_path / "binds"
    (base / "data").mkdir(parents=True)
    world.engine = world.rig.engine(binds_dir=base)
    number = made(world, mounts=(Mount(MountKind.BIND, str(base / "data"), "/data"),))
    (base / "data").rmdir()
    (base / "data").symlink_to("/etc")
    with pytest.raises((EngineError, InvalidInput)):
        world.engine.start(number, Restart.NO)
    assert seen(world, number).state is State.CREATED


def test_the_sockets_of_engines_cannot_be_given_to_a_container(world, tmp_path):
    base = world.rig.folder
    world.engine = world.rig.engine(binds_dir=base)
    with pytest.raises(InvalidInput):
        made(world, mounts=(Mount(MountKind.BIND, str(world.rig.socket), "/run/docker.sock"),))


@pytest.mark.parametrize("name", ["host", "none", "bridge", "container:forge"])
def test_networks_that_are_not_made_by_people_are_refused(world, name):
    with pytest.raises(InvalidInput):
        made(world, network=name)


def test_the_id_of_the_machines_own_network_is_no_name(world):
    [host] = world.rig.docker.api.networks(names=["host"])
    with pytest.raises(InvalidInput):
        made(world, network=host["Id"])
    number = made(world, network=host["Id"][:12])
    world.engine.start(number, Restart.NO)
    assert list(seen(world, number).addresses) == [host["Id"][:12]]


def test_twenty_containers_at_once_share_one_engine_and_one_new_network(world):
    image = pulled(world, "good")

    def run(number):
        wanted = spec(world, name=f"forge-app-{number}", image=image, network="forge-shared")
        container = world.engine.create(wanted)
        world.engine.start(container, Restart.UNLESS_STOPPED)
        return world.engine.container(container).addresses["forge-shared"]

    with ThreadPoolExecutor(20) as pool:
        addresses = list(pool.map(run, range(20)))
    assert len(set(addresses)) == 20
    assert len(world.engine.containers()) == 20
    assert len(world.rig.docker.api.networks(names=["forge-shared"])) == 1


def test_a_long_line_comes_cut_and_hostile_text_comes_plain(world):
    shout = "printf '\\033[31mred\\033[0m\\007\\n'; head -c 40000 /dev/zero | tr '\\0' x; echo; echo end"
    number = started(world, command=("/bin/sh", "-c", shout), restart=Restart.NO)
    assert eventually(lambda: [line.text for line in world.engine.logs(number, 100)][-1:] == ["end"])
    red, long, _end = world.engine.logs(number, 100)
    assert red.text == "red"
    assert (len(long.text), long.text[:3], long.text[-1]) == (2000, "xxx", "…")
