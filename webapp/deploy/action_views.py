"""The page of a deploy, or of anything else that is done to an instance: phases, progress and log, live."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, flash, url_for
from werkzeug.wrappers import Response as AnyResponse

from webapp.db import now, reading
from webapp.deploy import dashboard, rows, service
from webapp.deploy.actions import DEPLOYS, ORDER, Action, ActionLine, Phase
from webapp.deploy.views import by
from webapp.ui import announce, go, is_poll, show, wants_fragment

blueprint = Blueprint("action", __name__)

STEPS = (
    (Phase.CHECKING, "Check"), (Phase.PULLING, "Pull"), (Phase.STARTING, "Start"), (Phase.WAITING, "Healthy"),
    (Phase.SWITCHING, "Switch"), (Phase.DRAINING, "Drain"), (Phase.RETIRING, "Put away"),
)  # fmt: skip

ENDED = {Phase.DONE: "is done", Phase.FAILED: "failed", Phase.CANCELLED: "was cancelled"}


@dataclass(frozen=True)
class Step:
    """One step of a deploy: `state` is done, now, open, skipped or stopped."""

    label: str
    state: str
    since: datetime | None
    text: str = ""


@blueprint.get("/actions/<int:action_id>")
def show_action(action_id: int) -> Response:
    """How far it is."""
    return _page(action_id)


@blueprint.post("/actions/<int:action_id>/cancel")
def cancel(action_id: int) -> AnyResponse:
    """Give it up."""
    service.cancel(action_id, at=now())
    message = "It is being cancelled. What was done so far is undone."
    if wants_fragment():
        return announce(_page(action_id), message)
    flash(message, "success")
    return go(url_for("action.show_action", action_id=action_id))


@blueprint.post("/containers/<container_id>/remove")
def clean_up(container_id: str) -> AnyResponse:
    """Remove a container of ours that no version knows."""
    action = service.clean_up(container_id, by=by(), at=now())
    return go(url_for("action.show_action", action_id=action.id))


def _page(action_id: int) -> Response:
    """The page; a poll that meets the end says so once, because it is the last one."""
    with reading() as session:
        action = rows.action(session, action_id)
        lines = rows.lines(session, action_id)
        before = (
            [a for a in rows.open_of_app(session, action.app_id) if a.id < action.id] if action.app_id else []
        )
        instance = rows.instance(session, action.instance_id) if action.instance_id else None
        page = show(
            "deploy/action.html", "deploy/_action.html", action=action, lines=lines, ahead=before,
            line=dashboard.of_instance(session, instance) if instance else None,
            steps=steps(action, lines), slug=action.title.partition("/")[0], headline=dashboard.headline,
        )  # fmt: skip
    if is_poll() and action.is_over:
        return announce(page, f"{dashboard.headline(action)} {ENDED[action.phase]}.")
    return page


def steps(action: Action, lines: Sequence[ActionLine]) -> list[Step]:
    """The steps of a deploy with their state, as its log tells them; none for other actions."""
    if action.kind not in DEPLOYS:
        return []
    begun: dict[Phase, ActionLine] = {}
    for line in lines:
        begun.setdefault(line.phase, line)
    reached = max((ORDER[phase] for phase, _label in STEPS if phase in begun), default=-1)

    def step(phase: Phase, label: str) -> Step:
        first = begun.get(phase)
        told = (first.at, first.text) if first else (None, "")
        return Step(label, _state(action, phase, begun, reached), *told)

    return [step(*one) for one in STEPS]


def _state(action: Action, phase: Phase, begun: Container[Phase], reached: int) -> str:
    if action.phase is Phase.DONE or ORDER[phase] < reached:
        return "done" if phase in begun else "skipped"
    if ORDER[phase] > reached:
        return "open"
    return "now" if action.phase is phase else "stopped"
