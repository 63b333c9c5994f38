"""One action under way, as the steps see it: what it is about, the engine, and how to wait and tell."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from webapp import vault
from webapp.db import reading
from webapp.deploy import journal, rows
from webapp.deploy.actions import CAN_CANCEL, DEPLOYS, Action, Level, Phase
from webapp.deploy.engine import Container, Engine, Owner
from webapp.deploy.health import Probe
from webapp.deploy.models import App, Instance, Version
from webapp.deploy.recipe import Recipe
from webapp.dns import ledger
from webapp.errors import ForgeError

Thing = TypeVar("Thing")


class Stopped(BaseException):
    """The process ends, or another one took over: leave everything as it is, it is resumed later."""


class Cancelled(ForgeError):
    """Somebody gave the action up."""

    status = 409


@dataclass(frozen=True)
class Tools:
    """What a job works with. `wait` lets a moment pass (seconds) and raises Stopped when it is time to go."""

    engine: Engine
    probe: Probe
    clock: Callable[[], datetime]
    wait: Callable[[float], None]


@dataclass
class Job:
    """An action with what it is about, read afresh at each try. Rows are read only: steps write in transactions."""

    tools: Tools
    action: Action
    install: str
    instance: Instance | None
    app: App | None
    version: Version | None
    _recipe: Recipe | None = None

    @classmethod
    def read(cls, action_id: int, tools: Tools) -> "Job":
        """The job of an action."""
        with reading() as session:
            action = session.get_one(Action, action_id)
            instance = session.get(Instance, action.instance_id) if action.instance_id else None
            version = session.get(Version, action.version_id) if action.version_id else None
            if version is None and instance is not None and action.kind not in DEPLOYS:
                version = rows.current_version(session, instance.id)
            return cls(
                tools=tools,
                action=action,
                install=ledger.settings(session).install_id,
                instance=instance,
                app=instance.app if instance else None,
                version=version,
            )

    def reread(self) -> None:
        """Look at the version again, after a step wrote to it."""
        with reading() as session:
            self.version = session.get(Version, self.the_version.id)

    @property
    def engine(self) -> Engine:
        """The engine."""
        return self.tools.engine

    @property
    def at(self) -> datetime:
        """The present moment."""
        return self.tools.clock()

    @property
    def the_instance(self) -> Instance:
        """The instance, for steps that have one."""
        return _there(self.instance, "The instance")

    @property
    def the_app(self) -> App:
        """The instance's app."""
        return _there(self.app, "The app")

    @property
    def the_version(self) -> Version:
        """The version the action is about."""
        return _there(self.version, "The version")

    @property
    def the_recipe(self) -> Recipe:
        """How that version runs. Raises KeyLost where its secrets cannot be read any more."""
        if self._recipe is None:
            self._recipe = Recipe.loads(vault.unseal(self.the_version.recipe_sealed))
        return self._recipe

    @property
    def owner(self) -> Owner:
        """The mark of that version's container."""
        return Owner(self.install, self.the_app.slug, self.the_instance.id, self.the_version.id)

    def enter(self, phase: Phase, text: str) -> bool:
        """Go on to a phase; False when an earlier try was there already. Raises Cancelled."""
        self.pause(0)
        return journal.enter(self.action.id, phase, text, at=self.at)

    def say(self, text: str, level: Level = Level.INFO) -> None:
        """A line in the log of the action."""
        journal.say(self.action.id, text, level=level, at=self.at)

    def pause(self, seconds: float = 0.2) -> None:
        """Let a moment pass. Raises Stopped, and Cancelled while that is still possible."""
        self.tools.wait(seconds)
        with reading() as session:
            action = session.get_one(Action, self.action.id)
            if action.cancel_asked and action.phase in CAN_CANCEL | {Phase.SWITCHING}:
                raise Cancelled("Cancelled by request.")

    def container(self) -> Container | None:
        """The container of the version: by its id, or by its mark where a crash came before the id was kept."""
        if not self.the_version.image_id:
            return None  # without an image there cannot be one
        if self.the_version.container_id:
            return self.engine.container(self.the_version.container_id)
        mine = (c for c in self.engine.containers() if c.owner == self.owner and c.name == self.name)
        found = next((c for c in mine if c.image_id == self.the_version.image_id), None)
        return self.engine.container(found.id) if found else None

    @property
    def name(self) -> str:
        """What the version's container is called."""
        app, instance, number = self.the_app.slug, self.the_instance.name, self.the_version.number
        return f"forge-{app}-{instance}-{number}-{self.install[:4]}"


def _there(thing: Thing | None, what: str) -> Thing:
    if thing is None:
        raise ForgeError(f"{what} is not there any more.")
    return thing
