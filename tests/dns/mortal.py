"""A process of the panel that runs rounds until it is killed: `python -m tests.dns.mortal ...`."""

import sys
from datetime import datetime, timedelta
from pathlib import Path

from tests.support import make_config
from webapp import create_app
from webapp.dns.providers import cloudflare
from webapp.dns.rounds import Rounds


def main(data_dir: str, database_url: str, api_url: str, at: str) -> None:
    """Three passes at that time, with batches as small as those of `fault_world`."""
    cloudflare.BATCH = 3
    moment = datetime.fromisoformat(at)
    with create_app(make_config(Path(data_dir), database_url=database_url)).app_context():
        rounds = Rounds("mortal", api_url, timedelta(minutes=10), lambda: moment)
        for _ in range(3):
            rounds.run_due()


if __name__ == "__main__":
    main(*sys.argv[1:])
