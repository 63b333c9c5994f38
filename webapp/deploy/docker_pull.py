"""Pulling an image: what the engine tells while it does, and whether it came to its end."""

import base64
import json
from collections.abc import Callable
from contextlib import closing

from webapp.deploy import docker_errors, docker_wire
from webapp.deploy.docker_errors import Call
from webapp.deploy.docker_http import Http
from webapp.deploy.engine import Layer, Login

_DONE = ("Status: Downloaded newer image", "Status: Image is up to date")


def pull(
    http: Http, repository: str, tag: str, login: Login | None, progress: Callable[[Layer], None]
) -> None:
    """Have the engine fetch an image. `progress` gets every layer as it goes on, and the latest again in silence,
    so that it can always give up; before the first one that is a layer without an id.

    A failure comes as a message of an answer that began well; an end without a last word is one, too.
    """
    reference = f"{repository}:{tag}"
    call = Call(f"pull {reference}", "POST /images/create", changing=True)
    latest, status = Layer("", "Waiting"), ""
    messages = http.pulling(
        call,
        {"fromImage": repository, "tag": tag},
        {"X-Registry-Auth": _account(login)},
        lambda code, words: docker_errors.pull_refused(call, reference, login, code, words),
    )
    with closing(messages):
        for message in messages:
            if message and "error" in message:
                raise docker_errors.not_pulled(reference, str(message["error"]), login)
            status = str(message.get("status") or "") if message else status
            layer = docker_wire.layer(message) if message else latest
            if layer is not None:
                latest = layer
                progress(layer)
    if not status.startswith(_DONE):
        raise docker_errors.cut_short(call)


def _account(login: Login | None) -> str:
    """For the engine's header; an empty account where there is none, so that nothing stored is used."""
    account = {"username": login.user, "password": login.password} if login else {}
    return base64.urlsafe_b64encode(json.dumps(account).encode()).decode()
