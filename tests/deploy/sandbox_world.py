"""The surroundings of the engine's stand-in, with the verbs that the contract of engines needs."""

from contextlib import contextmanager

from tests.deploy.engine_world import INSTALL
from webapp.deploy.engine import Login
from webapp.sandbox.engine import Behaviour, EngineStandIn

REPOSITORY = "registry.example/acme"


class SandboxWorld:
    """See EngineWorld."""

    login = Login("ada", "right-password")

    def __init__(self):
        self.it = EngineStandIn()
        for kind in ("good", "crash", "stubborn", "deaf"):
            self.it.put_image(f"{REPOSITORY}/{kind}", "v1", behaviour=Behaviour(kind))
        self.it.put_image(f"{REPOSITORY}/healthy", "v1", has_health_check=True)
        self.it.put_image(f"{REPOSITORY}/sick", "v1", behaviour=Behaviour.SICK, has_health_check=True)
        self.it.put_image(f"{REPOSITORY}/locked", "v1", login=self.login)
        self.engine = self.it.bound(INSTALL)
        self._port = 21000

    def reference(self, kind):
        return f"{REPOSITORY}/{kind}:v1"

    def nowhere(self):
        return "nowhere.example/acme/web:v1"

    def forget(self, reference):
        self.it.images.clear()

    def by_hand(self, name, *, install=""):
        return self.it.put_by_hand(name, install=install)

    def stop_by_hand(self, container):
        self.it.stop_by_hand(container)

    def remove_by_hand(self, container):
        self.it.remove_by_hand(container)

    def volume_by_hand(self, name):
        self.it.volumes[name] = ""

    def has_volume(self, name):
        return name in self.it.volumes

    def free_port(self):
        self._port += 1
        return self._port

    @contextmanager
    def occupied(self, port):
        self.it.occupied.add(port)
        yield
        self.it.occupied.discard(port)

    def stop_engine(self):
        self.it.down = True

    def start_engine(self):
        self.it.down = False
