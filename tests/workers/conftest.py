"""What jobs work with in a test: a database, a Redis of its own, a carrier that remembers, a clock that is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from hotline.bootstrap import Runtime
from hotline.calendars.china import ChinaCalendar
from hotline.config import Settings
from hotline.db import make_sessions, session_scope
from hotline.live.redis import RedisBus
from hotline.outbox import OutboxMessage
from hotline.telephony.simulated import SimulatedTelephony
from tests.factories.units import City, city
from tests.redis_server import RedisProcess
from workers import process


@dataclass
class Clock:
    """Tells the time it was given."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def forward(self, span: timedelta) -> None:
        """Let time pass."""
        self.now += span


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def carrier() -> SimulatedTelephony:
    return SimulatedTelephony()


@pytest.fixture
def runtime(
    engine: Engine,
    tmp_path: Path,
    redis_process: RedisProcess,
    carrier: SimulatedTelephony,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Runtime]:
    """The runtime the jobs of this test process use."""
    settings = Settings(
        public_url="http://127.0.0.1:9",
        database_url=str(engine.url),
        secret_key="s" * 40,
        data_keys=(("t1", os.urandom(32)),),
        redis_url=redis_process.url,
        data_dir=tmp_path,
        numbers=("12345",),
    )
    built = Runtime(
        settings=settings,
        engine=engine,
        sessions=make_sessions(engine),
        telephony=carrier,
        bus=RedisBus(redis_process.url),
        calendar=ChinaCalendar(),
        now=clock,
    )
    process.use(built)
    yield built


@pytest.fixture
def queues_connection(redis_process: RedisProcess) -> redis.Redis:
    return process.connect(redis_process.url)


@pytest.fixture
def place(runtime: Runtime) -> City:
    """A small city."""
    with session_scope(runtime.sessions) as session:
        return city(session)


def message(session: Session, message_id: int) -> OutboxMessage:
    """Return an outbox row as it is now."""
    return session.get_one(OutboxMessage, message_id, populate_existing=True)
