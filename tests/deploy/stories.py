"""What is done to an instance in the tests of the laws: each story prepares it, and returns how to begin."""

from webapp.deploy import service
from webapp.deploy.actions import Kind
from webapp.deploy.engine import Mount, MountKind

DATA = (Mount(MountKind.VOLUME, "blog-data", "/data"),)


def first(panel):
    panel.add()
    return lambda: service.deploy(1, at=panel.now)


def second(panel):
    panel.add()
    panel.deploy()
    return lambda: service.deploy(1, "v2", at=panel.now)


def in_place(panel):
    panel.add(mounts=DATA)
    panel.deploy()
    return lambda: service.deploy(1, "v2", at=panel.now)


def sick(panel):
    panel.add(mounts=DATA)
    panel.deploy()
    return lambda: service.deploy(1, "sick", at=panel.now)


def back(panel):
    panel.add()
    panel.deploy()
    panel.deploy("v2")
    return lambda: service.roll_back(1, panel.version(1).id, at=panel.now)


def restart(panel):
    panel.add()
    panel.deploy()
    return lambda: service.operate(1, Kind.RESTART, at=panel.now)


def removal(panel):
    panel.add(mounts=DATA)
    panel.deploy()
    panel.deploy("v2")
    return lambda: service.remove(1, volumes=True, at=panel.now)


STORIES = [first, second, in_place, sick, back, restart, removal]
