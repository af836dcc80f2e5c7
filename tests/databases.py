"""The same story on both databases: ``either_url``, ``either_engine`` and ``either_sessions``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from hotline.db import Base, SessionFactory, make_engine, make_sessions


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, once SQLite and once PostgreSQL."""
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
