"""Databases for tests: of the kind this run is for, and of both kinds.

``HOTLINE_TEST_ON`` says what the run stands on: ``sqlite`` (with the embedded Valkey; without the variable) or
``postgres`` (with a Redis server). Fixtures:

* ``engine`` (tests/conftest.py): a database of the test's own with every table and no row.
* ``database_url``: the same, for a process that opens it by itself.
* ``make_database``: gives out such URLs to fixtures that live longer than one test.
* ``either_url`` (empty), ``either_engine``, ``either_sessions``: once SQLite and once PostgreSQL in a run on SQLite,
  PostgreSQL alone in a run on PostgreSQL.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

import hotline.migrations.metadata as metadata
from hotline.db import Base, SessionFactory, make_engine, make_sessions
from tests.needs import ON
from tests.postgres import Cluster

assert metadata  # importing it maps every table

MakeDatabase = Callable[[], str]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with every table and no row: copying it takes a fiftieth of making it."""
    path = tmp_path_factory.mktemp("template") / "hotline.db"
    engine = make_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    engine.dispose()
    return path


def _sqlite_copy(template: Path, folder: Path) -> str:
    return f"sqlite:///{shutil.copy(template, folder / 'hotline.db')}"


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database with every table and no row, of the kind this run is for."""
    if ON == "sqlite":
        yield _sqlite_copy(request.getfixturevalue("sqlite_template"), tmp_path)
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    with cluster.filled() as url:
        yield url


@pytest.fixture(scope="session")
def make_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> MakeDatabase:
    """Makes empty databases of the kind this run is for, without tables, that last to the end of the run."""
    if ON == "sqlite":
        return lambda: f"sqlite:///{tmp_path_factory.mktemp('database')}/hotline.db"
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    return cluster.create


ON_POSTGRES = pytest.param("postgresql", marks=pytest.mark.postgres)


@pytest.fixture(params=["sqlite", ON_POSTGRES] if ON == "sqlite" else [ON_POSTGRES])
def either_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/either.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def either_engine(either_url: str) -> Iterator[Engine]:
    """An engine on a database with every table."""
    engine = make_engine(either_url)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def either_sessions(either_engine: Engine) -> SessionFactory:
    """The factory entry points use."""
    return make_sessions(either_engine)
