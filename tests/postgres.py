"""A PostgreSQL server of the test run's own, and a fresh database with tables for each test."""

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

SWITCH = "TINY_FORGE_TEST_DATABASE"
PORTS = {"master": 15432, "gw0": 15433, "gw1": 15434, "gw2": 15435}
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def is_wanted() -> bool:
    """Whether this run is to use PostgreSQL instead of SQLite."""
    return os.environ.get(SWITCH) == "postgresql"


class Server:
    """One server. `fresh` is a database like the template, made in milliseconds."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._numbers = itertools.count(1)
        self._last: str | None = None

    def url(self, name: str) -> str:
        """The address of a database, as the panel takes it."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self._port}/{name}"

    def make_template(self, fill: Callable[[str], None]) -> None:
        """Have `fill` put tables into the database that all others are made from."""
        self._do("CREATE DATABASE {}", "template")
        fill(self.url("template"))

    def fresh(self) -> str:
        """The address of a new database with tables; the one before it is dropped."""
        if self._last is not None:
            self._do("DROP DATABASE {} WITH (FORCE)", self._last)
        self._last = f"t{next(self._numbers)}"
        self._do("CREATE DATABASE {} TEMPLATE template STRATEGY file_copy", self._last)
        return self.url(self._last)

    def _do(self, statement: str, name: str) -> None:
        address = f"host=127.0.0.1 port={self._port} user=postgres dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))  # type: ignore[arg-type]


@contextmanager
def running(worker: str) -> Iterator[Server]:
    """A server for one process of the test run, on a port of its own; safe against nothing, and quick."""
    folder = Path(tempfile.mkdtemp(prefix="forge-pg-"))
    binaries, port = BINARIES[-1], PORTS[worker]
    as_postgres: list[str] = []
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(folder, "postgres")
        as_postgres = ["runuser", "-u", "postgres", "--"]
    data = folder / "data"
    make = [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"]
    subprocess.run([*as_postgres, *map(str, make)], check=True, capture_output=True, cwd=folder)
    options = ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"]
    options += ["-c", "listen_addresses=127.0.0.1", "-k", str(folder), "-p", str(port)]
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [*as_postgres, str(binaries / "postgres"), "-D", str(data), *options],
        stdout=log,
        stderr=log,
        cwd=folder,
    )
    try:
        _wait(port, folder / "log")
        yield Server(port)
    finally:
        subprocess.run(
            [*as_postgres, str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"],
            check=False, capture_output=True, cwd=folder,
        )  # fmt: skip
        process.wait(30)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            psycopg.connect(f"host=127.0.0.1 port={port} user=postgres dbname=postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-2000:]}")
