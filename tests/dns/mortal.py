"""A process of the panel that runs rounds until it is killed; forked from one that has everything loaded already."""

import multiprocessing
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.support import make_config
from webapp import create_app
from webapp.dns.providers import cloudflare_batches
from webapp.dns.rounds import Rounds

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


def start(
    data_dir: Path, database_url: str, api_url: str, at: datetime, pause: float, passes: int
) -> BaseProcess:
    """A new process, which makes so many passes with so many seconds of its clock in between."""
    process = _FORKS.Process(target=_run, args=(data_dir, database_url, api_url, at, pause, passes))
    process.start()
    return process


def _run(data_dir: Path, database_url: str, api_url: str, at: datetime, pause: float, passes: int) -> None:
    """With batches as small as those of `fault_world`."""
    cloudflare_batches.BATCH = 3
    times = [at]
    with create_app(make_config(data_dir, database_url=database_url)).app_context():
        rounds = Rounds("mortal", api_url, timedelta(minutes=10), lambda: times[-1])
        for _ in range(passes):
            rounds.run_due()
            times.append(times[-1] + timedelta(seconds=pause))
