"""A worker that kills itself, as `kill -9` would, when an action comes to a phase: `... mortal PHASE`."""

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from webapp import create_app, lease
from webapp.deploy import deployer, journal
from webapp.serve import working


def fatal(work: Callable[..., Any], is_it: Callable[..., bool]) -> Callable[..., Any]:
    """The same, but the process does not survive it when it is that one."""

    def step(*args: Any, **details: Any) -> Any:
        done = work(*args, **details)
        if is_it(*args):
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    return step


def main(dies_at: str) -> None:
    """Work until killed. Leases are short, so that the next worker need not wait long."""
    lease.LENGTH = timedelta(seconds=2)
    if dies_at:
        journal.enter = fatal(journal.enter, lambda _id, phase, _text: str(phase) == dies_at)
        journal.say = fatal(journal.say, lambda _id, text: text.startswith(dies_at))
        journal.undoing = fatal(journal.undoing, lambda *_: dies_at == "undoing")
        deployer.take_over = fatal(deployer.take_over, lambda _job: dies_at == "draining")
    with working(create_app()) as thread:
        while thread.is_alive():
            time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1])
