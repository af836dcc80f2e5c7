"""A PostgreSQL cluster of the run's own, made when the first test wants it and thrown away at the end.

Fixture: ``postgres_url``, an empty database of the test's own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests import needs
from tests.redis_server import free_port

# nothing of it is to survive, so nothing waits for a disk
QUICK = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB -c max_connections=60"


def _as_postgres(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return command
    return ["runuser", "-u", "postgres", "--", *command]


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[str]:
    """URL of a running cluster, without a database name."""
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
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}"
    finally:
        subprocess.run(_as_postgres([str(part) for part in stop]), check=False, cwd=folder, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_cluster: str) -> Iterator[str]:
    """URL of an empty database that goes when the test ends."""
    name = f"t{uuid.uuid4().hex}"
    admin = create_engine(f"{postgres_cluster}/postgres", isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield f"{postgres_cluster}/{name}"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
