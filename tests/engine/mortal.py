"""A worker that kills itself, as `kill -9` would, when an action comes to a phase: `... mortal PHASE`."""

import os
import signal
import sys
import time
from datetime import timedelta

from webapp import create_app
from webapp.deploy import journal, runner
from webapp.serve import working


def main(dies_at: str) -> None:
    """Work until killed. Leases are short, so that the next worker need not wait long."""
    runner.LEASE, runner.RENEW_EVERY = timedelta(seconds=2), 0.5
    enter, say = journal.enter, journal.say

    def dying_enter(action_id, phase, text, *, at):
        was_new = enter(action_id, phase, text, at=at)
        if str(phase) == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return was_new

    def dying_say(action_id, text, **details):
        say(action_id, text, **details)
        if dies_at and text.startswith(dies_at):
            os.kill(os.getpid(), signal.SIGKILL)

    journal.enter, journal.say = dying_enter, dying_say
    with working(create_app()) as thread:
        while thread.is_alive():
            time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1])
