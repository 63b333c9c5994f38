"""The rig itself: hosts of the stand-in are sites of a real nginx, which loses no request when it is reloaded."""

import threading

import pytest

from tests.deploy.engine_world import eventually, started
from tests.engine.nginx import NginxServer, steadily, visited
from tests.engine.real_nginx import attach
from webapp.sandbox.npm import NpmStandIn

PORT = 15080


@pytest.fixture
def npm(rig, tmp_path):
    server = NginxServer(tmp_path / "nginx", PORT)
    server.start()
    with NpmStandIn() as npm:
        attach(npm, server, lambda name: name if name[0].isdigit() else rig.address_of(name))
        yield npm
    server.stop()


def asked(domain, path="version"):
    return visited(PORT, domain, path)


def test_a_host_leads_to_a_container_by_its_port(world, npm):
    port = world.free_port()
    started(world, publish=("127.0.0.1", port))
    npm.host_by_hand("app.example.com", forward_host="127.0.0.1", forward_port=port)
    assert eventually(lambda: asked("app.example.com") == "v1")
    assert "404" in asked("other.example.com")


def test_a_host_leads_to_a_container_by_its_name(world, npm):
    started(world, network="forge-shared")
    npm.host_by_hand("app.example.com", forward_host="forge-blog-prod-3", forward_port=8080)
    assert eventually(lambda: asked("app.example.com") == "v1")


def test_a_name_that_no_container_has_is_nginxs_complaint(world, npm):
    npm.host_by_hand("app.example.com", forward_host="nobody", forward_port=8080)
    assert "host not found in upstream" in npm.host_for("app.example.com")["meta"]["nginx_err"]


def test_a_deleted_host_is_not_served_any_more(world, npm):
    port = world.free_port()
    started(world, publish=("127.0.0.1", port))
    number = npm.host_by_hand("app.example.com", forward_host="127.0.0.1", forward_port=port)["id"]
    assert eventually(lambda: asked("app.example.com") == "v1")
    npm.delete_by_hand(number)
    assert eventually(lambda: "404" in asked("app.example.com"))


def test_no_request_fails_while_a_host_goes_from_one_container_to_another(world, npm):
    ports = [world.free_port(), world.free_port()]
    for port in ports:
        started(world, name=f"forge-{port}", publish=("127.0.0.1", port))
    number = npm.host_by_hand("app.example.com", forward_host="127.0.0.1", forward_port=ports[0])["id"]
    assert eventually(lambda: steadily(lambda: asked("app.example.com") == "v1"))
    enough, answers = threading.Event(), []

    def visit():
        while not enough.is_set():
            answers.append(asked("app.example.com"))

    slow = threading.Thread(target=lambda: answers.append(asked("app.example.com", "cgi-bin/slow")))
    visitors = [threading.Thread(target=visit) for _ in range(3)]
    for thread in (slow, *visitors):
        thread.start()
    for turn in range(6):
        npm.edit_by_hand(number, forward_port=ports[turn % 2])
    enough.set()
    for thread in (slow, *visitors):
        thread.join()
    assert len(answers) > 20
    assert set(answers) == {"v1"}
