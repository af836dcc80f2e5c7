"""A process of a small site on a test's database, with an outside that is simulated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from hotline.bootstrap import Runtime
from hotline.calendars.china import ChinaCalendar
from hotline.config import Settings
from hotline.db import SessionFactory
from hotline.live.memory import MemoryBus
from hotline.telephony.simulated import SimulatedTelephony


def small_site(data_dir: Path) -> Settings:
    """Settings of a small site in one process."""
    return Settings(
        public_url="http://localhost",
        database_url="sqlite://",
        secret_key="k" * 40,
        data_keys=(("t1", b"0" * 32),),
        data_dir=data_dir,
    )


def process(settings: Settings, engine: Engine, sessions: SessionFactory, now: Callable[[], datetime]) -> Runtime:
    """A process with these settings, at the moment ``now`` tells."""
    return Runtime(
        settings=settings,
        engine=engine,
        sessions=sessions,
        telephony=SimulatedTelephony(),
        bus=MemoryBus(),
        calendar=ChinaCalendar(),
        now=now,
    )
