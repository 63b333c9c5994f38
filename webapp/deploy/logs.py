"""Reads what a container wrote, without the secrets it was given."""

from dataclasses import replace

from webapp import vault
from webapp.deploy.connection import glance
from webapp.deploy.engine import LogLine
from webapp.deploy.models import Version
from webapp.deploy.recipe import Recipe
from webapp.errors import NotFound


def read(version: Version | None, tail: int) -> list[LogLine]:
    """The last lines of a version's container. Raises NotFound, EngineError, and KeyLost: unmasked is not shown."""
    if version is None or not version.container_id:
        raise NotFound("There is no container yet. Deploy the instance first.")
    recipe = Recipe.loads(vault.unseal(version.recipe_sealed))
    with glance() as engine:
        lines = engine.logs(version.container_id, tail)
    return [replace(line, text=recipe.masked(line.text)) for line in lines]
