"""Draws each random history by itself: Hypothesis would vary every one five times before it draws the next."""

from typing import Any

from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

BACKEND = "each by itself"


class Chance(HypothesisProvider):
    """Numbers from the seed alone, and not from the constants in whatever code has been imported by then."""

    def _maybe_draw_constant(self, *_args: Any, **_options: Any) -> None:
        return None


AVAILABLE_PROVIDERS[BACKEND] = Chance
