"""A PostgreSQL cluster of the run's own, made when the first test wants it and thrown away at the end.

Fixtures: ``postgres_cluster``, which gives out databases; ``postgres_url``, an empty database of the test's own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from hotline.db import Base, make_engine
from tests import needs
from tests.redis_server import free_port

# nothing of it is to survive, so nothing waits for a disk
QUICK = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB -c max_connections=60"
QUICK += " -c autovacuum=off"
TRIES = 3


def _as_postgres(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return command
    return ["runuser", "-u", "postgres", "--", *command]


class Cluster:
    """A running cluster. Every database has a name nobody had before, so that what a test left running cannot reach
    the rows of the next."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._admin = create_engine(f"{url}/postgres", isolation_level="AUTOCOMMIT")
        self._spare: list[str] = []

    def close(self) -> None:
        """Let go of the cluster."""
        self._admin.dispose()

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def create(self) -> str:
        """URL of a new database without tables."""
        name = _new_name()
        self._run(f"CREATE DATABASE {name}")
        return f"{self._url}/{name}"

    @contextmanager
    def empty(self) -> Iterator[str]:
        """The same, which goes at the end."""
        url = self.create()
        yield url
        self._run(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    @contextmanager
    def filled(self) -> Iterator[str]:
        """URL of a database with every table and no row. It is emptied and given out again under another name, which
        takes a tenth of copying one."""
        if self._spare:
            name = self._spare.pop()
        else:
            engine = make_engine(self.create())
            Base.metadata.create_all(engine)
            engine.dispose()
            name = str(engine.url.database)
        yield f"{self._url}/{name}"
        name = self._taken_away(name)
        engine = make_engine(f"{self._url}/{name}")
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # rows in any order
            for table in Base.metadata.tables:
                connection.execute(text(f'DELETE FROM "{table}"'))
            connection.execute(text("SELECT setval(seqrelid, seqstart, false) FROM pg_sequence"))
        engine.dispose()
        self._spare.append(name)

    def _taken_away(self, name: str) -> str:
        """Give a database a name that nobody knows and return it; a thread of the test may still be coming back."""
        new = _new_name()
        for left in reversed(range(TRIES)):
            self._run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            try:
                self._run(f"ALTER DATABASE {name} RENAME TO {new}")
            except OperationalError:
                if not left:
                    raise
            else:
                break
        return new


def _new_name() -> str:
    return f"t{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A running cluster."""
    programs = needs.postgres()
    folder = Path(tempfile.mkdtemp(prefix="hotline-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data, port = folder / "data", free_port()
    log = folder / "log"
    initdb = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 {QUICK}"
    start = [programs / "pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start"]
    stop = [programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop"]
    try:
        for command in (initdb, start):
            subprocess.run(
                _as_postgres([str(part) for part in command]),
                check=True,
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        cluster = Cluster(f"postgresql+psycopg://postgres@127.0.0.1:{port}")
        yield cluster
        cluster.close()
    finally:
        subprocess.run(_as_postgres([str(part) for part in stop]), check=False, cwd=folder, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """URL of an empty database that goes when the test ends."""
    with postgres_cluster.empty() as url:
        yield url
