"""What every test may lean on: a database of its own, keys, a moment in time."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from hotline.db import KeyRing, SessionFactory, make_engine, make_sessions, use_key_ring

# servers of the run's own, started only when a test asks for one
pytest_plugins = (
    "tests.redis_server",
    "tests.postgres",
    "tests.databases",
    "tests.processes",
    "tests.compiled",
    "tests.chromium",
)

# a slow machine is no fault of ours
settings.register_profile("hotline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hotline")


def pytest_collection_finish() -> None:
    """Leave what all tests are made of out of every later collection of garbage: a fifth of the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


NOON = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)  # a Wednesday, 12:00 in Hengshui


@pytest.fixture(scope="session", autouse=True)
def keys() -> KeyRing:
    """Data keys made for this run."""
    ring = KeyRing([("t1", os.urandom(32))])
    use_key_ring(ring)
    return ring


@pytest.fixture(scope="session", autouse=True)
def passwords() -> Iterator[None]:
    """Passwords hashed as always but with as little work as can be: hundreds of tests log somebody in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hotline.accounts.service._hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture
def now() -> datetime:
    """A fixed working moment."""
    return NOON


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A database with every table and no row, of the kind this run is for."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> SessionFactory:
    """The factory entry points use."""
    return make_sessions(engine)


@pytest.fixture
def session(sessions: SessionFactory) -> Iterator[Session]:
    """One open session; what a test does not commit is rolled back."""
    with sessions() as session:
        yield session
